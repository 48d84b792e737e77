"""Whether exact values are what they claim to be."""

from typing import Final

import numpy as np

from sklambda.arrays import FloatMatrix, FloatVector, IntVector
from sklambda.decision import TOLERANCE, distances
from sklambda.explain.closed_form import Exact, ExactShapley
from sklambda.explain.kernel import contributions
from sklambda.session import Session
from training.explain.exact import Explained
from training.explain.refusal import NoClosedForm

_ROWS: Final = 32
_ENUMERATED: Final = 2
_FEW: Final = 8
"""Up to how many features all of their coalitions are scored, for so many rows."""


def require_exact(
    explained: Explained, exact: Exact, owners: IntVector, background: FloatMatrix
) -> None:
    """Compare exact values of some rows with what the graph itself says.

    They must add up to the explained score, no feature may change what is said to be another's, and
    where there are few features, the values must be those of the scores of all coalitions.

    Parameters
    ----------
    explained : Explained
        What is explained.
    exact : Exact
        Its closed form.
    owners : ndarray of int, shape [K]
        The feature that each column of ``X`` belongs to.
    background : FloatMatrix
        Shape [B, K].

    Raises
    ------
    NoClosedForm
        They are not.
    """
    _require_kept_apart(exact, owners, background)
    shapley = ExactShapley(exact, int(owners.max()) + 1)
    for place, row in enumerate(explained.flow.sample[:_ROWS]):
        values = shapley.contributions(row[None])
        whole = explained.scores(row[None])[0]
        _require_same(whole, exact.base + values.sum(axis=0))
        if len(values) <= _FEW and place < _ENUMERATED:
            most = 2 ** len(values)
            _, found, _ = contributions(explained.scores, row, background, owners, most)
            _require_same(found.ravel(), values.ravel())


def _require_kept_apart(exact: Exact, owners: IntVector, background: FloatMatrix) -> None:
    session = Session(exact.prepare)
    before = session.run(background)
    for feature in range(int(owners.max()) + 1):
        changed = background.copy()
        changed[:, owners == feature] = np.roll(background[:, owners == feature], 1, axis=0)
        others = exact.owners != feature
        if not np.array_equal(before[:, others], session.run(changed)[:, others], equal_nan=True):
            raise NoClosedForm("a feature changes what is another's")


def _require_same(expected: FloatVector, found: FloatVector) -> None:
    if not distances(expected[None], found[None])[0] <= TOLERANCE:
        raise NoClosedForm("the values of a row are not those of its score")
