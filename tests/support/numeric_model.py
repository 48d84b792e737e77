"""A model whose features are all numeric: numbers, an integer and a boolean."""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.conftest import Trained
from training.exporter import export


def train_numeric(out: Path, rows: int = 500) -> Trained:
    """Train a classifier of two classes, 0 and 1, and write its package to `out`."""
    generator = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "age": generator.integers(18, 80, rows),
            "income": generator.normal(30_000, 10_000, rows).round(2),
            "member": generator.random(rows) < 0.4,
            "ratio": generator.random(rows),
        }
    )
    target = ((frame["age"] > 40) ^ (frame["income"] > 30_000)).astype(int)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, target)
    package = export(pipeline, frame, out=out, name="numeric", target="y")
    return Trained(pipeline, frame, package.path)
