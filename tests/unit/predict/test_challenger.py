"""A challenger is compared or serves a share of the callers; its failure changes no response."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from functions.predict.challenger import Split, incompatibility
from functions.predict.http.exchange import Caller
from functions.predict.model import PredictionRequest, PredictionResponse, ServedModel
from functions.predict.service import Service
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
    headers = {"x-request-id": "same"}
    alone = observe(churn.package)
    observed = observe(churn.package, challenger_dir=other.package, challenger_share=1.0)

    body = observed.client.post("/predict", json={"instances": rows}, headers=headers).json()

    assert body == alone.client.post("/predict", json={"instances": rows}, headers=headers).json()
    [line] = observed.lines("shadow")
    assert line["champion"] == body["model"]["id"] != line["challenger"]
    again = Predictor.open(other.package).predict(rows)
    for comparison, one, two in zip(line["records"], body["predictions"], again, strict=True):
        assert comparison["prediction_id"] == one["prediction_id"]
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
        "/predict", json={"instances": [row]}, headers={"x-request-id": name}
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
    champion, broken = ServedModel(Predictor(package)), ServedModel(Broken(package), "challenger")
    observed = observe(churn.package)
    lines = Log("failing", "INFO", observed.log)
    service = Service(champion, split=Split(champion, broken, 1.0, lines))

    response: PredictionResponse = service.predict(PredictionRequest([row], Caller("r")))

    assert response.model is champion
    [line] = observed.logged()
    assert (line["message"], line["error"]) == ("challenger failed", "RuntimeError")
    assert "Month-to-month" not in observed.log.getvalue()


def test_a_challenger_with_another_signature_is_refused(churn: Trained, tmp_path: Path) -> None:
    frame = churn.frame.drop(columns=["gender"])
    narrow = build(model=MODELS[1]).fit(frame, churn.pipeline.predict(churn.frame))
    package = export(narrow, frame, out=tmp_path / "narrow", name="churn", target="Churn")

    observed = observe(churn.package, challenger_dir=package.path)

    [line] = observed.logged()
    assert line["message"] == "challenger refused"
    assert line["reason"] == "its signature differs from the champion's"


def test_an_absent_challenger_is_refused_and_the_champion_serves(
    churn: Trained, row: dict[str, Any], tmp_path: Path
) -> None:
    observed = observe(churn.package, challenger_dir=tmp_path / "none")

    assert observed.client.post("/predict", json={"instances": [row]}).status_code == 200
    assert observed.logged()[0]["message"] == "challenger refused"


def test_a_challenger_whose_golden_rows_fail_is_refused(
    predictor: Predictor,
) -> None:
    whole = predictor.package
    wrong = GoldenRow(name="odd", row=whole.golden[0].row, scores=(0.5, 0.5), labels=("No",))
    broken = ServedModel(Predictor(replace(whole, golden=(wrong,))), "challenger")

    assert "'odd'" in str(incompatibility(ServedModel(predictor), broken))
