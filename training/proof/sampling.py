"""The rows on which the user's code is followed, and what each step of a pipeline gets of them."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import joblib
import numpy as np
import pandas as pd
from sklearn.preprocessing import FunctionTransformer

from sklambda.codec.codec import EXACT_INTEGER
from sklambda.signature import Kind
from training.convert.graph.scope import Estimator
from training.frames import ClientRow, client_rows
from training.proof.adversary import Budget, Case, adversarial

type Rows = Any  # a data frame, or a series where the pipeline reads texts

_REAL: Final = 90
_HARD: Final = 90
_GAPS: Final = 60
_SEED: Final = 0
_FEW: Final = Budget(rows=200, spread=1, least_spread=1, quantiles=3)


def sample(
    pipeline: Estimator,
    frame: pd.DataFrame,
    kinds: Mapping[str, Kind],
    make: Callable[[Sequence[ClientRow]], Rows],
) -> Rows:
    """Return rows that a pipeline accepts, as its input.

    Categories are known ones: what the code makes of others is found apart.

    Parameters
    ----------
    pipeline : estimator
        Fitted.
    frame : DataFrame
        Shape [N, K]: the rows that it was fitted on.
    kinds : mapping of str to kind
        The features.
    make : callable
        Makes the pipeline's input of client rows.
    """
    rows = client_rows(frame, kinds)
    places = np.linspace(0, len(rows) - 1, min(_REAL, len(rows))).astype(np.intp)
    hard = list(adversarial(rows, kinds, {}, _SEED, _FEW))
    gaps = [case for case in hard if case.group == "missing"]
    others = [case for case in hard if case.group in ("boundaries", "extremes")]
    chosen = [rows[place] for place in places.tolist()]
    chosen += [case.row for case in (*_drawn(gaps, _GAPS), *_drawn(others, _HARD)) if _fits(case)]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return make(_accepted(pipeline, make, chosen))


def _drawn(cases: Sequence[Case], most: int) -> list[Case]:
    step = max(1, len(cases) // most)
    return list(cases[::step])


def _fits(case: Case) -> bool:
    """Check whether the codec takes the whole numbers of a row."""
    return not any(
        isinstance(value, int) and abs(value) > EXACT_INTEGER for value in case.row.values()
    )


def _accepted(
    pipeline: Estimator, make: Callable[[Sequence[ClientRow]], Rows], rows: list[ClientRow]
) -> list[ClientRow]:
    """Return the rows that a pipeline scores; halving finds them."""
    try:
        pipeline.predict(make(rows))
    except Exception:  # the user's code may raise anything
        if len(rows) < 2:
            return []
        half = len(rows) // 2
        parts = rows[:half], rows[half:]
        return [row for part in parts for row in _accepted(pipeline, make, part)]
    return rows


class Samples:
    """The input of each step on some rows.

    Parameters
    ----------
    pipeline : estimator
        Fitted.
    rows : callable
        Makes rows that the pipeline accepts; called once.
    """

    def __init__(self, pipeline: Estimator, rows: Callable[[], Rows]) -> None:
        self._pipeline, self._make = pipeline, rows
        self._rows: Rows = None

    def of(self, step: Estimator) -> Rows | None:
        """Return the rows that a step gets; None where it is not run to predict."""
        if self._rows is None:
            self._rows = self._make()
        caught: list[Rows] = []
        with _caught(step, caught), np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with joblib.parallel_config(backend="sequential"):
                self._pipeline.predict(self._rows)
        return caught[0] if caught else None


@contextmanager
def _caught(step: Estimator, caught: list[Rows]) -> Iterator[None]:
    """Catch what a step is called with, before it may change it."""
    name = "func" if isinstance(step, FunctionTransformer) else "transform"
    before = getattr(step, name)

    def catching(rows: Rows, *inputs: Any, **options: Any) -> Any:
        caught.append(rows.copy() if hasattr(rows, "copy") else rows)
        return before(rows, *inputs, **options)

    own = name in vars(step)
    setattr(step, name, catching)
    try:
        yield
    finally:
        if own:
            setattr(step, name, before)
        else:
            delattr(step, name)
