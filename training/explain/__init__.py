"""The explainer of a package: found in its graph, proven on it, and the weights of features."""

import io
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklambda.arrays import FloatMatrix, FloatVector, IntVector
from sklambda.codec.codec import Codec
from sklambda.decision import TOLERANCE, row_differences
from sklambda.explain.closed_form import Arrays, Exact, ExactShapley
from sklambda.explain.explainer import Explainer, owners
from sklambda.explain.kernel import contributions
from sklambda.session import Session
from sklambda.signature import Signature
from training.explain.exact import Explained, closed_form, table_arrays
from training.explain.flow import Flow, NoClosedForm
from training.frames import client_rows

_SEED: Final = 0
_SAMPLE: Final = 256
_MOST_ROWS: Final = 64
"""The greatest number of rows of the background: `TreeTable` has a word of 64 bits for them."""

_NUMBERS: Final = 2**22
"""The greatest number of values in a matrix of rows: a text has a column for each word."""

_PROVEN_ROWS: Final = 32
_ENUMERATED: Final = 2
_FEW: Final = 8
"""Up to this number of features all of their coalitions are scored, for `_ENUMERATED` rows."""

_WEIGHT_ROWS: Final = 200
_FEWEST: Final = 20

_LITERALS: Final = 10_000_000
"""The greatest number of conditions of leaves to evaluate: about five seconds."""


def explainer_file(model: bytes, signature: Signature, frame: pd.DataFrame) -> bytes:
    """Build the file with which a package explains its scores.

    Parameters
    ----------
    model : bytes
        The graph of the package.
    signature : Signature
        Its inputs and its target.
    frame : DataFrame
        Shape [N, F]: the rows that the model was fitted on.

    Returns
    -------
    bytes
        A file for `sklambda.explain.explainer.Explainer.open`.
    """
    generator, most = np.random.default_rng(_SEED), max(1, _NUMBERS // signature.width)
    places = generator.permutation(len(frame))[: min(_SAMPLE, most)]
    sample = Codec(signature).encode(client_rows(frame.iloc[places], signature.kinds))
    background = sample[: min(_MOST_ROWS, most // 4 + 1)]
    return _npz({"background": background, **_found(model, signature, sample, background)})


def _found(
    model: bytes, signature: Signature, sample: FloatMatrix, background: FloatMatrix
) -> Arrays:
    owned = owners(signature)
    try:
        explained, exact = closed_form(Flow(model, sample), owned, background)
        require_exact(explained, exact, owned, background)
    except NoClosedForm as error:
        return {"reason": np.array(str(error))}
    return _arrays(exact)


def _arrays(exact: Exact) -> dict[str, NDArray[Any]]:
    """Return the arrays of a closed form by name, as `Exact.from_arrays` reads them."""
    tables = enumerate(map(table_arrays, exact.tables))
    return {
        "prepare": np.frombuffer(exact.prepare, dtype=np.uint8),
        "link": np.array(exact.link),
        "tables": np.array(len(exact.tables)),
        "base": exact.base,
        "owners": exact.owners,
        "weights": exact.weights,
        "centre": exact.centre,
        **{f"tree{place}_{name}": array for place, one in tables for name, array in one.items()},
    }


def _npz(arrays: Arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def require_exact(
    explained: Explained, exact: Exact, owners: IntVector, background: FloatMatrix
) -> None:
    """Check exact values of some rows against the graph.

    They must add up to the explained score, no feature may change a column of another, and where
    features are few, the values must be those of the scores of all coalitions.

    Parameters
    ----------
    explained : Explained
        The explained scores.
    exact : Exact
        Its closed form.
    owners : ndarray of int, shape [K]
        The feature that each column of ``X`` belongs to.
    background : FloatMatrix
        Shape [B, K].

    Raises
    ------
    NoClosedForm
        A check fails.
    """
    _require_kept_apart(exact, owners, background)
    shapley = ExactShapley(exact, int(owners.max()) + 1)
    for place, row in enumerate(explained.flow.sample[:_PROVEN_ROWS]):
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
    if not row_differences(expected[None], found[None])[0] <= TOLERANCE:
        raise NoClosedForm("the values of a row are not those of its score")


def feature_weights(
    signature: Signature, session: Session, explainer: bytes, X: FloatMatrix
) -> dict[str, float]:
    """Return the weights of a model's features: their mean effect on its scores.

    Parameters
    ----------
    signature : Signature
        Of the model.
    session : Session
        The model.
    explainer : bytes
        Its explainer file.
    X : FloatMatrix
        Shape [N, K]: encoded rows, preferably held out; up to 200 are used.

    Returns
    -------
    dict of str to float
        For each feature the mean of its absolute Shapley values, where they have a closed form
        that is cheap; else the mean change of the scores with the feature's values of another row
        (Breiman's permutation, of scores instead of losses). Each score counts the same. The
        amount of work decides between the two, not a clock: the same model has the same weights.
    """
    explained = Explainer.open(explainer, session, signature)
    places = np.random.default_rng(_SEED).permutation(len(X))
    most = _exact_rows(explained)
    if explained.exact is not None and most >= min(_FEWEST, len(X)):
        shapley = ExactShapley(explained.exact, len(signature.features))
        rows = X[places[:most]]
        moved = sum(np.abs(shapley.contributions(row[None])) for row in rows)
    else:
        moved = _permuted(signature, session, X[places[: _permuted_rows(signature)]])
    return dict(zip(signature.names, _shares(np.asarray(moved)).tolist(), strict=True))


def _exact_rows(explained: Explainer) -> int:
    """Return the number of rows for which exact values are cheap."""
    tables = () if explained.exact is None else explained.exact.tables
    literals = sum(len(table.features) for table in tables)
    return min(_WEIGHT_ROWS, _LITERALS // max(1, literals))


def _permuted_rows(signature: Signature) -> int:
    return max(_FEWEST, min(_WEIGHT_ROWS, _NUMBERS // signature.width))


def _permuted(signature: Signature, session: Session, X: FloatMatrix) -> FloatMatrix:
    """Sum over rows the change of each score by each feature, [F, C]."""
    owned, before = owners(signature), session.run(X)
    moved = np.zeros((len(signature.features), before.shape[1]))
    for feature in range(len(moved)):
        other = X.copy()
        other[:, owned == feature] = np.roll(X[:, owned == feature], 1, axis=0)
        moved[feature] = np.abs(session.run(other) - before).sum(axis=0)
    return moved


def _shares(moved: FloatMatrix) -> FloatVector:
    """Average over scores the share of each feature in its changes, [F]."""
    sums = moved.sum(axis=0)
    there = np.isfinite(sums) & (sums > 0)
    if not there.any():
        return np.zeros(len(moved))
    shares: FloatVector = (moved[:, there] / sums[there]).mean(axis=1)
    return shares
