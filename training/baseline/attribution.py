"""How much a model makes of each feature."""

from typing import Final

import numpy as np

from sklambda.arrays import FloatMatrix, FloatVector
from sklambda.explain.closed_form import ExactShapley
from sklambda.explain.explainer import Explainer, owners
from sklambda.session import Session
from sklambda.signature import Signature

_SEED: Final = 0
_ROWS: Final = 200
_FEWEST: Final = 20

_LITERALS: Final = 10_000_000
"""How many conditions of leaves are looked at, at most: about five seconds."""

_NUMBERS: Final = 2**22
"""How many numbers the rows hold at most: a text has a column a word."""


def weights(
    signature: Signature, session: Session, explainer: bytes, X: FloatMatrix
) -> dict[str, float]:
    """Weigh the features of a model by what they do to its scores.

    Parameters
    ----------
    signature : Signature
        Of the model.
    session : Session
        The model.
    explainer : bytes
        What explains its scores.
    X : FloatMatrix
        Shape [N, K]: encoded rows, best such as it was not fitted on; up to 200 are taken.

    Returns
    -------
    dict of str to float
        For each feature the mean of its absolute Shapley values, where they have a closed form
        that is soon computed; else how far scores move, in the mean, once the feature's values are
        those of another row (Breiman's permutation, of scores instead of losses). Each score
        counts the same. How much work there is decides between the two, and no clock: the same
        model gives the same weights.
    """
    explained = Explainer.open(explainer, session, signature)
    places = np.random.default_rng(_SEED).permutation(len(X))
    most = _rows(explained)
    if explained.exact is not None and most >= min(_FEWEST, len(X)):
        shapley = ExactShapley(explained.exact, len(signature.features))
        rows = X[places[:most]]
        moved = sum(np.abs(shapley.contributions(row[None])) for row in rows)
    else:
        moved = _permuted(signature, session, X[places[: _narrow(signature)]])
    return dict(zip(signature.names, _shares(np.asarray(moved)).tolist(), strict=True))


def _rows(explained: Explainer) -> int:
    """Tell for how many rows exact values are soon computed."""
    tables = () if explained.exact is None else explained.exact.tables
    literals = sum(len(table.features) for table in tables)
    return min(_ROWS, _LITERALS // max(1, literals))


def _narrow(signature: Signature) -> int:
    return max(_FEWEST, min(_ROWS, _NUMBERS // signature.width))


def _permuted(signature: Signature, session: Session, X: FloatMatrix) -> FloatMatrix:
    """Add up over rows how far each feature moves each score; gives [F, C]."""
    owned, before = owners(signature), session.run(X)
    moved = np.zeros((len(signature.features), before.shape[1]))
    for feature in range(len(moved)):
        other = X.copy()
        other[:, owned == feature] = np.roll(X[:, owned == feature], 1, axis=0)
        moved[feature] = np.abs(session.run(other) - before).sum(axis=0)
    return moved


def _shares(moved: FloatMatrix) -> FloatVector:
    """Average over scores what share of its movement is by each feature; gives [F]."""
    sums = moved.sum(axis=0)
    there = np.isfinite(sums) & (sums > 0)
    if not there.any():
        return np.zeros(len(moved))
    shares: FloatVector = (moved[:, there] / sums[there]).mean(axis=1)
    return shares
