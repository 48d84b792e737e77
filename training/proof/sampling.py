"""The rows on which the user's code is followed, and what each step of a pipeline gets of them."""

import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from itertools import chain
from typing import Any, Final

import joblib
import numpy as np
import pandas as pd
from sklearn.preprocessing import FunctionTransformer

from sklambda.codec.codec import EXACT_INTEGER
from sklambda.signature import Kind
from training.convert.graph.scope import Estimator
from training.convert.tracing.row_checks import Sample
from training.frames import ClientRow
from training.proof.adversary import Budget, Case, adversarial

type Rows = Any  # a data frame, or a series where the pipeline reads texts

_REAL: Final = 90
_HARD: Final = 90
_GAPS: Final = 60
_FEW_NUMBERS: Final = 100
_MOST_REAL: Final = 400
_SEED: Final = 0
_FEW: Final = Budget(rows=200, spread=1, least_spread=1, quantiles=3)


def sample_rows(rows: Sequence[ClientRow], kinds: Mapping[str, Kind]) -> list[ClientRow]:
    """Return some of the real rows, and adversarial ones.

    Categories are known ones: what the code makes of others is found apart.
    """
    places = np.linspace(0, len(rows) - 1, min(_REAL, len(rows))).astype(np.intp)
    hard = list(adversarial(rows, kinds, {}, _SEED, _FEW))
    gaps = [case for case in hard if case.group == "missing"]
    others = [case for case in hard if case.group in ("boundaries", "extremes")]
    counted = [name for name, kind in kinds.items() if kind == "integer"]
    firsts = sorted((_firsts(rows, name) for name in counted), key=len)
    wanted = dict.fromkeys([*places.tolist(), *chain.from_iterable(firsts)])
    chosen = [rows[place] for place in sorted(list(wanted)[:_MOST_REAL])]
    dates = [name for name, kind in kinds.items() if kind == "datetime"]  # none is ever missing
    chosen += [
        case.row
        for case in (*_drawn(gaps, _GAPS), *_drawn(others, _HARD))
        if _fits(case) and all(case.row[name] is not None for name in dates)
    ]
    return chosen


def _firsts(rows: Sequence[ClientRow], name: str) -> list[int]:
    """Return the places of the first row with each whole number, where these are few."""
    first: dict[object, int] = {}
    for place, row in enumerate(rows):
        first.setdefault(row[name], place)
    return list(first.values()) if len(first) <= _FEW_NUMBERS else []


def _drawn[T](items: Sequence[T], most: int) -> list[T]:
    step = max(1, len(items) // most)
    return list(items[::step])


def _fits(case: Case) -> bool:
    """Check whether the codec takes the whole numbers of a row."""
    return not any(
        isinstance(value, int) and abs(value) > EXACT_INTEGER for value in case.row.values()
    )


class Samples:
    """The input of each step on some rows.

    Parameters
    ----------
    pipeline : estimator
        Fitted.
    rows : callable
        Makes rows as clients send them; called once, where a step runs the user's code.
    make : callable
        Makes the pipeline's input of such rows.
    whole : collection of str
        The columns of whole numbers of which none is missing in training.
    """

    def __init__(
        self,
        pipeline: Estimator,
        rows: Callable[[], list[ClientRow]],
        make: Callable[[Sequence[ClientRow]], Rows],
        whole: Collection[str] = (),
    ) -> None:
        self._pipeline, self._rows, self._make = pipeline, rows, make
        self._whole = frozenset(whole)

    def of(self, step: Estimator) -> Sample | None:
        """Return what a step gets; None where it is not run to predict."""
        caught: list[Rows] = []
        accepted = self._kept
        if accepted:
            with _quiet(), _replaced(step, _catching(caught)):
                self._pipeline.predict(self._make(accepted))
        accepts = partial(self._accepts, step)
        return Sample(caught[0], accepts, self._whole) if caught else None

    def _accepts(self, step: Estimator, column: int, number: Any) -> bool:
        """Check whether the later steps accept a value in a column of what a step returns."""
        with _quiet(), _replaced(step, _setting(column, number)):
            try:
                self._pipeline.predict(self._make(self._kept[:1]))
            except Exception:  # any step may be the user's
                return False
        return True

    @cached_property
    def _kept(self) -> list[ClientRow]:
        with _quiet():
            return self._accepted(self._rows())

    def _accepted(self, rows: list[ClientRow]) -> list[ClientRow]:
        """Return the rows that the pipeline scores; halving finds them."""
        try:
            self._pipeline.predict(self._make(rows))
        except Exception:  # the user's code may raise anything
            if len(rows) < 2:
                return []
            half = len(rows) // 2
            parts = rows[:half], rows[half:]
            return [row for part in parts for row in self._accepted(part)]
        return rows


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        with joblib.parallel_config(backend="sequential"):
            yield


type _Step = Callable[..., Any]


@contextmanager
def _replaced(step: Estimator, wrapped: Callable[[_Step], _Step]) -> Iterator[None]:
    """Let a step be called through another function."""
    name = "func" if isinstance(step, FunctionTransformer) else "transform"
    before, own = getattr(step, name), name in vars(step)
    setattr(step, name, wrapped(before))
    try:
        yield
    finally:
        if own:
            setattr(step, name, before)
        else:
            delattr(step, name)


def _catching(caught: list[Rows]) -> Callable[[_Step], _Step]:
    """Keep what a step is called with, before it may change it."""

    def wrapped(before: _Step) -> _Step:
        def call(rows: Rows, *inputs: Any, **options: Any) -> Any:
            caught.append(rows.copy() if hasattr(rows, "copy") else rows)
            return before(rows, *inputs, **options)

        return call

    return wrapped


def _setting(column: int, number: Any) -> Callable[[_Step], _Step]:
    """Set a number in a column of what a step returns."""

    def wrapped(before: _Step) -> _Step:
        def call(*inputs: Any, **options: Any) -> Any:
            found = before(*inputs, **options)
            if isinstance(found, pd.DataFrame):
                changed = found.copy()
                like = found.dtypes.iloc[column]
                plain = isinstance(like, np.dtype) and like.kind in "biuf"
                values = np.full(len(found), number) if plain else [number] * len(found)
                made: Any = pd.Series(values, found.index, None if plain else like)
                changed.isetitem(column, made)
                return changed
            array = np.array(found, dtype=object if np.asarray(found).dtype == object else float)
            array.reshape(len(array), -1)[:, column] = number
            return array

        return call

    return wrapped
