"""A challenger is compared or serves a share of the callers; its failure changes no response."""

import json
import shutil
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from functions.predict.challengers.admission import admission
from functions.predict.challengers.model import Challenger
from functions.predict.challengers.modes import Shadow, Split
from functions.predict.http.exchange import Caller
from functions.predict.model import PredictionRequest, PredictionResponse, ServedModel
from functions.predict.service import Service
from sklambda.errors import Fault, FaultCode, RowsInvalid
from sklambda.manifest import GoldenRow
from sklambda.package import ModelPackage
from sklambda.predictor import Predictor
from sklambda.telemetry import Log
from tests.conftest import MODELS, Train, Trained
from tests.support.observed import observe
from training.examples.churn.pipeline import build
from training.exporter import export


@pytest.fixture(scope="module")
def other(trained: Train) -> Trained:
    return trained(MODELS[1], None)


@pytest.fixture
def row(predictor: Predictor) -> dict[str, Any]:
    return dict(predictor.package.signature.example)


def test_a_shadow_changes_no_response_and_logs_the_differences(
    churn: Trained, other: Trained, row: dict[str, Any]
) -> None:
    rows = [row, row | {"tenure": 70}]
    alone = observe(churn.package)
    observed = observe(churn.package, challenger_dir=other.package, challenger_share=1.0)

    body = observed.client.post("/predict", json={"instances": rows}).json()

    without = alone.client.post("/predict", json={"instances": rows}).json()
    ids = [[one.pop("prediction_id") for one in each["predictions"]] for each in (body, without)]
    assert body == without
    [line] = observed.lines("shadow")
    assert line["champion"] == body["model"]["id"] != line["challenger"]
    again = Predictor.open(other.package).predict(rows)
    assert [each["prediction_id"] for each in line["records"]] == ids[0]
    for comparison, one, two in zip(line["records"], body["predictions"], again, strict=True):
        assert comparison["differences"][1] == pytest.approx(two.score - one["score"])
        assert comparison["same_label"] == (two.label == one["label"])


def test_a_shadow_scores_a_share_of_the_rows(
    churn: Trained, other: Trained, row: dict[str, Any]
) -> None:
    observed = observe(churn.package, challenger_dir=other.package, challenger_share=0.2)

    observed.client.post("/predict", json={"instances": [row] * 500})

    [line] = observed.lines("shadow")
    assert 60 < len(line["records"]) < 140


def model_of(observed: Any, row: dict[str, Any], name: str) -> str:
    body = observed.client.post(
        "/predict", json={"instances": [row]}, headers={"x-split-key": name}
    ).json()
    return str(body["model"]["id"])


def test_a_split_gives_each_caller_one_model_and_names_it(
    churn: Trained, other: Trained, row: dict[str, Any]
) -> None:
    observed = observe(
        churn.package,
        challenger_dir=other.package,
        challenger_share=0.5,
        challenger_mode="split",
        capture="raw",
    )
    names = [f"caller-{k}" for k in range(40)]

    first = [model_of(observed, row, name) for name in names]

    assert [model_of(observed, row, name) for name in names] == first
    challenger = ModelPackage.open(other.package).manifest.id
    assert 8 < first.count(challenger) < 32
    roles = {line["model"]: line["role"] for line in observed.lines("capture")}
    assert roles[challenger] == "challenger"


class Broken(Predictor):
    """Fails on single rows: its golden rows are replayed together."""

    def encode(self, rows: Any) -> Any:
        if len(rows) == 1:
            raise RuntimeError(f"went wrong at {rows[0]}")
        return super().encode(rows)


def test_the_champion_serves_where_the_challenger_fails(
    churn: Trained, row: dict[str, Any]
) -> None:
    package = ModelPackage.open(churn.package)
    champion = ServedModel(Predictor(package))
    broken = Challenger(Broken(package), champion)
    observed = observe(churn.package)
    lines = Log("failing", "INFO", observed.log)
    service = Service(champion, split=Split(champion, broken, 1.0, lines))

    response: PredictionResponse = service.predict(PredictionRequest([row], Caller("r")))

    assert response.model is champion
    [line] = observed.logged()
    assert (line["message"], line["error"]) == ("challenger failed", "RuntimeError")
    assert "Month-to-month" not in observed.log.getvalue()


@pytest.fixture(scope="module")
def narrow(churn: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package that does not use one of the features."""
    frame = churn.frame.drop(columns=["gender"])
    pipeline = build(model=MODELS[1]).fit(frame, churn.pipeline.predict(churn.frame))
    out = tmp_path_factory.mktemp("narrow") / "package"
    return export(pipeline, frame, out=out, name="churn", target="Churn").path


def test_a_challenger_with_fewer_features_answers_and_explains(
    churn: Trained, narrow: Path, row: dict[str, Any]
) -> None:
    observed = observe(
        churn.package, challenger_dir=narrow, challenger_share=1.0, challenger_mode="split"
    )

    body = observed.client.post("/predict?explain=true", json={"instances": [row]}).json()

    other = Predictor.open(narrow)
    own = other.package.signature.names
    assert body["model"]["id"] == other.package.manifest.id
    [expected] = other.predict([{name: row[name] for name in own}])
    assert body["predictions"][0]["score"] == expected.score
    [explanation] = body["predictions"][0]["explanations"]
    assert list(explanation["contributions"]) == list(row)
    assert explanation["contributions"]["gender"] == 0.0


def test_a_refusal_is_said_in_log_model_readiness_and_metric(
    churn: Trained, narrow: Path, row: dict[str, Any]
) -> None:
    observed = observe(narrow, challenger_dir=churn.package, metrics_namespace="here")
    reason = "feature 'gender': is required, and no feature of the champion"

    [line] = observed.logged()
    assert (line["message"], line["reason"]) == ("challenger refused", reason)
    refused = {"status": "refused", "id": ModelPackage.open(churn.package).manifest.id}
    for path in ("/model", "/health/ready"):
        response = observed.client.get(path)
        assert response.status_code == 200
        assert response.json()["challenger"] == refused | {"reasons": [reason]}
    [start] = observed.lines("challenger")
    [directive] = start["_aws"]["CloudWatchMetrics"]
    assert directive["Metrics"] == [{"Name": "challenger_refused", "Unit": "Count"}]
    assert (start["model"], start["challenger_refused"]) == ("churn", 1)


def test_an_admission_is_said_too(churn: Trained, other: Trained) -> None:
    observed = observe(churn.package, challenger_dir=other.package, metrics_namespace="here")

    name = ModelPackage.open(other.package).manifest.id
    for path in ("/model", "/health/ready"):
        card = observed.client.get(path).json()["challenger"]
        assert (card["status"], card["id"], card["name"]) == ("admitted", name, "churn")
    assert observed.lines("challenger")[0]["challenger_refused"] == 0


def test_without_a_challenger_nothing_is_said(churn: Trained) -> None:
    client = observe(churn.package).client

    assert "challenger" not in client.get("/model").json()
    assert "challenger" not in client.get("/health/ready").json()


def test_an_absent_challenger_is_refused_and_the_champion_serves(
    churn: Trained, row: dict[str, Any], tmp_path: Path
) -> None:
    observed = observe(churn.package, challenger_dir=tmp_path / "none")

    assert observed.client.post("/predict", json={"instances": [row]}).status_code == 200
    assert observed.logged()[0]["message"] == "challenger refused"
    [reason] = observed.client.get("/model").json()["challenger"]["reasons"]
    assert reason == "the package is no model package: manifest.json cannot be read"


def test_a_challenger_whose_golden_rows_fail_is_refused(
    predictor: Predictor,
) -> None:
    whole = predictor.package
    wrong = GoldenRow(name="odd", row=whole.golden[0].row, scores=(0.5, 0.5), labels=("No",))
    broken = Predictor(replace(whole, golden=(wrong,)))

    refused = admission(broken, ServedModel(predictor))

    assert refused.challenger is None
    assert "golden row 'odd'" in refused.refusals[0]


class Tight(Predictor):
    """Refuses a tenure above 50, but for its golden rows: these are replayed together."""

    def encode(self, rows: Any) -> Any:
        high = [k for k, row in enumerate(rows) if row["tenure"] > 50]
        if high and len(rows) < 10:
            raise RowsInvalid([Fault(k, "tenure", FaultCode.TOO_LARGE, "is high") for k in high])
        return super().encode(rows)


def test_a_request_with_a_row_that_the_challenger_refuses_stays_with_the_champion(
    churn: Trained, row: dict[str, Any]
) -> None:
    package = ModelPackage.open(churn.package)
    champion = ServedModel(Predictor(package))
    split = Split(champion, Challenger(Tight(package), champion), 1.0, Log("never", "INFO"))
    low, high = row | {"tenure": 3}, row | {"tenure": 60}

    responses = [split(PredictionRequest(rows, Caller("r"))) for rows in ([low], [low, high])]

    assert [response.model.role for response in responses] == ["challenger", "champion"]


def test_a_row_that_the_champion_refuses_is_refused_for_every_caller(
    churn: Trained, other: Trained, row: dict[str, Any]
) -> None:
    alone = observe(churn.package)
    observed = observe(
        churn.package, challenger_dir=other.package, challenger_share=1.0, challenger_mode="split"
    )
    body = {"instances": [row | {"tenure": "x"}]}

    one, two = (each.client.post("/predict", json=body) for each in (alone, observed))

    assert (two.status_code, two.json()) == (422, one.json())


def test_rows_that_the_challenger_refuses_are_said_in_the_shadow(
    churn: Trained, row: dict[str, Any]
) -> None:
    package = ModelPackage.open(churn.package)
    champion = ServedModel(Predictor(package))
    written: list[bytes] = []
    shadow = Shadow(Challenger(Tight(package), champion), 1.0, Log("never", "INFO"), written.append)
    request = PredictionRequest(
        [row | {"tenure": 60}, row | {"tenure": 3}], Caller("r", request_part="r")
    )

    shadow(request, champion.predict(request))

    [line] = map(json.loads, written)
    refused = [{"feature": "tenure", "code": "too_large"}]
    assert line["records"] == [
        {"prediction_id": "r-0", "refused": refused},
        {"prediction_id": "r-1", "differences": [0.0, 0.0], "same_label": True},
    ]


def damaged(package: Path, out: Path) -> Path:
    """Copy a package and damage its explainer, which no prediction reads."""
    shutil.copytree(package, out)
    (out / "explainer.npz").write_bytes(b"damaged")
    return out


def test_a_challenger_that_cannot_explain_after_all_leaves_it_to_the_champion(
    churn: Trained, other: Trained, row: dict[str, Any], tmp_path: Path
) -> None:
    champion = ServedModel(Predictor.open(churn.package))
    package = damaged(other.package, tmp_path / "damaged")
    challenger = Challenger(Predictor.open(package), champion)
    lines = StringIO()
    split = Split(champion, challenger, 1.0, Log("damaged", "INFO", lines))
    service = Service(champion, split=split)
    service.load_explainers()

    response = service.predict(PredictionRequest([row], Caller("r"), explain=True))

    assert (response.model, len(response.explanations)) == (champion, 1)
    assert json.loads(lines.getvalue())["message"] == "challenger failed"
