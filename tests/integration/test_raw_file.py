"""A model trained on trimmed categories scores the file as it came as scikit-learn does."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from functions.batch.__main__ import main
from training.train import data
from training.train.config import load
from training.train.run import run

ROWS = 900
PIPELINE = """
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

def build():
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = ColumnTransformer(
        [("names", encoder, ["work", "home"]), ("age", StandardScaler(), ["age"])]
    )
    return make_pipeline(columns, LogisticRegression())
"""
CONFIGURATION = """
name = "income"
[data]
target = "rich"
path = "raw.csv"
[data.read]
trim = true
missing = ["?"]
[pipeline]
build = "pipeline:build"
"""


def raw() -> str:
    """Return rows with a blank behind each comma, as a census left them."""
    rng = np.random.default_rng(1)
    work = rng.choice(["Private", "State-gov", "Self-emp", "?"], ROWS, p=[0.5, 0.2, 0.2, 0.1])
    home = rng.choice(["Cuba", "Peru", "Chad"], ROWS)
    age = rng.integers(17, 90, ROWS)
    odds = age / 30 - 2 + 2 * (work == "State-gov") - (home == "Peru") + rng.logistic(size=ROWS)
    rich = np.where(odds > 0, ">50K", "<=50K")
    lines = map(", ".join, zip(map(str, age), work, home, rich, strict=True))
    return "\n".join(["age,work,home,rich", *lines, ""])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "raw.csv").write_text(raw())
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    (tmp_path / "train.toml").write_text(CONFIGURATION)
    return tmp_path


def test_the_raw_file_scores_as_scikit_learn_does(folder: Path) -> None:
    package = run(folder / "train.toml", source=None, out=folder / "package").package

    scored = _scored(folder, package.path)

    trimmed = pd.read_csv(folder / "raw.csv", skipinitialspace=True, na_values=["?"])
    settings = load(folder / "train.toml").data
    trained, _ = data.split(data.read(folder / "raw.csv", settings), 0.2, 0)
    pipeline = _pipeline().fit(trained.features, trained.target)
    expected = pipeline.predict_proba(trimmed[["age", "work", "home"]])
    assert scored["label"].tolist() == pipeline.predict(trimmed[["age", "work", "home"]]).tolist()
    found = scored[["probability_<=50K", "probability_>50K"]]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
    assert not scored["warnings"].str.contains("unseen").any()


def _pipeline() -> Pipeline:
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = ColumnTransformer(
        [("names", encoder, ["work", "home"]), ("age", StandardScaler(), ["age"])]
    )
    return make_pipeline(columns, LogisticRegression())


def _scored(folder: Path, package: Path) -> pd.DataFrame:
    main([str(folder / "raw.csv"), "--model", str(package), "--out", str(folder / "scored")])
    [path] = (folder / "scored/scored").iterdir()
    return pd.read_csv(path)
