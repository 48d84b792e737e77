"""``training.export``: a fitted pipeline in, a proven package out, or a reason."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import training
from sklambda.errors import PackageRefused
from sklambda.policy.watching import Watching
from sklambda.predictor import Predictor
from training.errors import ConversionRefused, DataError, QualityGateFailed

ROWS = 60


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    generator = np.random.default_rng(2)
    return pd.DataFrame({"a": generator.normal(size=ROWS), "b": generator.integers(0, 9, ROWS)})


@pytest.fixture(scope="module")
def fitted(frame: pd.DataFrame) -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, frame["a"] > 0)


def test_a_package_comes_out_and_scores(fitted: Any, frame: pd.DataFrame, tmp_path: Path) -> None:
    package = training.export(fitted, frame, out=tmp_path / "package", name="signs")

    prediction = Predictor.open(package.path).predict([{"a": 3.0, "b": 1}])[0]

    assert prediction.label is True
    assert package.manifest.parity.max_difference <= 1e-9


def test_the_target_column_may_stand_in_the_frame(
    fitted: Any, frame: pd.DataFrame, tmp_path: Path
) -> None:
    table = frame.assign(sign=frame["a"] > 0)

    package = training.export(fitted, table, out=tmp_path / "p", name="signs", target="sign")

    assert package.signature.names == ("a", "b")
    assert package.signature.target.name == "sign"


def test_columns_are_put_in_the_order_of_the_fit(
    fitted: Any, frame: pd.DataFrame, tmp_path: Path
) -> None:
    package = training.export(fitted, frame[["b", "a"]], out=tmp_path / "p", name="signs")

    assert package.signature.names == ("a", "b")


def test_the_signature_tells_kind_range_and_example(
    fitted: Any, frame: pd.DataFrame, tmp_path: Path
) -> None:
    package = training.export(fitted, frame, out=tmp_path / "p", name="signs")

    number, integer = package.signature.features
    assert (number.kind, integer.kind) == ("number", "integer")
    assert number.range == (frame["a"].min(), frame["a"].max())
    assert integer.example == int(frame["b"].median())


def test_the_same_inputs_give_the_same_id(fitted: Any, frame: pd.DataFrame, tmp_path: Path) -> None:
    first, second = (
        training.export(fitted, frame, out=tmp_path / name, name="signs") for name in "ab"
    )

    assert first.manifest.id == second.manifest.id


def test_held_out_rows_are_proven_on_too(fitted: Any, frame: pd.DataFrame, tmp_path: Path) -> None:
    more = frame.head(7), None

    package = training.export(fitted, frame, out=tmp_path / "p", name="signs", held_out=more)

    assert package.manifest.parity.rows["data"] == ROWS + 7


def test_without_held_out_rows_the_baseline_is_that_of_the_frame(
    fitted: Any, frame: pd.DataFrame, tmp_path: Path
) -> None:
    baseline = training.export(fitted, frame, out=tmp_path / "p", name="signs").baseline

    assert baseline is not None
    assert (baseline.rows, baseline.held_out) == (ROWS, 0)
    assert baseline.scores["True"].column.rows == ROWS
    assert baseline.weights["a"] > baseline.weights["b"]
    assert (baseline.metrics, baseline.balance, baseline.calibrators) == ({}, {}, {})


def test_held_out_rows_and_outcomes_make_the_rest_of_it(
    fitted: Any, frame: pd.DataFrame, tmp_path: Path
) -> None:
    drawn = np.random.default_rng(3)
    apart = pd.DataFrame({"a": drawn.normal(size=400), "b": drawn.integers(0, 9, 400)})
    outcomes = apart["a"] + drawn.normal(size=400) > 0

    baseline = training.export(
        fitted, frame, out=tmp_path / "p", name="signs", held_out=(apart, outcomes)
    ).baseline

    assert baseline is not None
    assert baseline.held_out == baseline.scores["True"].column.rows == 400
    assert baseline.balance == {"label": (400 - outcomes.sum(), outcomes.sum())}
    assert baseline.calibrators["True"].rows == 400
    accuracy = baseline.metrics["accuracy"]
    assert accuracy.value == pytest.approx((fitted.predict(apart) == outcomes).mean())
    assert accuracy.low < accuracy.value < accuracy.high
    assert {"precision", "recall", "f1", "roc_auc"} < baseline.metrics.keys()


def test_a_gate_that_is_missed_leaves_no_package(
    fitted: Any, frame: pd.DataFrame, tmp_path: Path
) -> None:
    metadata = training.RunMetadata(gates={"accuracy": 1.01})

    with pytest.raises(QualityGateFailed, match=r"accuracy is .* must be at least 1\.01"):
        training.export(
            fitted,
            frame,
            out=tmp_path / "p",
            name="signs",
            held_out=(frame, frame["a"] > 0),
            metadata=metadata,
        )

    assert not (tmp_path / "p").exists()


def test_held_out_rows_that_the_pipeline_refuses_are_left_out(
    fitted: Any, frame: pd.DataFrame, tmp_path: Path
) -> None:
    apart = frame.head(20).assign(a=[np.nan, *frame["a"][1:20]])

    package = training.export(
        fitted, frame, out=tmp_path / "p", name="signs", held_out=(apart, apart["a"] > 0)
    )

    assert package.baseline is not None
    assert package.baseline.held_out == 19


@pytest.mark.parametrize(
    ("outcomes", "reason"),
    [
        (["yes"] * ROWS, "an outcome is not a class"),
        ([True], "expected 60 outcomes, one a row, got 1"),
        (np.ones((ROWS, 2), dtype=bool), "outcomes must have 1 columns, got 2"),
    ],
)
def test_outcomes_that_do_not_fit_are_refused(
    fitted: Any, frame: pd.DataFrame, tmp_path: Path, outcomes: Any, reason: str
) -> None:
    with pytest.raises(DataError, match=reason):
        training.export(fitted, frame, out=tmp_path / "p", name="signs", held_out=(frame, outcomes))


def test_held_out_rows_without_a_feature_are_refused(
    fitted: Any, frame: pd.DataFrame, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="held_out: the rows lack column 'b'"):
        training.export(
            fitted, frame, out=tmp_path / "p", name="signs", held_out=(frame[["a"]], None)
        )


def test_several_targets_have_metrics_by_their_names(tmp_path: Path) -> None:
    drawn = np.random.default_rng(4)
    frame = pd.DataFrame({"a": drawn.normal(size=300)})
    both = pd.DataFrame({"up": frame["a"] > 0, "far": frame["a"].abs() > 1})
    pipeline = MultiOutputClassifier(DecisionTreeClassifier(max_depth=3)).fit(frame, both)

    baseline = training.export(
        pipeline,
        frame,
        out=tmp_path / "p",
        name="signs",
        target=["up", "far"],
        held_out=(frame, both),
    ).baseline

    assert baseline is not None
    assert {"up: accuracy", "far: roc_auc"} <= baseline.metrics.keys()
    assert baseline.balance == {name: (300 - n, n) for name, n in both.sum().items()}


def test_what_to_watch_is_kept(frame: pd.DataFrame, tmp_path: Path) -> None:
    table = frame.assign(plan=["free", "paid"] * (ROWS // 2))
    numbers = make_column_transformer((StandardScaler(), ["a", "b"]), (OneHotEncoder(), ["plan"]))
    pipeline = make_pipeline(numbers, LogisticRegression()).fit(table, frame["a"] > 0)
    watching = Watching(groups=("plan",), window_hours=6)

    package = training.export(pipeline, table, out=tmp_path / "p", name="signs", watching=watching)

    assert package.baseline is not None
    assert package.baseline.watching == watching


@pytest.mark.parametrize(
    ("watching", "reason"),
    [
        (
            Watching(groups=("bb",)),
            r"`monitor.groups` names an unknown feature `bb`; did you mean `b`",
        ),
        (
            Watching(segments=("b",)),
            "`monitor.segments` must name categories .* `b` is of kind integer",
        ),
    ],
)
def test_only_categories_can_be_watched_by(
    fitted: Any, frame: pd.DataFrame, tmp_path: Path, watching: Watching, reason: str
) -> None:
    with pytest.raises(DataError, match=reason):
        training.export(fitted, frame, out=tmp_path / "p", name="signs", watching=watching)


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (pd.Series(["x", 1] * (ROWS // 2), dtype=object), "'c' has mixed types"),
        (pd.Series(pd.date_range("2026-01-01", periods=ROWS, tz="UTC")), "'c' has a time zone"),
    ],
    ids=["mixed", "dates with a zone"],
)
def test_a_column_that_no_client_could_send_is_refused_by_name(
    frame: pd.DataFrame, tmp_path: Path, column: "pd.Series[Any]", reason: str
) -> None:
    table = frame.assign(c=column)
    numbers = make_pipeline(FunctionTransformer(np.ones_like), LogisticRegression())
    numbers.fit(frame, frame["a"] > 0).__sklearn_is_fitted__ = lambda: True
    numbers.steps[0][1].feature_names_in_ = np.array(["a", "b", "c"], dtype=object)

    with pytest.raises(DataError, match=reason):
        training.export(numbers, table, out=tmp_path / "p", name="signs")

    assert not (tmp_path / "p").exists()


def test_a_frame_without_a_fitted_column_is_refused(
    fitted: Any, frame: pd.DataFrame, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="'b'"):
        training.export(fitted, frame[["a"]], out=tmp_path / "p", name="signs")


@pytest.mark.parametrize(
    ("estimator", "reason"),
    [(LogisticRegression(), "not a fitted"), (object(), "not a fitted")],
    ids=["not fitted", "no estimator"],
)
def test_what_is_no_fitted_estimator_is_refused(
    frame: pd.DataFrame, tmp_path: Path, estimator: object, reason: str
) -> None:
    with pytest.raises(ConversionRefused, match=reason):
        training.export(estimator, frame, out=tmp_path / "p", name="signs")


def test_what_predicts_nothing_is_refused(frame: pd.DataFrame, tmp_path: Path) -> None:
    scaler = StandardScaler().fit(frame)

    with pytest.raises(ConversionRefused, match="is not a predictor"):
        training.export(scaler, frame, out=tmp_path / "p", name="line")


def test_a_folder_of_something_else_stays_as_it_is(
    fitted: Any, frame: pd.DataFrame, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(PackageRefused, match="not a model package"):
        training.export(fitted, frame, out=tmp_path, name="signs")

    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
