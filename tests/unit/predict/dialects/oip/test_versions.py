"""A requested version serves the request, whatever the split."""

import httpx2
import pytest

from sklambda.package import ModelPackage
from tests.conftest import MODELS, Train, Trained
from tests.support.observed import Observed, observe
from tests.support.tensors import INFER, Tensor

MODEL = "/v2/models/churn"


@pytest.fixture
def other(trained: Train) -> Trained:
    return trained(MODELS[1], None)


@pytest.fixture(params=["split", "shadow"])
def observed(request: pytest.FixtureRequest, churn: Trained, other: Trained) -> Observed:
    """A challenger that serves every caller, or none."""
    return observe(
        churn.package,
        challenger_dir=other.package,
        challenger_share=1.0,
        challenger_mode=request.param,
    )


split_only = pytest.mark.parametrize("observed", ["split"], indirect=True)


def ask(observed: Observed, inputs: list[Tensor], version: str) -> httpx2.Response:
    path = f"{MODEL}/versions/{version}/infer"
    return observed.client.post(path, json={"inputs": inputs})


@split_only
def test_without_a_version_the_challenger_serves(
    observed: Observed, other: Trained, inputs: list[Tensor]
) -> None:
    answer = observed.client.post(INFER, json={"inputs": inputs}).json()

    assert answer["model_version"] == ModelPackage.open(other.package).manifest.id


@split_only
@pytest.mark.parametrize("named", ["churn", "other"])
def test_a_requested_version_serves(
    request: pytest.FixtureRequest, observed: Observed, inputs: list[Tensor], named: str
) -> None:
    model: Trained = request.getfixturevalue(named)
    version = ModelPackage.open(model.package).manifest.id

    answer = ask(observed, inputs, version).json()

    assert answer["model_version"] == version
    scores = next(one["data"] for one in answer["outputs"] if one["name"] == "score")
    frame = model.frame.dropna().head(len(scores))
    expected = model.pipeline.predict_proba(frame)[:, 1]
    assert scores == pytest.approx(expected, abs=1e-9, rel=0)


@split_only
def test_the_metadata_names_both_versions(
    observed: Observed, churn: Trained, other: Trained
) -> None:
    ids = [ModelPackage.open(one.package).manifest.id for one in (churn, other)]

    assert observed.client.get(MODEL).json()["versions"] == ids
    assert observed.client.get(f"{MODEL}/versions/{ids[1]}/ready").status_code == 200


def test_a_version_that_is_not_known_is_not_found(observed: Observed, inputs: list[Tensor]) -> None:
    assert ask(observed, inputs, "0" * 64).status_code == 404


@pytest.mark.parametrize("observed", ["shadow"], indirect=True)
def test_a_shadow_serves_none(observed: Observed, other: Trained, inputs: list[Tensor]) -> None:
    assert ask(observed, inputs, ModelPackage.open(other.package).manifest.id).status_code == 404
