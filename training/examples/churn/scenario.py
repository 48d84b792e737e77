"""Three weeks of customers: a stable one, one of data drift, one of concept drift.

In the second week a campaign brings new customers who pay much by the month: the rows differ, their
outcomes do not. In the third the customers are those of the first week again, and a competitor
attracts the loyal ones: the rows do not differ, their outcomes do.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.examples.churn.sample import generate

type Phase = Literal["stable", "shift", "concept"]

START: Final = datetime(2026, 11, 2, tzinfo=UTC)
"""When the first hour begins: a Monday."""

PHASES: Final[tuple[Phase, ...]] = ("stable", "shift", "concept")
HOURS: Final = 7 * 24
"""How long a phase lasts."""

LABELLED: Final = 0.15
"""The share of the customers whose outcome becomes known."""

_BUSY: Final = 60  # customers in the mean hour
_DRAWN: Final = 4  # customers for each one who comes in the shifted week


@dataclass(frozen=True)
class Hour:
    """The customers of an hour, N of them.

    Attributes
    ----------
    start : datetime
        When it begins, UTC.
    phase : {"stable", "shift", "concept"}
        The phase of the scenario.
    rows : DataFrame
        Shape [N, 19]: the features.
    outcomes : Series of str
        [N], "Yes" for those who will have left.
    labelled : array of bool
        [N], whether the outcome becomes known: drawn independently of the row.
    late : array of int
        [N], how many hours after `start` it does.
    """

    start: datetime
    phase: Phase
    rows: pd.DataFrame
    outcomes: "pd.Series[str]"
    labelled: NDArray[np.bool_]
    late: NDArray[np.int64]


def hours(seed: int = 0) -> Iterator[Hour]:
    """Return the hours of the three weeks in their order, the same ones for the same seed."""
    for week, phase in enumerate(PHASES):
        rng = np.random.default_rng([seed, week])
        counts = rng.poisson(_BUSY * _daily(np.arange(HOURS)))
        table = customers(phase, int(counts.sum()), int(rng.integers(2**32)))
        ends = counts.cumsum()
        for hour, (end, count) in enumerate(zip(ends.tolist(), counts.tolist(), strict=True)):
            start = START + timedelta(hours=week * HOURS + hour)
            yield _hour(start, phase, table.iloc[end - count : end], rng)


def customers(phase: Phase, rows: int, seed: int) -> pd.DataFrame:
    """Return customers of a phase, in the columns of `sample.generate`."""
    rng = np.random.default_rng(seed)
    if phase == "shift":
        drawn = generate(_DRAWN * rows, seed)
        places = rng.choice(len(drawn), rows, replace=False, p=_attracted(drawn))
        return drawn.iloc[np.sort(places)].reset_index(drop=True)
    table = generate(rows, seed)
    if phase == "concept":
        table["Churn"] = np.where(rng.random(rows) < _drawn_away(table), "Yes", "No")
    return table


def _hour(start: datetime, phase: Phase, table: pd.DataFrame, rng: np.random.Generator) -> Hour:
    table = table.reset_index(drop=True)
    return Hour(
        start=start,
        phase=phase,
        rows=table.drop(columns=["customerID", "Churn"]),
        outcomes=table["Churn"],
        labelled=rng.random(len(table)) < LABELLED,
        late=rng.integers(2, 61, len(table)),
    )


def _daily(hour: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the relative load of each hour: least at 3 a.m., most at 3 p.m."""
    return 1 - 0.65 * np.cos((hour % 24 - 3) * np.pi / 12)


def _attracted(table: pd.DataFrame) -> NDArray[np.float64]:
    """Return each customer's probability to join in the campaign, by features alone."""
    new, fast = table["tenure"] <= 12, table["InternetService"] == "Fiber optic"
    weight = np.where(new, 2.5, 1.0) * np.where(fast, 2.5, 1.0)
    weight *= np.where(table["Contract"] == "Month-to-month", 1.5, 1.0)
    shares: NDArray[np.float64] = weight / weight.sum()
    return shares


def _drawn_away(table: pd.DataFrame) -> NDArray[np.float64]:
    """Return each customer's probability to leave for a competitor, greater with tenure."""
    logit = -1.3 + 0.025 * (table["tenure"] - 30) + 0.015 * (table["MonthlyCharges"] - 65)
    logit += 0.6 * (table["Contract"] == "Month-to-month")
    chance: NDArray[np.float64] = 1 / (1 + np.exp(-logit.to_numpy()))
    return chance
