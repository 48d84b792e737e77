"""Dense networks answer as Keras does: to rounding where it computes in float64, too."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sklambda.predictor import Predictor
from tests.conftest import REPOSITORY

PYTHON = REPOSITORY / ".venv-keras/bin/python3.13"
SCRIPT = Path(__file__).with_name("keras_networks.py")
ACTIVATIONS = (  # noqa: SIM905 - in fewer lines
    "linear relu relu6 leaky_relu elu selu sigmoid hard_sigmoid silu hard_silu tanh softplus "
    "softsign mish gelu exponential"
).split()
NETWORKS = [
    *ACTIVATIONS,
    "labels",
    "normalized",
    "rescaled",
    "functional",
    "wrapped classifier",
    "wrapped of two classes",
    "wrapped regressor",
]

ROUNDED = ("leaky_relu", "rescaled", "gelu")
"""Those with a constant, a slope or the root of 2, that TensorFlow rounds to float32 anyway."""

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="run `make tools` for .venv-keras")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("networks")
    paths = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "layers/shared")])
    subprocess.run(
        [PYTHON, SCRIPT, folder, *ACTIVATIONS],
        check=True,
        env=os.environ | {"PYTHONPATH": paths},
        timeout=300,
    )
    return folder


@pytest.fixture(scope="module")
def found(folder: Path) -> dict[str, Any]:
    """What Keras answers, and what was refused, by network."""
    content: dict[str, Any] = json.loads((folder / "found.json").read_text())
    return content


def distance(folder: Path, found: dict[str, Any], name: str) -> float:
    """Return how far the served scores are from Keras's, relative above 1."""
    assert "refused" not in found[name], found[name]
    predictor = Predictor.open(folder / name)
    scores, answers = predictor.score(found[name]["rows"]), np.array(found[name]["answers"])
    parts = len(predictor.package.signature.target.parts)
    if parts:  # Keras gives the probability of each label alone
        scores = scores[:, 1::2]
    elif scores.shape[1] == 2 * answers.shape[1]:
        scores = scores[:, 1:]
    return float((np.abs(scores - answers) / np.maximum(1.0, np.abs(answers))).max())


@pytest.mark.parametrize("name", NETWORKS)
def test_in_float64_the_scores_are_kerass(folder: Path, found: dict[str, Any], name: str) -> None:
    most = 1e-7 if name in ROUNDED else 1e-14

    assert distance(folder, found, f"double {name}") < most


@pytest.mark.parametrize("name", NETWORKS)
def test_the_manifest_says_how_far_float32_is_from_the_scores(
    folder: Path, found: dict[str, Any], name: str
) -> None:
    parity = Predictor.open(folder / name).package.manifest.parity

    assert parity.single_precision is not None
    assert parity.max_difference < 1e-9
    # The rows of the comparison are among those of the frame; Keras's answers depend on the batch.
    assert distance(folder, found, name) < 2 * parity.single_precision + 1e-6 < 1e-5


def test_the_classes_are_those_of_scikeras(folder: Path, found: dict[str, Any]) -> None:
    target = Predictor.open(folder / "wrapped classifier").package.signature.target

    assert target.classes == ("Lima", "Oslo", "Rome")


@pytest.mark.parametrize(
    ("name", "code", "sentence"),
    [
        ("code", 4, "keras.layers.Lambda has no exact conversion: use layers of Activation, Add"),
        ("function", 4, "keras.layers.Dense (activation=<lambda>) has no exact conversion: use "),
        ("recurrent", 4, "keras.layers.Reshape must leave one dimension: use Flatten()"),
        ("huge", 4, "differ by"),
        ("texts", 3, "takes numbers alone: put OneHotEncoder or OrdinalEncoder before it"),
        ("missing", 3, "takes no missing values: put SimpleImputer before it"),
        ("narrow", 3, "the network takes 3 columns, got 2"),
    ],
)
def test_what_cannot_be_proven_is_refused_with_a_remedy(
    found: dict[str, Any], name: str, code: int, sentence: str
) -> None:
    assert found[name]["code"] == code
    assert sentence in found[name]["refused"]
