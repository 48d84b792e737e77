"""The explainer of a package: found in its graph, proven on it, and the weights of features.

Where the scores have a closed form, its tables are served.
"""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklambda.arrays import Flags, FloatMatrix, FloatVector, IntVector
from sklambda.codec.codec import Codec
from sklambda.decision import TOLERANCE, row_differences
from sklambda.explain.closed_form import Arrays, Exact, ExactShapley, Link, apply_link
from sklambda.explain.explainer import Explainer, owners
from sklambda.explain.kernel import contributions
from sklambda.explain.trees import Conditions, Places, TreeTable, Words
from sklambda.session import Session
from sklambda.signature import Signature
from training.explain.additive import Sum, Trees, decomposed
from training.explain.dependence import Features, dependence, spread
from training.explain.ensembles import Boxes, boxes
from training.explain.flow import SCORES, Flow, NoClosedForm
from training.frames import client_rows

_NUMBER: Final = -1
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


def tree_table(
    trees: Trees, places: Mapping[int, int], owners: IntVector, background: FloatMatrix
) -> TreeTable | None:
    """Build the table of some trees; None where they add the same value to every row.

    Parameters
    ----------
    trees : Trees
        The trees.
    places : mapping of int to int
        By column that they look at: where it stands in the prepared matrix.
    owners : ndarray of int, shape [P]
        The feature that each column of the prepared matrix depends on.
    background : FloatMatrix
        Shape [B, P]: the background, prepared.
    """
    values = trees.values
    if trees.leaves.all():
        # What all leaves of a tree share changes no Shapley value, and a leaf of 0 needs no box.
        values = values - _commonest(values)
    boxed = boxes(trees.forest, trees.leaves & values.any(axis=1))
    if boxed is None:
        return None
    columns = np.array([places[column] for column in boxed.column.tolist()])
    order = np.lexsort((columns, owners[columns], boxed.leaf))
    leaf, feature = boxed.leaf[order], owners[columns][order]
    literals = np.flatnonzero(_changes(leaf) | _changes(feature))
    leaves = np.flatnonzero(_changes(leaf[literals]))
    conditions = _conditions(boxed, columns, order)
    starts = literals[: 0 if len(literals) == len(leaf) else None].astype(np.int32)
    return TreeTable(
        conditions=conditions,
        literals=starts,
        features=feature[literals].astype(np.int32),
        background=_background(conditions, starts, len(literals), background),
        leaves=leaves.astype(np.int32),
        values=values[leaf[literals][leaves]],
        mix=trees.mix,
        rows=len(background),
    )


def table_arrays(table: TreeTable) -> dict[str, NDArray[Any]]:
    """Return the arrays of a table by name, as `TreeTable.from_arrays` reads them."""
    conditions = table.conditions
    own = [one.name for one in fields(table) if one.name not in ("conditions", "rows")]
    return {
        **{one.name: getattr(conditions, one.name) for one in fields(conditions)},
        **{name: getattr(table, name) for name in own},
        "rows": np.array(table.rows),
    }


def _background(
    conditions: Conditions, starts: Places, literals: int, background: FloatMatrix
) -> Words:
    """Return the rows of the background for which each literal holds, as bits."""
    words = np.zeros(literals, dtype=np.uint64)
    for place, row in enumerate(background):
        words |= conditions.hold_jointly(row, starts).astype(np.uint64) << np.uint64(place)
    return words


def _commonest(values: FloatMatrix) -> FloatVector:
    rows, counts = np.unique(values, axis=0, return_counts=True)
    common: FloatVector = rows[counts.argmax()]
    return common


def _changes(values: IntVector) -> Flags:
    changed: Flags = np.append(True, values[1:] != values[:-1])
    return changed


def _conditions(boxed: Boxes, columns: IntVector, order: IntVector) -> Conditions:
    members, sets = np.unique(boxed.words[order], axis=0, return_inverse=True)
    sets = np.where(boxed.categorical[order], sets.ravel(), _NUMBER)
    return Conditions(
        columns=columns[order].astype(np.int32),
        low=boxed.low[order],
        high=boxed.high[order],
        missing=boxed.missing[order],
        sets=sets[: None if boxed.categorical.any() else 0].astype(np.int32),
        members=members,
    )


MOST_BYTES: Final = 64 * 2**20
"""How large the tables of a model's trees may be."""

_SAME: Final = 1e-11
_LINKS: Final[Mapping[str, Link]] = {
    "Sigmoid": "sigmoid",
    "Neg": "sigmoid",  # the first step of 1 / (1 + exp(-x))
    "Softmax": "softmax",
    "Exp": "exp",
}


@dataclass(frozen=True, slots=True)
class Explained:
    """The explained scores: a matrix of the graph before the link.

    Attributes
    ----------
    flow : Flow
        The graph.
    link : {"identity", "sigmoid", "softmax", "exp"}
        The function from the explained scores to the scores.
    tensor : str
        A matrix of the graph, [N, W].
    weights : FloatMatrix
        Shape [C, W]: the explained scores are these times the matrix.
    """

    flow: Flow
    link: Link
    tensor: str
    weights: FloatMatrix

    def scores(self, X: FloatMatrix) -> FloatMatrix:
        """Compute the explained scores of rows [N, K] and return [N, C]."""
        return self.flow.values(self.tensor, X) @ self.weights.T


def closed_form(
    flow: Flow, owners: IntVector, background: FloatMatrix, most_bytes: int = MOST_BYTES
) -> tuple[Explained, Exact]:
    """Find the closed form of a model's exact Shapley values.

    Parameters
    ----------
    flow : Flow
        The graph.
    owners : ndarray of int, shape [K]
        The feature that each column of ``X`` belongs to.
    background : FloatMatrix
        Shape [B, K].
    most_bytes : int, optional
        How large the tables of its trees may be.

    Raises
    ------
    NoClosedForm
        The scores have no closed form, or its tables are too large; names the reason.
    """
    depends, reasons = dependence(flow, owners), []
    for explained in _candidates(flow):
        try:
            found = decomposed(flow, depends, explained.tensor, explained.weights)
            exact = _exact(explained, found, depends, background)
        except NoClosedForm as error:
            reasons.append(error)
            continue
        tables = map(table_arrays, exact.tables)
        if sum(array.nbytes for table in tables for array in table.values()) > most_bytes:
            raise NoClosedForm(f"the tables of its trees exceed {most_bytes >> 20} MB")
        return explained, exact
    raise reasons[0]


def _candidates(flow: Flow) -> Iterator[Explained]:
    """Yield the inputs of links that make the scores, the last link first; then the scores."""
    scores = flow.values(SCORES, flow.sample)
    for node in reversed(flow.nodes):
        link = _LINKS.get(node.op_type)
        if link is None or node.input[0] in flow.constants:
            continue
        values = flow.values(node.input[0], flow.sample)
        weights = _weights(values, scores)
        if weights is None:
            continue
        with np.errstate(all="ignore"):
            found = apply_link(link, values @ weights.T)
        if row_differences(scores, found).max() <= _SAME:
            yield Explained(flow, link, node.input[0], weights)
    yield Explained(flow, "identity", SCORES, np.eye(scores.shape[1]))


def _weights(values: FloatMatrix, scores: FloatMatrix) -> FloatMatrix | None:
    if values.ndim != 2 or len(values) != len(scores):
        return None
    if values.shape == scores.shape:
        return np.eye(scores.shape[1])
    if values.shape[1] == 1 and scores.shape[1] == 2:
        # The log-odds of the first class are the opposite of those of the second.
        return np.array([[-1.0], [1.0]])
    return None


def _exact(
    explained: Explained, found: Sum, depends: Mapping[str, Features], background: FloatMatrix
) -> Exact:
    layout = _Layout(depends)
    linear = [layout.columns(name, weights) for name, weights in found.columns.items()]
    weights = np.concatenate([np.zeros((0, len(explained.weights))), *linear])
    places = [layout.places(each.tensor, np.unique(each.forest.columns)) for each in found.trees]
    prepare = explained.flow.cut(layout.parts)
    Z = Session(prepare).run(background)
    tables = [
        tree_table(trees, own, layout.owners, Z)
        for trees, own in zip(found.trees, places, strict=True)
    ]
    return Exact(
        prepare=prepare,
        link=explained.link,
        base=explained.scores(background).mean(axis=0),
        owners=layout.owners,
        weights=weights,
        centre=Z[:, : len(weights)].mean(axis=0),
        tables=tuple(table for table in tables if table is not None),
    )


class _Layout:
    """The columns of tensors in the prepared matrix, and the features that own them."""

    def __init__(self, depends: Mapping[str, Features]) -> None:
        self._depends = depends
        self.parts: list[tuple[str, IntVector]] = []
        self.owners: IntVector = np.empty(0, dtype=np.intp)

    def columns(self, tensor: str, weights: FloatMatrix) -> FloatMatrix:
        """Add the columns of a tensor that count and return their weights, [L, C]."""
        features = spread(self._depends[tensor], weights.shape[1])
        counted = weights.any(axis=0) & features.any(axis=0)
        self._add(tensor, np.flatnonzero(counted), features)
        return weights[:, counted].T

    def places(self, tensor: str, columns: IntVector) -> dict[int, int]:
        """Add columns that trees look at and return where each stands."""
        features = spread(self._depends[tensor], int(columns.max()) + 1)
        if features.ndim == 1 or (features[:, columns].sum(axis=0) > 1).any():
            raise NoClosedForm("trees look at columns that are of several features")
        start = len(self.owners)
        self._add(tensor, columns, features)
        return {column: start + place for place, column in enumerate(columns.tolist())}

    def _add(self, tensor: str, columns: IntVector, features: Features) -> None:
        self.parts.append((tensor, columns))
        # A column of no feature is the same in all rows, so it does not matter whose it is.
        self.owners = np.append(self.owners, features[:, columns].argmax(axis=0))


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
