"""The golden rows of a package: real ones and edge cases with scikit-learn's own scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sklambda.decision import TOLERANCE, labels_at
from sklambda.manifest import GoldenRow
from training.proof.adversary import Case
from training.proof.equality import Equality
from training.proof.reference import Reference
from training.proof.surface import NEAR_TIES

_SEED: Final = 0
_DATA: Final = 32
_EDGES: Final = 32
_TRIED: Final = 8
"""How many further rows are tried for each that is refused or depends on rounding."""

_LONG: Final = 10_000
"""The greatest length of a text of a golden row: they are replayed at each start."""


def golden_rows(reference: Reference, equality: Equality, cases: Sequence[Case]) -> list[GoldenRow]:
    """Return real rows and edge cases with scikit-learn's scores, the same for the same cases.

    They are rows that both sides score: scikit-learn scores some that the codec refuses, as one
    with a whole number beyond 2^53, and a package with such a row could not be replayed. A row is
    passed over if another processor may round it to another label, or further from scikit-learn's
    score than usual. Where too few are left, these are taken too, with a tolerance of their own.

    Parameters
    ----------
    reference : Reference
        scikit-learn's side.
    equality : Equality
        Compares predictions.
    cases : sequence of Case
        The rows to choose from.
    """
    generator = np.random.default_rng(_SEED)
    others = ("data", *NEAR_TIES)
    edges = [case for case in cases if case.group not in others and not _is_long(case)]
    real_rows = [case for case in cases if case.group == "data"]
    chosen = []
    for pool, count in ((real_rows, _DATA), (edges, _EDGES)):
        places = generator.choice(len(pool), min(count, len(pool)), replace=False)
        chosen += _picked(reference, equality, pool, sorted(places.tolist()))
    return chosen


def _is_long(case: Case) -> bool:
    return any(isinstance(value, str) and len(value) > _LONG for value in case.row.values())


@dataclass(frozen=True, slots=True)
class _Choice:
    """A row that may be golden; a stable one is the same on every processor."""

    place: int
    row: GoldenRow
    stable: bool


def _picked(
    reference: Reference, equality: Equality, pool: Sequence[Case], places: Sequence[int]
) -> list[GoldenRow]:
    """Return the rows at some places, but others for those that are refused or not stable."""
    choices = _choices(reference, equality, pool, places)
    kept = [choice for choice in choices if choice.stable]
    lacking = len(places) - len(kept)
    if lacking:
        others = np.setdiff1d(np.arange(len(pool)), places)
        more = np.random.default_rng(_SEED).permutation(others)[: _TRIED * lacking]
        further = _choices(reference, equality, pool, more.tolist())
        ranked = [
            *(choice for choice in further if choice.stable),
            *(x for x in choices if not x.stable),
        ]
        kept += ranked[:lacking]
    return [choice.row for choice in sorted(kept, key=lambda choice: choice.place)]


def _choices(
    reference: Reference, equality: Equality, pool: Sequence[Case], places: Sequence[int]
) -> list[_Choice]:
    """Return the rows whose scores and bounds are finite: both sides score them.

    A row that scikit-learn refuses has no score, and one that the codec refuses no bound.
    """
    cases = [pool[place] for place in places]
    rows = [case.row for case in cases]
    predicted = reference.predict(rows)
    named = labels_at(reference.target, predicted.labels)
    bounds = equality.bounds(rows, predicted.scores)
    stable = (bounds <= TOLERANCE) & equality.labels_hold(predicted.scores, bounds)
    return [
        _Choice(
            place,
            GoldenRow(
                name=case.name,
                row=case.row,
                scores=tuple(scores.tolist()),
                labels=label,
                tolerance=float(bound) if bound > TOLERANCE else None,
            ),
            bool(sure),
        )
        for place, case, scores, label, bound, sure in zip(
            places, cases, predicted.scores, named, bounds, stable, strict=True
        )
        if np.isfinite(scores).all() and np.isfinite(bound)
    ]
