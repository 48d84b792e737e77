"""The Open Inference Protocol as Triton's own client speaks it, over real HTTP."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from sklambda.predictor import Predictor
from tests.conftest import Trained
from tests.support.served import served
from tests.support.triton import infer, needs_client, request_of
from training.frames import client_rows, kinds_of

ROWS = 500

pytestmark = needs_client


@pytest.fixture(scope="module")
def address(churn: Trained, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service that runs, by host and port."""
    with served(churn.package, tmp_path_factory.mktemp("server") / "log") as port:
        yield f"127.0.0.1:{port}"


@pytest.fixture(scope="module")
def predictor_of_rows(churn: Trained) -> Predictor:
    return Predictor.open(churn.package)


@pytest.fixture(scope="module")
def request_(address: str, churn: Trained, predictor_of_rows: Predictor) -> dict[str, Any]:
    package = predictor_of_rows.package
    version = package.manifest.id
    return request_of(address, package.signature, churn.frame.head(ROWS), version=version)


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("outputs", [[], ["probabilities", "label"]])
def test_the_client_gets_the_scores_of_the_predictor(
    request_: dict[str, Any],
    churn: Trained,
    predictor_of_rows: Predictor,
    binary: bool,
    outputs: list[str],
) -> None:
    frame = churn.frame.head(ROWS)
    expected = predictor_of_rows.score(client_rows(frame, kinds_of(frame)))

    answer = infer(request_ | {"binary": binary, "outputs": outputs})

    assert answer["id"] == "mine"
    found = np.array(answer["outputs"]["probabilities"])
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-9
    assert answer["outputs"]["label"] == churn.pipeline.predict(frame).tolist()


@pytest.mark.parametrize("compression", ["gzip", "deflate"])
def test_the_client_may_compress_both_bodies(request_: dict[str, Any], compression: str) -> None:
    plain = infer(request_ | {"outputs": ["probabilities"]})

    answer = infer(request_ | {"outputs": ["probabilities"], "compression": compression})

    assert answer["outputs"] == plain["outputs"]


def test_the_client_reads_the_metadata_and_the_health(
    request_: dict[str, Any], predictor_of_rows: Predictor
) -> None:
    answer = infer(request_)

    assert (answer["live"], answer["ready"]) == (True, True)
    assert answer["extensions"] == ["binary_tensor_data"]
    names = [tensor["name"] for tensor in answer["metadata"]["inputs"]]
    assert names == list(predictor_of_rows.package.signature.names)


def test_the_client_shows_why_it_was_refused(request_: dict[str, Any]) -> None:
    answer = infer(request_ | {"inputs": request_["inputs"][1:]})

    assert answer["status"] == "422"
    assert answer["message"] == (
        "The request body is invalid: /inputs must have a tensor 'gender'."
    )
