"""Columns of random values, by kind, for `tests.support.kinds`: each is [N] from a generator."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from sklambda.arrays import FloatVector, IntVector

_WORDS = ("good", "bad", "fine", "awful", "nice", "slow", "fast", "room", "food", "Über", "東京")


def decimals(generator: Generator, rows: int) -> FloatVector:
    return np.round(generator.gamma(3, 900, rows), 2)


def integers(generator: Generator, rows: int) -> IntVector:
    return generator.integers(-500, 90_000, rows)


def small_integers(generator: Generator, rows: int) -> IntVector:
    return generator.integers(0, 10, rows)


def booleans(generator: Generator, rows: int) -> NDArray[np.bool_]:
    drawn: NDArray[np.bool_] = generator.random(rows) < 0.4
    return drawn


def categories(generator: Generator, rows: int) -> NDArray[Any]:
    return letters(generator, rows, ("basic", "pro", "team"))


def letters(generator: Generator, rows: int, names: Sequence[str]) -> NDArray[Any]:
    drawn: NDArray[Any] = np.array(names, dtype=object)[generator.integers(0, len(names), rows)]
    return drawn


def texts(generator: Generator, rows: int) -> list[str]:
    return [" ".join(generator.choice(_WORDS, 7).tolist()) for _ in range(rows)]


def dates(generator: Generator, rows: int) -> "pd.Series[Any]":
    days = pd.to_timedelta(generator.integers(0, 900, rows), "D")
    moments: pd.Series[Any] = pd.Series(pd.Timestamp("2023-05-01") + days).astype("datetime64[s]")
    return moments
