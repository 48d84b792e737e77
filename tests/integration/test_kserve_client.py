"""KServe's SDK, both protocols, in JSON and as bytes, over real HTTP."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sklambda.predictor import Predictor
from tests.conftest import REPOSITORY, Trained
from tests.support.numeric_model import train_numeric
from tests.support.served import served
from tests.support.tensors import tensors
from training.frames import client_rows, kinds_of

ROWS = 500
CLIENT = Path(__file__).with_name("kserve_client.py")
PYTHON = REPOSITORY / ".venv-kserve/bin/python3.13"

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="run `make tools` for .venv-kserve")


@pytest.fixture(scope="module")
def numeric(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train_numeric(tmp_path_factory.mktemp("numeric") / "package")


@pytest.fixture(scope="module")
def port(churn: Trained, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with served(churn.package, tmp_path_factory.mktemp("churn") / "log") as port:
        yield port


@pytest.fixture(scope="module")
def numeric_port(numeric: Trained, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with served(numeric.package, tmp_path_factory.mktemp("numeric") / "log") as port:
        yield port


def send(port: int, *requests: dict[str, Any]) -> list[dict[str, Any]]:
    sent = json.dumps([f"http://127.0.0.1:{port}", requests])
    run = subprocess.run([PYTHON, CLIENT], input=sent, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    responses: list[dict[str, Any]] = json.loads(run.stdout)
    return responses


def v1(body: Any, model: str = "churn") -> dict[str, Any]:
    return {"protocol": "v1", "model": model, "body": body}


def v2(model: str, binary: bool, inputs: list[Any], *outputs: str) -> dict[str, Any]:
    return {
        "protocol": "v2",
        "model": model,
        "binary": binary,
        "inputs": inputs,
        "outputs": outputs,
    }


def test_v1_gets_what_scikit_learn_gives(port: int, churn: Trained) -> None:
    frame = churn.frame.head(ROWS)
    rows = client_rows(frame, kinds_of(frame))
    as_lists = [list(row.values()) for row in rows]
    proba = {"instances": rows, "params": {"method": "predict_proba"}}

    by_name, by_order, scores = send(
        port, v1({"instances": rows}), v1({"instances": as_lists}), v1(proba)
    )

    labels = churn.pipeline.predict(frame).tolist()
    assert by_name == by_order == {"ready": True, "predictions": labels}
    expected = churn.pipeline.predict_proba(frame)
    assert np.abs(np.array(scores["predictions"]) - expected).max() <= 1e-9


@pytest.mark.parametrize("binary", [True, False])
def test_v2_gets_what_scikit_learn_gives(port: int, churn: Trained, binary: bool) -> None:
    frame = churn.frame.dropna().head(ROWS)
    found = tensors(Predictor.open(churn.package).package.signature, frame)
    inputs = [(one["name"], one["datatype"], one["shape"], one["data"]) for one in found]

    whole, named = send(
        port, v2("churn", binary, inputs), v2("churn", binary, inputs, "predict", "predict_proba")
    )

    labels, expected = churn.pipeline.predict(frame), churn.pipeline.predict_proba(frame)
    assert whole["outputs"]["label"] == named["outputs"]["predict"] == labels.tolist()
    for scores in (whole["outputs"]["probabilities"], named["outputs"]["predict_proba"]):
        assert np.abs(np.array(scores) - expected).max() <= 1e-9


@pytest.mark.parametrize("binary", [True, False])
def test_one_tensor_for_all_features_gets_what_scikit_learn_gives(
    numeric_port: int, numeric: Trained, binary: bool
) -> None:
    frame = numeric.frame.head(ROWS)
    matrix = frame.astype(float).to_numpy()
    inputs = [("input-0", "FP64", list(matrix.shape), matrix.ravel().tolist())]

    usual, named = send(
        numeric_port,
        v2("numeric", binary, inputs),
        v2("numeric", binary, inputs, "predict_proba"),
    )

    assert usual["outputs"] == {"predict": numeric.pipeline.predict(frame).tolist()}
    found = np.array(named["outputs"]["predict_proba"])
    assert np.abs(found - numeric.pipeline.predict_proba(frame)).max() <= 1e-9


def test_the_reason_of_an_error_is_shown(port: int) -> None:
    one = ("tenure", "INT64", [1], [5])

    rows, tensors_, unknown = send(
        port,
        v1({"instances": [{}, {}]}),
        v2("churn", False, [one]),
        v1({"instances": [1], "other": "secret-4711"}),
    )

    assert "/instances/0/gender is required" in rows["error"]
    assert "/inputs must have a tensor 'gender' (and 17 more)" in tensors_["error"]
    assert "/other is an unknown member" in unknown["error"]
    assert "4711" not in unknown["error"]
