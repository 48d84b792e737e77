"""Trees, as one ``ai.onnx.ml`` 5 TreeEnsemble in float64.

https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from operator import itemgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import AttributeProto, TensorProto, numpy_helper

from sklambda.arrays import Flags, FloatMatrix, FloatVector
from training.convert.graph.folding import Chain, Folded, NotMonotone
from training.convert.graph.graph import ML_DOMAIN, Graph, Matrix, Origin
from training.convert.graph.scope import Estimator

BRANCH_MEMBER: Final = 6

_SUM: Final = 1
_NO_TRANSFORM: Final = 0
_BRANCH_LEQ: Final = 0

_CACHED: Final = 16_384
"""Branches of one node, about: a node's trees are passed by all rows before the next node's, and
so they stay in the processor's cache."""

type Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tree:
    """One binary tree, a position for each node; the root is at 0.

    Attributes
    ----------
    left, right : ndarray of int64, shape [nodes]
        Positions of the children; anything at a leaf.
    leaf : ndarray of bool, shape [nodes]
        Whether the node is a leaf.
    feature : ndarray of int64, shape [nodes]
        The column that is compared.
    threshold : ndarray of float64, shape [nodes]
        A value that is not greater goes left.
    missing_left : ndarray of bool, shape [nodes]
        Whether NaN goes left.
    value : ndarray of float64, shape [nodes]
        The value that a leaf adds.
    members : dict of int to ndarray of float64
        By node: the values that go left, for a branch that compares with a set of them. All others
        go right, a missing one too.
    """

    left: Integers
    right: Integers
    leaf: Flags
    feature: Integers
    threshold: FloatVector
    missing_left: Flags
    value: FloatVector
    members: dict[int, FloatVector] = field(default_factory=dict)

    def adding(self, value: FloatVector) -> "Tree":
        """Return the tree with these values of its nodes, [nodes]."""
        return replace(self, value=value)


@dataclass(slots=True)
class Ensemble:
    """Trees in the flat form of the operator: branches and leaves are numbered apart."""

    targets: int
    roots: list[int] = field(default_factory=list)
    branches: int = 0
    leaves: int = 0
    parts: list[dict[str, NDArray[Any]]] = field(default_factory=list)

    def add(self, tree: Tree, target: int | Integers) -> None:
        """Add a tree whose leaves add to the column `target` of the result; one, or by node."""
        if tree.leaf[0]:
            tree = _with_a_branch(tree)
        targets = np.broadcast_to(target, tree.leaf.shape)[tree.leaf]
        self._append(_apart(tree, self.branches, self.leaves) | {"leaf_targetids": targets})

    def _append(self, part: dict[str, NDArray[Any]]) -> None:
        self.roots.append(self.branches)
        self.branches += len(part["nodes_splits"])
        self.leaves += len(part["leaf_weights"])
        self.parts.append(part)

    def node(self, graph: Graph, matrix: Matrix) -> Matrix:
        """Add the ensemble to a graph and return the sums of the leaves, [N, targets]."""
        whole = {
            name: np.concatenate([part[name] for part in self.parts]) for name in self.parts[0]
        }
        matrix = _Comparisons(graph, matrix, whole).folded()
        if len(whole["membership_values"]) == 0:
            del whole["membership_values"]
        sums = graph.node(
            "TreeEnsemble",
            matrix.tensor,
            domain=ML_DOMAIN,
            tree_roots=self.roots,
            n_targets=self.targets,
            aggregate_function=_SUM,
            # Links are nodes of their own: onnxruntime ignores the transform (#26596).
            post_transform=_NO_TRANSFORM,
            **{name: _attribute(name, values) for name, values in whole.items()},
        )
        return matrix.numbers(sums, self.targets)


@dataclass(frozen=True, slots=True)
class _Source:
    """The column that branches compare in place of the one at `place`.

    NaN is put where it is outside of `ends`, where a step before gave NaN.
    """

    place: int
    origin: Origin
    ends: tuple[float, float] | None = None

    @property
    def key(self) -> Hashable:
        return self.origin.base.tensor, self.origin.column, self.ends


def _taken(graph: Graph, sources: Sequence[_Source]) -> Matrix:
    """Pick the columns of the sources, which have one base."""
    picked = graph.take(sources[0].origin.base, [source.origin.column for source in sources])
    if not any(source.ends for source in sources):
        return picked
    ends = np.array([source.ends or (-np.inf, np.inf) for source in sources])
    tensor = picked.tensor
    for operator, bound in (("Less", ends[:, 0]), ("Greater", ends[:, 1])):
        if np.isfinite(bound).any():
            outside = graph.node(operator, picked.tensor, graph.constant([bound]))
            tensor = graph.node("Where", outside, graph.constant(np.nan), tensor)
    return picked.numbers(tensor)


@dataclass(frozen=True, slots=True)
class _Comparisons:
    """The branches of an ensemble, and the matrix whose columns they compare."""

    graph: Graph
    matrix: Matrix
    branches: dict[str, NDArray[Any]]

    def folded(self) -> Matrix:
        """Fold steps that are not exact into the branches; return what these then compare."""
        columns, plain = self.branches["nodes_featureids"], self._plain
        sets = np.unique(columns[~plain])
        used = np.unique(columns[plain]).tolist()
        origins = {place: self.matrix.origin(place) for place in used if place not in sets}
        if all(origin.is_exact for origin in origins.values()):
            return self.matrix
        sources = [self._source(place, origin) for place, origin in origins.items()]
        sources += [_Source(place, Origin(self.matrix, place)) for place in sets.tolist()]
        return self._joined(sources)

    @property
    def _plain(self) -> Flags:
        flags: Flags = self.branches["nodes_modes"] == _BRANCH_LEQ
        return flags

    def _source(self, place: int, origin: Origin) -> _Source:
        """Fold the steps of one column; where that fails, it is compared as it is."""
        if not origin.steps:
            return _Source(place, origin)
        own = np.flatnonzero((self.branches["nodes_featureids"] == place) & self._plain)
        chain = self.graph.once(origin, lambda: Chain(origin))
        try:
            if chain.whole is None:
                return self._coded(place, own, chain)
            splits, missing = self._of(own)
            self._replace(own, chain.folded(chain.whole, splits, missing))
        except NotMonotone:
            return _Source(place, Origin(self.matrix, place))
        return _Source(place, origin, chain.bounds)

    def _of(self, own: Integers) -> tuple[FloatVector, Flags]:
        tracks = self.branches["nodes_missing_value_tracks_true"][own].astype(bool)
        return self.branches["nodes_splits"][own], tracks

    def _replace(self, own: Integers, folded: Folded) -> None:
        branches, missing = self.branches, folded.missing_left
        branches["nodes_splits"][own] = folded.splits
        if folded.swapped:
            missing = ~missing
            for kind in ("nodeids", "leafs"):
                true, false = f"nodes_true{kind}", f"nodes_false{kind}"
                branches[true][own], branches[false][own] = (
                    branches[false][own],
                    branches[true][own],
                )
        branches["nodes_missing_value_tracks_true"][own] = missing

    def _coded(self, place: int, own: Integers, chain: Chain) -> _Source:
        """Number the values of a column that turns, and compare the numbers."""
        splits, _ = self._of(own)
        limits, numbers = np.unique(splits, return_inverse=True)
        bounds, codes, missing = chain.coded(limits)
        self.branches["nodes_splits"][own] = numbers
        origin = chain.origin
        tree = step_tree(origin.column, bounds, codes, missing)
        return _Source(place, Origin(look_up(self.graph, origin.base, [tree]), 0))

    def _joined(self, sources: Sequence[_Source]) -> Matrix:
        """Set the columns of the sources side by side, and renumber the branches."""
        bases: dict[str, list[_Source]] = {}
        for source in sources:
            bases.setdefault(source.origin.base.tensor, []).append(source)
        columns = self.branches["nodes_featureids"]
        place = np.zeros(self.matrix.width, dtype=np.int64)
        if len(bases) == 1 and not any(source.ends for source in sources):
            for source in sources:
                place[source.place] = source.origin.column
            columns[:] = place[columns]
            return sources[0].origin.base
        parts: list[Matrix] = []
        for group in bases.values():
            distinct = {source.key: source for source in group}
            start = sum(part.width for part in parts)
            found = {key: start + position for position, key in enumerate(distinct)}
            for source in group:
                place[source.place] = found[source.key]
            own = tuple(distinct.values())
            parts.append(self.graph.once(tuple(distinct), partial(_taken, self.graph, own)))
        columns[:] = place[columns]
        joined: Matrix = self.graph.once(
            tuple(part.tensor for part in parts), lambda: self.graph.join(parts)
        )
        return joined


_TENSORS: Final = frozenset({"nodes_modes", "nodes_splits", "leaf_weights", "membership_values"})


def _attribute(name: str, values: NDArray[Any]) -> AttributeProto | TensorProto:
    """Return an attribute as `Graph.node` stores it: onnx's helper checks each of millions."""
    if name in _TENSORS:
        return numpy_helper.from_array(values, name)
    return AttributeProto(name=name, type=AttributeProto.INTS, ints=values.tolist())


def _apart(tree: Tree, branches: int, leaves: int) -> dict[str, NDArray[Any]]:
    branch = ~tree.leaf
    number = np.where(
        tree.leaf, leaves + np.cumsum(tree.leaf) - 1, branches + np.cumsum(branch) - 1
    )
    left, right = tree.left[branch], tree.right[branch]
    modes = np.full(len(tree.leaf), _BRANCH_LEQ, dtype=np.uint8)
    modes[list(tree.members)] = BRANCH_MEMBER
    ended = [np.append(tree.members[node], np.nan) for node in sorted(tree.members)]
    return {
        "nodes_featureids": tree.feature[branch],
        "nodes_modes": modes[branch],
        "membership_values": np.concatenate([np.empty(0), *ended]),
        "nodes_splits": tree.threshold[branch],
        "nodes_missing_value_tracks_true": tree.missing_left[branch].astype(np.int64),
        "nodes_truenodeids": number[left],
        "nodes_trueleafs": tree.leaf[left].astype(np.int64),
        "nodes_falsenodeids": number[right],
        "nodes_falseleafs": tree.leaf[right].astype(np.int64),
        "leaf_weights": tree.value[tree.leaf],
    }


def _with_a_branch(tree: Tree) -> Tree:
    """Return a lone leaf as both children of a branch: the operator needs a branch."""
    return Tree(
        left=np.array([1, 0, 0]),
        right=np.array([2, 0, 0]),
        leaf=np.array([False, True, True]),
        feature=np.zeros(3, dtype=np.int64),
        threshold=np.zeros(3),
        missing_left=np.zeros(3, dtype=bool),
        value=np.repeat(tree.value[:1], 3),
    )


def last_left(thresholds: FloatVector) -> FloatVector:
    """Return the greatest float64 that goes left where float32 is compared with a threshold.

    scikit-learn rounds the features to float32. What rounds to the last float32 that is not above
    the threshold ends halfway to the next one, and includes that half where the tie falls back.
    """
    with np.errstate(over="ignore", under="ignore"):
        single = thresholds.astype(np.float32)
        below = np.nextafter(single, np.float32(-np.inf))
        single = np.where(single > thresholds, below, single)
        following = np.nextafter(single, np.float32(np.inf)).astype(np.float64)
    following[np.isposinf(following)] = 2.0**128
    half = (single.astype(np.float64) + following) / 2
    ties_to_it = single.view(np.int32) % 2 == 0
    ends = np.where(ties_to_it, half, np.nextafter(half, -np.inf))
    return np.where(np.isinf(thresholds), thresholds, ends)


def grown(fitted: Estimator, places: Integers | None = None) -> Tree:
    """Read the branches of a fitted ``sklearn.tree._tree.Tree``; its leaves add nothing yet.

    Parameters
    ----------
    fitted : Tree
        The estimator's ``tree_``.
    places : ndarray of int64, optional
        The matrix's column of each feature; without it they are the same.
    """
    leaf = fitted.children_left < 0
    feature = np.where(leaf, 0, fitted.feature)
    return Tree(
        left=fitted.children_left.astype(np.int64),
        right=fitted.children_right.astype(np.int64),
        leaf=leaf,
        feature=feature if places is None else places[feature],
        threshold=last_left(fitted.threshold),
        missing_left=fitted.missing_go_to_left.astype(bool),
        value=np.zeros(len(leaf)),
    )


def constant_leaf(value: float) -> Tree:
    """Return a tree that adds the same value to every row."""
    nothing = np.zeros(1, dtype=np.int64)
    return Tree(
        left=nothing,
        right=nothing,
        leaf=np.array([True]),
        feature=nothing,
        threshold=np.zeros(1),
        missing_left=np.array([False]),
        value=np.array([value]),
    )


@dataclass(frozen=True, slots=True)
class Each[T](Sequence[T]):
    """Members that are made anew at each access: those of a large forest would fill the memory.

    Attributes
    ----------
    sources : sequence
        What they are made of.
    make : callable
        Makes one of them.
    """

    sources: Sequence[Any]
    make: Callable[[Any], T]

    def __getitem__(self, place: Any) -> Any:
        return self.make(self.sources[place])

    def __len__(self) -> int:
        return len(self.sources)


type Grown = Sequence[tuple[Tree, FloatMatrix]]  # each tree with a table [nodes, width]
type Aimed = Iterable[tuple[Tree, int | Integers]]  # each tree with the column it adds to, by node


def gathered(graph: Graph, matrix: Matrix, trees: Grown) -> Matrix:
    """Sum rows of tables, one a leaf, over trees in their order and return [N, width].

    The operator's leaves hold one number, so here that is the row of a table. A copy of the trees
    for each column would give the same and be larger and slower by their number.
    """
    tables = [table[tree.leaf] for tree, table in trees]
    leaves = leaf_numbers(graph, matrix, Each(trees, itemgetter(0)))
    # Over the first axis onnxruntime adds row by row, as scikit-learn does: to the last bit.
    by_tree = graph.node("Transpose", leaves, perm=[1, 0])
    found = graph.node("Gather", graph.constant(np.concatenate(tables)), by_tree, axis=0)
    axis = graph.constant([0], np.int64)
    return matrix.numbers(graph.node("ReduceSum", found, axis, keepdims=0), tables[0].shape[1])


def leaf_numbers(graph: Graph, matrix: Matrix, trees: Sequence[Tree]) -> str:
    """Return each tree's leaf, [N, trees] int64, numbered through the leaves of all trees."""
    starts = np.cumsum([0, *(np.count_nonzero(tree.leaf) for tree in trees)]).tolist()
    numbered = (
        (tree.adding(start + np.cumsum(tree.leaf) - 1.0), start)
        for tree, start in zip(trees, starts, strict=False)
    )
    groups = ([tree for tree, _ in group] for group in _grouped(numbered))
    found = graph.join([look_up(graph, matrix, group) for group in groups])
    return graph.node("Cast", found.tensor, to=TensorProto.INT64)


def totals(graph: Graph, matrix: Matrix, trees: Aimed, width: int) -> Matrix:
    """Sum the leaves of trees, [N, width], in groups and therefore not in the trees' order."""
    sums = [in_order(graph, matrix, group, width) for group in _grouped(trees)]
    if len(sums) == 1:
        return sums[0]
    return matrix.numbers(graph.node("Sum", *(part.tensor for part in sums)), width)


def in_order(graph: Graph, matrix: Matrix, trees: Aimed, width: int) -> Matrix:
    """Sum the leaves of trees, [N, width], one tree after the other."""
    ensemble = Ensemble(width)
    for tree, target in trees:
        ensemble.add(tree, target)
    return ensemble.node(graph, matrix)


def _grouped[T](trees: Iterable[tuple[Tree, T]]) -> Iterator[list[tuple[Tree, T]]]:
    """Split trees into groups that stay in the processor's cache."""
    group: list[tuple[Tree, T]] = []
    branches = 0
    for pair in trees:
        group.append(pair)
        branches += int(np.count_nonzero(~pair[0].leaf))
        if branches >= _CACHED:
            yield group
            group, branches = [], 0
    if group:
        yield group


def step_tree(feature: int, bounds: FloatVector, values: FloatVector, missing: float) -> Tree:
    """Build the tree of a step function of one column.

    Parameters
    ----------
    feature : int
        The column.
    bounds : FloatVector
        Shape [S], ascending; a value that is not greater than a bound is before it.
    values : FloatVector
        Shape [S + 1]: the value up to each bound, and after the last.
    missing : float
        The value for NaN.
    """
    # Nothing but NaN goes left at the root: no number that the codec lets in is -inf.
    nodes: list[tuple[int, int, float, float]] = [(1, 2, -np.inf, 0.0), (0, 0, 0.0, missing)]

    def grow(low: int, high: int) -> int:
        place = len(nodes)
        nodes.append((0, 0, 0.0, float(values[low])))
        if low < high:
            middle = (low + high) // 2
            left, right = grow(low, middle), grow(middle + 1, high)
            nodes[place] = (left, right, float(bounds[middle]), 0.0)
        return place

    grow(0, len(bounds))
    left, right, threshold, value = (np.array(column) for column in zip(*nodes, strict=True))
    return Tree(
        left=left,
        right=right,
        leaf=left == 0,
        feature=np.full(len(nodes), feature),
        threshold=threshold,
        missing_left=np.arange(len(nodes)) == 0,
        value=value,
    )


def look_up(graph: Graph, matrix: Matrix, trees: Sequence[Tree]) -> Matrix:
    """Look up one column of the result by each tree, [N, trees]."""
    aimed = [(tree, target) for target, tree in enumerate(trees)]
    return in_order(graph, matrix, aimed, len(trees))
