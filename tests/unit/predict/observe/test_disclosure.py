"""An attacker with the package and the captures learns nothing that the captured features hide."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from functions.predict.observe.capture import Capture
from sklambda.errors import SettingsInvalid
from sklambda.predictor import Predictor
from sklambda.signature import Feature
from tests.conftest import MODELS, Train, Trained
from tests.support.observed import Observed, observe
from training import export

ROWS = 200
TWO_VALUED = [
    "gender",
    "SeniorCitizen",
    "Partner",
    "Dependents",
    "PhoneService",
    "PaperlessBilling",
]

type Row = dict[str, Any]


@pytest.fixture
def rows(churn: Trained) -> list[Row]:
    found: list[Row] = json.loads(
        churn.frame.sample(ROWS, random_state=1).to_json(orient="records")
    )
    return found


def captures(observed: Observed, rows: list[Row]) -> list[Row]:
    """Return the captures of rows without the ids of their predictions."""
    observed.written.clear()
    answer = observed.client.post("/predict", json={"instances": rows})
    assert answer.status_code == 200, answer.text
    records = [record for line in observed.lines("capture") for record in line["records"]]
    return [
        {name: one for name, one in each.items() if name != "prediction_id"} for each in records
    ]


def values_of(predictor: Predictor, name: str) -> list[Any]:
    [feature] = [one for one in predictor.package.signature.features if one.name == name]
    return list(feature.vocabulary) or [0, 1]


@pytest.mark.parametrize("mode", ["raw", "binned"])
@pytest.mark.parametrize("name", TWO_VALUED)
def test_a_redacted_feature_changes_nothing_that_is_captured(
    churn: Trained, predictor: Predictor, rows: list[Row], name: str, mode: str
) -> None:
    observed = observe(churn.package, capture=mode, redact=(name,))
    one, other = values_of(predictor, name)

    first = captures(observed, [row | {name: one} for row in rows])

    assert first == captures(observed, [row | {name: other} for row in rows])
    assert len(first) == ROWS


@pytest.mark.parametrize("name", TWO_VALUED)
def test_a_redacted_feature_is_guessed_no_better_than_by_its_base_rate(
    churn: Trained, predictor: Predictor, rows: list[Row], name: str
) -> None:
    observed = observe(churn.package, capture="raw", redact=(name,))
    values = values_of(predictor, name)
    found = captures(observed, rows)

    hypotheses = [predictor.score([row | {name: value} for row in rows]) for value in values]
    captured = np.array([record["scores"] for record in found])
    distances = np.array([np.abs(one - captured).sum(axis=1) for one in hypotheses])
    truth = np.array([values.index(row[name]) for row in rows])

    hits = int((distances.argmin(axis=0) == truth).sum())
    base = int(np.bincount(truth).max())
    assert hits <= base + 2 * np.sqrt(ROWS) / 2, f"{hits} of {ROWS}, by the base rate {base}"


def test_several_redacted_features_of_all_kinds_change_nothing(
    churn: Trained, rows: list[Row]
) -> None:
    names = ("gender", "tenure", "Contract", "TotalCharges", "PaymentMethod")
    observed = observe(churn.package, capture="raw", redact=names)
    others = [
        row | {name: other[name] for name in names}
        for row, other in zip(rows, rows[1:] + rows[:1], strict=True)
    ]

    assert captures(observed, rows) == captures(observed, others)


@pytest.mark.parametrize("mode", ["raw", "binned"])
def test_with_all_features_redacted_all_captures_are_alike(
    churn: Trained, rows: list[Row], mode: str
) -> None:
    observed = observe(churn.package, capture=mode, redact=tuple(rows[0]))

    found = captures(observed, rows)

    assert len({json.dumps(record) for record in found}) == 1


type Linear = Callable[[str], Path]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    random = np.random.default_rng(7)
    return pd.DataFrame(
        {"age": random.integers(18, 90, 1500), "income": random.gamma(3, 900, 1500).round(2)}
    )


@pytest.fixture(scope="module")
def linear(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Linear:
    """Export a linear model of two numbers, a regressor or a classifier."""
    noise = np.random.default_rng(8).logistic(size=len(table))
    value = 0.03 * (table["age"] - 50) + 0.0004 * (table["income"] - 2700)
    out = tmp_path_factory.mktemp("linear")

    def package(kind: str) -> Path:
        if not (out / kind).exists():
            is_regressor = kind == "regressor"
            model = LinearRegression() if is_regressor else LogisticRegression()
            y = 100 * value + noise if is_regressor else np.where(value + noise > 0, "Yes", "No")
            pipeline = make_pipeline(StandardScaler(), model).fit(table, y)
            export(pipeline, table, out=out / kind, name=kind, target="value")
        return out / kind

    return package


def span(feature: Feature) -> tuple[float, float]:
    assert feature.span is not None
    return feature.span


@pytest.mark.parametrize("kind", ["regressor", "classifier"])
def test_no_row_is_rebuilt_from_binned_captures(
    linear: Linear, table: pd.DataFrame, kind: str
) -> None:
    """For each whole age in its bin, solve for the income that has the captured score."""
    observed = observe(linear(kind), capture="binned")
    predictor = Predictor.open(linear(kind))
    (low, high), (least, most) = map(span, predictor.package.signature.features)
    rows: list[Row] = json.loads(table.sample(ROWS, random_state=5).to_json(orient="records"))

    def value(age: float, income: float) -> float:
        score = predictor.score([{"age": int(age), "income": income}])[0, -1]
        return float(score if kind == "regressor" else np.log(score / (1 - score)))

    origin = value(0, 0)
    by_age, by_income = value(1, 0) - origin, (value(0, 1000) - origin) / 1000
    rebuilt = 0
    for row, record in zip(rows, captures(observed, rows), strict=True):
        score = record["scores"][-1]
        captured = score if kind == "regressor" else np.log(score / (1 - score))
        bins, candidates = record["features"], []
        for age in range(18, 90):
            income = (captured - origin - by_age * age) / by_income
            in_age = min(9, int((age - low) / (high - low) * 10)) == bins["age"]
            in_income = min(9, int((income - least) / (most - least) * 10)) == bins["income"]
            if in_age and in_income:
                candidates.append((age, income))
        if len(candidates) == 1:
            age, income = candidates[0]
            near_age = abs(age - row["age"]) <= (high - low) / 100
            rebuilt += near_age and abs(income - row["income"]) <= (most - least) / 100
    assert rebuilt == 0


def test_rows_of_the_same_bins_have_the_same_score(linear: Linear) -> None:
    observed = observe(linear("regressor"), capture="binned")
    rows = [{"age": age, "income": income} for age in (26, 29, 32) for income in (2500.0, 2999.5)]

    found = captures(observed, rows)

    assert len({json.dumps(record["features"]) for record in found}) == 1
    assert len({json.dumps(record) for record in found}) == 1


def test_a_label_shows_a_part_of_the_bins_only_where_it_is_common(linear: Linear) -> None:
    """A score has at most two values in a cell of bins, one for each label."""
    observed = observe(linear("classifier"), capture="binned")
    random = np.random.default_rng(1)
    rows = [
        {"age": int(random.integers(47, 54)), "income": float(random.uniform(2700, 3900))}
        for _ in range(ROWS)
    ]

    by_bins: dict[str, set[str]] = {}
    for record in captures(observed, rows):
        seen = by_bins.setdefault(json.dumps(record["features"]), set())
        seen.add(json.dumps([record["scores"], record["label"]]))

    assert max(map(len, by_bins.values())) <= 2


def test_the_log_of_a_request_tells_no_more_than_its_capture(
    churn: Trained, predictor: Predictor, rows: list[Row]
) -> None:
    observed = observe(churn.package, capture="raw", redact=("gender",), metrics_namespace="here")
    one, other = ([rows[0] | {"gender": value}] for value in ("Female", "Male"))

    def counted(rows: list[Row]) -> list[Any]:
        captures(observed, rows)
        [line] = observed.lines("request")
        return [line["score"], line["score_bins"]]

    assert counted(one) == counted(other)


@pytest.fixture(scope="module")
def other(trained: Train) -> Trained:
    return trained(MODELS[1], None)


@pytest.mark.parametrize("mode", ["raw", "binned"])
@pytest.mark.parametrize("served", ["shadow", "split"])
def test_a_challenger_tells_no_more(
    churn: Trained, other: Trained, rows: list[Row], mode: str, served: str
) -> None:
    observed = observe(
        churn.package,
        capture=mode,
        redact=("gender",),
        challenger_dir=other.package,
        challenger_mode=served,
        challenger_share=1.0,
    )

    def told(value: str) -> list[Any]:
        found: list[Any] = captures(observed, [row | {"gender": value} for row in rows])
        for line in observed.lines("shadow"):
            found += [[one["differences"], one["same_label"]] for one in line["records"]]
        return found

    first = told("Female")

    assert first == told("Male")
    assert len(first) == ROWS * (2 if served == "shadow" else 1)


def test_a_warning_of_a_redacted_feature_is_counted_nowhere(
    churn: Trained, rows: list[Row]
) -> None:
    observed = observe(churn.package, capture="raw", redact=("tenure",), metrics_namespace="here")

    captures(observed, [rows[0] | {"tenure": 999}])

    [line] = observed.lines("request")
    assert "warning_out_of_range" not in line


def test_without_redaction_raw_captures_have_the_scores_of_the_response(
    churn: Trained, predictor: Predictor, rows: list[Row]
) -> None:
    found = captures(observe(churn.package, capture="raw"), rows)

    assert [record["scores"] for record in found] == predictor.score(rows).tolist()


@pytest.mark.parametrize("settings", [{"capture": "binned"}, {"capture": "raw", "redact": ("a",)}])
@pytest.mark.parametrize("model", [GaussianNB(), GaussianMixture(2, random_state=0)], ids=str)
def test_a_model_whose_graph_cannot_run_on_no_rows_is_captured(
    tmp_path: Path, settings: Row, model: Any
) -> None:
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["a", "b"])
    target = ["side"] if isinstance(model, GaussianNB) else []
    fitted = model.fit(frame, np.where(frame["a"] > 0, "Yes", "No"))
    package = export(fitted, frame, out=tmp_path / "package", name="sides", target=target)
    observed = observe(package.path, **settings)

    assert len(captures(observed, [{"a": 0.5, "b": 0.25}])) == 1


def test_redaction_holds_in_metrics_and_shadows_without_captures(
    churn: Trained, rows: list[Row]
) -> None:
    observed = observe(
        churn.package,
        redact=("gender",),
        metrics_namespace="Tests",
        challenger_dir=churn.package,
        challenger_mode="shadow",
        challenger_share=1.0,
    )

    told = []
    for gender in ("Female", "Male"):
        observed.written.clear()
        observed.client.post("/predict", json={"instances": [rows[0] | {"gender": gender}]})
        [measured], [shadow] = observed.lines("request"), observed.lines("shadow")
        told.append((measured["score"], shadow["records"][0]["differences"]))

    assert told[0] == told[1]


def test_an_unknown_redacted_feature_is_refused_without_captures(churn: Trained) -> None:
    with pytest.raises(SettingsInvalid, match="REDACT must name features of the model, got 'age'"):
        observe(churn.package, redact=("age",))


def test_what_fails_to_observe_an_answer_does_not_prevent_it(
    churn: Trained, rows: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    observed = observe(churn.package, capture="raw")
    monkeypatch.setattr(Capture, "__call__", lambda *_: 1 / 0)

    answer = observed.client.post("/predict", json={"instances": rows[:1]})

    assert answer.status_code == 200
    [line] = [line for line in observed.logged() if line["message"] == "observation failed"]
    assert line["error"] == "ZeroDivisionError"
