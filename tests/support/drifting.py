"""Rows of 30 columns of many kinds, with drifts of known size, and a model of them."""

from collections.abc import Iterator

import numpy as np

from sklambda.arrays import FloatMatrix, FloatVector, IntMatrix
from sklambda.signature import UNSEEN, Feature, Signature, Target
from sklambda.sketch.baseline import Baseline
from sklambda.sketch.sketch import Sketch
from sklambda.sketch.sketcher import Sketcher
from training.baseline.monitoring_files import HeldOut, baseline

NUMBERS = 20
CATEGORIES = (2, 2, 3, 4, 5, 8, 10, 20, 50, 200)
DRIFTS = frozenset({"n00", "n02", "n10", "n14", "n17", "n18", "c5", "c8"})
"""The columns whose distributions are at least 0.1 apart with drift."""

MISSING = "n19"
"""The column with 2 % of missing values, and 25 % with drift."""

SIGNATURE = Signature(
    features=(
        *(Feature(name=f"n{k:02d}", kind="number", nullable=True) for k in range(NUMBERS)),
        *(
            Feature(
                name=f"c{k}",
                kind="category",
                nullable=True,
                accepts_unseen=True,
                vocabulary=tuple(f"v{code}" for code in range(size)),
            )
            for k, size in enumerate(CATEGORIES)
        ),
    ),
    target=Target(task="binary", classes=("no", "yes")),
)


def matrix(rows: int, seed: int, drifted: bool = False) -> FloatMatrix:
    """Draw encoded rows, [N, 30] float64."""
    drawn = np.random.default_rng(seed)
    return np.stack([*_numbers(drawn, rows, drifted), *_categories(drawn, rows, drifted)], axis=1)


def _numbers(drawn: np.random.Generator, n: int, drifted: bool) -> Iterator[FloatVector]:
    shifts = {0: 0.3, 1: 0.08, 2: 0.12} if drifted else {}
    for k in range(10):
        scale = 1 + k / 5
        yield drawn.normal(k + shifts.get(k, 0.0) * scale, scale, n)
    for k in range(10, 14):
        yield drawn.lognormal(0.25 if drifted and k == 10 else 0.0, 1.0, n)
    for k in range(14, 17):
        ages = drawn.integers(18, 90, n).astype(np.float64)
        yield ages + (5.0 if drifted and k == 14 else 0.0)
    yield drawn.poisson(3.5 if drifted else 3.0, n).astype(np.float64)
    yield drawn.exponential(1.5 if drifted else 1.0, n)
    missing = drawn.random(n) < (0.25 if drifted else 0.02)
    yield np.where(missing, np.nan, drawn.normal(0, 1, n))


def _categories(drawn: np.random.Generator, n: int, drifted: bool) -> Iterator[FloatVector]:
    for k, size in enumerate(CATEGORIES):
        chances = 1 / np.arange(1, size + 1)
        if drifted and k in (1, 5, 8):
            chances **= 0.5
        yield drawn.choice(size, n, p=chances / chances.sum()).astype(np.float64)


def answers(X: FloatMatrix) -> tuple[FloatMatrix, IntMatrix]:
    """Return the scores and labels of a model of two columns."""
    chance = 1 / (1 + np.exp(-np.clip(X[:, 0] + X[:, 3] - 3, -20, 20) / 2))
    return np.stack([1 - chance, chance], axis=1), (chance > 0.5).astype(np.intp)[:, None]


def reference(rows: int = 20_000, seed: int = 0) -> Baseline:
    """Return the baseline of rows without drift."""
    X = matrix(rows, seed)
    scores, labels = answers(X)
    return baseline(SIGNATURE, X, HeldOut(scores, labels, labels))


def sketch(base: Baseline, X: FloatMatrix) -> Sketch:
    """Sketch rows and their predictions."""
    return Sketcher(SIGNATURE, base).sketch(X, *answers(X))


def with_unseen(X: FloatMatrix, name: str, rows: int) -> FloatMatrix:
    """Return rows of which the first ones have a category that training did not have."""
    changed = X.copy()
    changed[:rows, SIGNATURE.names.index(name)] = UNSEEN
    return changed
