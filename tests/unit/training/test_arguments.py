"""The arguments of an export are used as they are given, or refused in a sentence that says how."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC

import training
from sklambda.errors import RowsInvalid
from sklambda.package import ModelPackage
from sklambda.predictor import Predictor
from training.errors import ConversionRefused, DataError, QualityGateFailed

GENERATOR: Final = np.random.default_rng(11)
ROWS: Final = 60
FRAME: Final = pd.DataFrame(
    {"a": GENERATOR.normal(size=ROWS), "b": GENERATOR.integers(0, 9, ROWS), "c": [True, False] * 30}
)
LABELS: Final = FRAME["a"] > 0


def scaled() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression())


def exported(folder: Path, pipeline: Any = None, frame: Any = FRAME, **more: Any) -> ModelPackage:
    fitted = scaled().fit(FRAME, LABELS) if pipeline is None else pipeline
    options = {"time_limit": None, "name": "m", "out": folder / "package"} | more
    return training.export(fitted, frame, **options)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"frame": None}, "the rows must be a pandas DataFrame"),
        ({"frame": FRAME["a"].to_numpy()}, "one column of numbers is rows.reshape"),
        ({"frame": FRAME[["a"]]}, "lacks column 'b', .* pass the rows of the fit"),
        ({"frame": FRAME.head(0)}, "has no rows: pass those of the fit"),
        ({"out": None}, "out: must be the path of a folder"),
        ({"target": LABELS}, r"target: must be the name .* got values \(Series\); name it as"),
        ({"target": LABELS.to_numpy()}, r"got values \(ndarray\); name it as target='churn'"),
        ({"target": [LABELS.to_numpy()]}, "got values"),
        ({"target": 3}, "got 3; name it as target='churn'"),
        ({"kinds": ["a"]}, "kinds: must be kinds by column"),
        ({"kinds": {"b": "float"}}, "kinds: 'b' must be of one of number, integer"),
        ({"kinds": {"a": "integer"}}, "kinds: column 'a' is of kind 'number'"),
        ({"row_id": 3}, "row_id: must be the name of a column, got int"),
        ({"row_id": "a"}, "row_id: the pipeline reads 'a'"),
        ({"held_out": FRAME}, r"held_out: must be \(rows, outcomes\) .*, got DataFrame"),
        ({"held_out": (FRAME, LABELS, 1)}, "got tuple of 3"),
        ({"held_out": (None, LABELS)}, "held_out: there are outcomes and no rows"),
        (
            {"held_out": (FRAME.assign(b=FRAME["b"] + 0.5), None)},
            "held_out: column 'b' is of kind 'number', not 'integer': give kinds={'b': 'number'}",
        ),
        ({"held_out": (FRAME.assign(a="x"), None)}, "held_out: column 'a' is of kind 'category'"),
        ({"gates": {"auc": 0.5}}, "gates: unknown metric 'auc'; did you mean `roc_auc`"),
        ({"gates": {"roc_auc": "high"}}, "gates: roc_auc must be a finite number, got 'high'"),
        ({"gates": [0.5]}, "gates: must be numbers by metric"),
        ({"gates": {"roc_auc": 0.5}}, r"gates: need outcomes to measure: pass held_out=\(rows"),
        ({"watching": {"group": []}}, "watching: group: unknown member"),
        ({"metadata": {"gates": {}}}, "metadata: must be a training.RunMetadata, got dict"),
        ({"time_limit": "1 h"}, "time_limit: must be seconds above 0, or None .* got '1 h'"),
        ({"time_limit": -1}, "time_limit: must be seconds above 0"),
        ({"progress": 3}, "progress: must be callable, got int"),
    ],
)
def test_an_argument_that_cannot_be_used_is_refused(
    more: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=sentence):
        exported(tmp_path, **more)

    assert not (tmp_path / "package").exists()


@pytest.mark.parametrize(
    ("pipeline", "sentence"),
    [
        (None, "builtins.NoneType is not a fitted"),
        (LogisticRegression, "is not a fitted scikit-learn estimator: pass one after its fit"),
        (LogisticRegression(), "linear_model.* is not a fitted scikit-learn estimator"),
        (StandardScaler().fit(FRAME), "is not a predictor: pass a pipeline that ends in a model"),
    ],
)
def test_what_is_no_fitted_predictor_is_refused(
    pipeline: Any, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(ConversionRefused, match=sentence):
        training.export(pipeline, FRAME, out=tmp_path / "p", name="m")


def test_whole_numbers_may_become_fractions_and_booleans_numbers(tmp_path: Path) -> None:
    package = exported(tmp_path, kinds={"b": "number", "c": "integer"})

    predictor = Predictor.open(package.path)
    score = predictor.score([{"a": 0.25, "b": 1.5, "c": 1}])[0]

    assert package.signature.kinds == {"a": "number", "b": "number", "c": "integer"}
    row = pd.DataFrame({"a": [0.25], "b": [1.5], "c": [1]})
    np.testing.assert_allclose(score, scaled().fit(FRAME, LABELS).predict_proba(row)[0], rtol=1e-9)
    with pytest.raises(RowsInvalid):
        predictor.score([{"a": 0.25, "b": 1, "c": True}])


def test_strict_categories_of_booleans_sent_as_numbers_are_bounded(tmp_path: Path) -> None:
    encode = ColumnTransformer([("c", OneHotEncoder(), ["c"])], remainder="passthrough")
    pipeline = make_pipeline(encode, LogisticRegression()).fit(FRAME, LABELS)

    predictor = Predictor.open(exported(tmp_path, pipeline, kinds={"c": "integer"}).path)

    row = {"a": 0.25, "b": 1, "c": 0}
    expected = pipeline.predict_proba(pd.DataFrame([row | {"c": False}]))
    np.testing.assert_allclose(predictor.score([row]), expected, rtol=1e-9)
    with pytest.raises(RowsInvalid):
        predictor.score([row | {"c": 2}])


def test_a_row_id_may_stand_in_the_frame_and_be_sent(tmp_path: Path) -> None:
    frame = FRAME.assign(id=[f"r{place}" for place in range(ROWS)])

    package = exported(tmp_path, frame=frame, row_id="id")

    assert package.signature.row_id == "id"
    assert package.signature.names == ("a", "b", "c")
    Predictor.open(package.path).predict([{"a": 0.25, "b": 1, "c": True, "id": "r7"}])


def test_target_and_row_id_are_no_columns_of_an_array_with_names(tmp_path: Path) -> None:
    pipeline = scaled().fit(FRAME.to_numpy(dtype=float), LABELS)
    table = FRAME.assign(id=range(ROWS), y=LABELS)

    package = exported(tmp_path, pipeline, table, row_id="id", target="y")

    assert package.signature.names == ("a", "b", "c")


def test_a_whole_number_may_name_the_target(tmp_path: Path) -> None:
    numbers = FRAME[["a", "b"]].to_numpy()
    table = pd.DataFrame(np.column_stack([numbers, LABELS]))

    package = exported(tmp_path, scaled().fit(numbers, LABELS), table, target=2)

    assert package.signature.target.name == "2"
    assert package.signature.names == ("0", "1")


def test_an_export_has_metrics_gates_and_a_digest_as_a_run_has(tmp_path: Path) -> None:
    gates = {"accuracy": 0.5, "log_loss": 2.0}

    package = exported(tmp_path, held_out=(FRAME.to_numpy(), LABELS), gates=gates)

    assert package.manifest.gates == gates
    assert package.manifest.metrics["accuracy"].value > 0.5
    assert package.manifest.data_digest == training.tables.digest(FRAME)
    with pytest.raises(QualityGateFailed, match="accuracy"):
        exported(tmp_path / "more", held_out=(FRAME, ~LABELS), gates={"accuracy": 0.9})


FORMS: Final[dict[str, Any]] = {
    "array": lambda frame: frame.to_numpy(),
    "lists": lambda frame: frame.to_numpy().tolist(),
    "polars": lambda frame: pl.DataFrame(frame.to_dict("list")),
    "whole numbers as names": lambda frame: frame.set_axis([0, 1], axis=1),
    "float32": lambda frame: frame.astype("float32"),
    "nullable": lambda frame: frame.convert_dtypes(),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_that_a_pipeline_is_fitted_on_are_exported(form: str, tmp_path: Path) -> None:
    frame = FRAME[["a", "b"]]
    rows = FORMS[form](frame)
    pipeline = RandomForestClassifier(4, random_state=0).fit(rows, LABELS)

    package = exported(tmp_path, pipeline, rows)

    sent = frame.astype("float32").astype("float64") if form == "float32" else frame
    values = sent.head(7).to_numpy().tolist()
    scores = Predictor.open(package.path).score(
        [dict(zip(package.signature.names, row, strict=True)) for row in values]
    )
    np.testing.assert_array_equal(scores, pipeline.predict_proba(rows)[:7])


def test_rows_that_mean_something_else_as_a_frame_are_refused(tmp_path: Path) -> None:
    rows = np.array([["1", "x"], ["2", "y"]] * 30, dtype=object)

    def is_array(given: Any) -> Any:
        return np.full((len(given), 1), isinstance(given, np.ndarray))

    pipeline = make_pipeline(
        FunctionTransformer(is_array), RandomForestClassifier(3, random_state=0)
    )
    pipeline.fit(rows, [0, 1] * 30)
    pipeline[-1].fit([[True], [False]] * 30, [0, 1] * 30)

    with pytest.raises(DataError, match="predicts otherwise for rows as ndarray"):
        exported(tmp_path, pipeline, rows)


@pytest.mark.filterwarnings("ignore:The `probability` parameter was deprecated:FutureWarning")
def test_a_package_scores_what_clients_see_without_the_decision_behind(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": np.linspace(-1, 1, 60), "b": np.linspace(2, 0, 60) ** 2})
    outcomes = np.random.default_rng(0).normal(size=60) + frame["a"] > 0.1
    model = SVC(probability=True, random_state=0)
    pipeline = make_pipeline(StandardScaler(), model).fit(frame, outcomes)

    package = exported(tmp_path, pipeline, frame)

    found = Predictor.open(package.path).score(frame.to_dict("records"))  # type: ignore[arg-type]
    np.testing.assert_allclose(found, pipeline.predict_proba(frame), rtol=1e-9)
