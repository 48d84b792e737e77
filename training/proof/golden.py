"""The golden rows of a package: replayed wherever it is served."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sklambda.decision import TOLERANCE, labels
from sklambda.manifest import GoldenRow
from training.proof.adversary import Case
from training.proof.equality import Equality
from training.proof.reference import Reference

_DATA: Final = 32
_EDGES: Final = 32
_SEED: Final = 0
_TRIED: Final = 8
"""How many times as many further rows are tried where some of the first depend on rounding."""

_LONG: Final = 10_000
"""How long a text of a golden row may be: they are replayed at each start."""


def golden(reference: Reference, equality: Equality, cases: Sequence[Case]) -> list[GoldenRow]:
    """Return real rows and edge cases with scikit-learn's answers, the same for the same cases.

    A row is passed over if another processor may round it to another label, or further from
    scikit-learn's score than usual. Where too few are left, these are taken too, with a tolerance
    of their own.

    Parameters
    ----------
    reference : Reference
        The answers of scikit-learn.
    equality : Equality
        Compares answers.
    cases : sequence of Case
        The rows to choose from.
    """
    generator = np.random.default_rng(_SEED)
    edges = [case for case in cases if case.group != "data" and not _is_long(case)]
    real_rows = [case for case in cases if case.group == "data"]
    chosen = []
    for pool, count in ((real_rows, _DATA), (edges, _EDGES)):
        places = generator.choice(len(pool), min(count, len(pool)), replace=False)
        chosen += _picked(reference, equality, pool, sorted(places.tolist()))
    return chosen


def _is_long(case: Case) -> bool:
    return any(isinstance(value, str) and len(value) > _LONG for value in case.row.values())


@dataclass(frozen=True, slots=True)
class _Look:
    """A row that may be golden; a firm one has the same answer on every processor."""

    place: int
    row: GoldenRow
    firm: bool


def _picked(
    reference: Reference, equality: Equality, pool: Sequence[Case], places: Sequence[int]
) -> list[GoldenRow]:
    """Return the rows at some places, but others for those that are not firm."""
    looks = _looks(reference, equality, pool, places)
    kept = [look for look in looks if look.firm]
    if len(kept) < len(looks):
        others = np.setdiff1d(np.arange(len(pool)), places)
        more = np.random.default_rng(_SEED).permutation(others)[: _TRIED * len(places)]
        further = _looks(reference, equality, pool, more.tolist())
        ranked = [*(look for look in further if look.firm), *(x for x in looks if not x.firm)]
        kept += ranked[: len(looks) - len(kept)]
    return [look.row for look in sorted(kept, key=lambda look: look.place)]


def _looks(
    reference: Reference, equality: Equality, pool: Sequence[Case], places: Sequence[int]
) -> list[_Look]:
    """Return rows with their answers, without those whose scores or bounds are not finite."""
    cases = [pool[place] for place in places]
    rows = [case.row for case in cases]
    answers = reference.answers(rows)
    named = labels(reference.target, answers.labels)
    bounds = equality.bounds(rows, answers.scores)
    firm = (bounds <= TOLERANCE) & equality.labels_hold(answers.scores, bounds)
    return [
        _Look(
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
            places, cases, answers.scores, named, bounds, firm, strict=True
        )
        if np.isfinite(scores).all() and np.isfinite(bound)
    ]
