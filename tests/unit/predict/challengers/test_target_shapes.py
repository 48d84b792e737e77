"""Whatever its target, a package as champion or challenger leaves a service that answers."""

from pathlib import Path
from typing import Any

import pytest

from functions.predict.challengers.admission import admission
from functions.predict.model import ServedModel
from sklambda.predictor import Predictor
from tests.support.observed import Observed, observe
from tests.support.target_shapes import SHAPES, package

ROWS = [{"a": 0.3, "b": -1.2}, {"a": 1.5, "b": 0.0}]
INTERCHANGEABLE = [
    {"two classes", "a threshold"},
    {"several outputs", "wrapped outputs"},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shapes")


def pair(folder: Path, champion: str, challenger: str, mode: str) -> Observed:
    return observe(
        package(champion, folder),
        challenger_dir=package(challenger, folder),
        challenger_mode=mode,
        challenger_share=1.0,
    )


def answers(observed: Observed) -> list[Any]:
    """Ask in each dialect."""
    client = observed.client
    name = client.get("/model").json()["manifest"]["name"]
    inputs = [
        {"name": key, "shape": [2], "datatype": "FP64", "data": [row[key] for row in ROWS]}
        for key in ("a", "b")
    ]
    return [
        client.post("/predict", json={"instances": ROWS}),
        client.post("/predict?explain=true", json={"instances": ROWS[:1]}),
        client.post("/invocations", json={"instances": ROWS}),
        client.post(f"/v2/models/{name}/infer", json={"inputs": inputs}),
    ]


@pytest.mark.parametrize("champion", SHAPES)
def test_the_same_shape_is_admitted_and_another_one_refused(folder: Path, champion: str) -> None:
    model = ServedModel(Predictor.open(package(champion, folder)))
    for challenger in SHAPES:
        verdict = admission(Predictor.open(package(challenger, folder)), model)

        same = champion == challenger or {champion, challenger} in INTERCHANGEABLE
        assert (verdict.challenger is not None) == same, (challenger, verdict.refusals)
        assert all(reason.startswith("target") for reason in verdict.refusals), challenger


@pytest.mark.parametrize("mode", ["shadow", "split"])
@pytest.mark.parametrize("champion", SHAPES)
def test_a_service_answers_beside_a_challenger_of_another_shape(
    folder: Path, champion: str, mode: str
) -> None:
    names = [*SHAPES]
    challenger = names[(names.index(champion) + 3) % len(names)]
    observed = pair(folder, champion, challenger, mode)

    assert [response.status_code for response in answers(observed)] == [200] * 4
    assert observed.client.get("/health/ready").json()["challenger"]["status"] == "refused"


@pytest.mark.parametrize("mode", ["shadow", "split"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_challenger_that_is_the_champion_gives_its_answers(
    folder: Path, shape: str, mode: str
) -> None:
    alone = observe(package(shape, folder))
    observed = pair(folder, shape, shape, mode)

    assert observed.client.get("/model").json()["challenger"]["status"] == "admitted"
    for one, two in zip(answers(alone), answers(observed), strict=True):
        ids = ("prediction_id", "explanation")
        assert without(one.json(), *ids) == without(two.json(), *ids)


def without(document: Any, *names: str) -> Any:
    """Return a document without what holds the id of a request."""
    if isinstance(document, list):
        kept = [one for one in document if not (isinstance(one, dict) and one.get("name") in names)]
        return [without(one, *names) for one in kept]
    if isinstance(document, dict):
        return {k: without(v, *names) for k, v in document.items() if k not in names}
    return document
