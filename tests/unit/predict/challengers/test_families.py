"""Models of other families, trained on one table, are admitted as challengers of each other."""

from pathlib import Path

import pytest

from functions.predict.challengers.admission import admission
from functions.predict.http.exchange import Caller
from functions.predict.model import PredictionRequest, ServedModel
from sklambda.predictor import Predictor
from tests.support import kinds
from tests.support.families import fitted
from training.exporter import export

FAMILIES = ("linear", "forest", "gradient boosting", "boosted trees", "thresholded")


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    table = kinds.table("5 columns of all kinds", seed=3, target="yes or no")
    out = tmp_path_factory.mktemp("families")
    found = {}
    for place, family in enumerate(FAMILIES):
        model = fitted(family, table)
        package = export(model, table.features, out=out / f"{place}", name="m", target="y")
        found[family] = package.path
    return found


@pytest.mark.parametrize("challenger", FAMILIES)
@pytest.mark.parametrize("champion", FAMILIES)
def test_a_family_challenges_another(
    packages: dict[str, Path], champion: str, challenger: str
) -> None:
    model = ServedModel(Predictor.open(packages[champion]))
    other = Predictor.open(packages[challenger])

    found = admission(other, model)

    assert found.challenger is not None, found.refusals
    rows = [model.signature.example]
    response = found.challenger.predict(PredictionRequest(rows, Caller("r")))
    assert response.scores.tolist() == other.score(rows).tolist()
