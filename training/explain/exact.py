"""The closed form of a model's scores, where there is one, and the tables that serve it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sklambda.arrays import Flags, FloatMatrix, FloatVector, IntVector
from sklambda.decision import row_differences
from sklambda.explain.closed_form import Exact, Link, apply_link
from sklambda.explain.trees import Conditions, Places, TreeTable, Words
from sklambda.session import Session
from training.explain.additive import Sum, Trees, decomposed
from training.explain.dependence import Features, dependence, spread
from training.explain.ensembles import Boxes, Forest, boxes, is_ensemble, leaf_count
from training.explain.flow import SCORES, Flow, NoClosedForm

_NUMBER: Final = -1


def tree_table(
    trees: Trees,
    places: Mapping[int, int],
    owners: IntVector,
    background: FloatMatrix,
    most_bytes: int,
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
    most_bytes : int
        How large the table may be.
    """
    values = trees.values
    if trees.leaves.all():
        # What all leaves of a tree share changes no Shapley value, and a leaf of 0 needs no box.
        values = values - _commonest(values)
    wanted = trees.leaves & values.any(axis=1)
    if _least_bytes(trees.forest, wanted) > most_bytes:
        raise _too_large(most_bytes)
    boxed = boxes(trees.forest, wanted)
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


def _least_bytes(forest: Forest, wanted: Flags) -> int:
    """Return no more than the bytes of the table of some leaves, [M], which is not made for it."""
    conditions = forest.least_conditions()[wanted & ~forest.doubled]
    leaves = int(np.count_nonzero(conditions))
    return _LEAF_BYTES * leaves + _CONDITION_BYTES * int(conditions.sum())


def _too_large(most_bytes: int) -> NoClosedForm:
    return NoClosedForm(f"the tables of its trees exceed {most_bytes >> 20} MB")


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

_LEAF_BYTES: Final = 28
"""The fewest bytes of a leaf in a table, beside its conditions: its place, a value, a literal."""

_CONDITION_BYTES: Final = 21
"""The bytes of a condition: a column, two ends and what is missing."""

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
    leaves = sum(leaf_count(node) for node in flow.nodes if is_ensemble(node))
    if leaves * (_LEAF_BYTES + _CONDITION_BYTES) > most_bytes:
        raise _too_large(most_bytes)
    depends, reasons = dependence(flow, owners), []
    for explained in _candidates(flow):
        try:
            found = decomposed(flow, depends, explained.tensor, explained.weights)
            exact = _exact(explained, found, depends, background, most_bytes)
        except NoClosedForm as error:
            reasons.append(error)
            continue
        tables = map(table_arrays, exact.tables)
        if sum(array.nbytes for table in tables for array in table.values()) > most_bytes:
            raise _too_large(most_bytes)
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
    explained: Explained,
    found: Sum,
    depends: Mapping[str, Features],
    background: FloatMatrix,
    most_bytes: int,
) -> Exact:
    layout = _Layout(depends)
    linear = [layout.columns(name, weights) for name, weights in found.columns.items()]
    weights = np.concatenate([np.zeros((0, len(explained.weights))), *linear])
    places = [layout.places(each.tensor, np.unique(each.forest.columns)) for each in found.trees]
    prepare = explained.flow.cut(layout.parts)
    Z = Session(prepare).run(background)
    tables = [
        tree_table(trees, own, layout.owners, Z, most_bytes)
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
