"""Scores as a weighted sum: of columns that each depend on one feature, and of trees.

The sum is followed backwards through a graph, from the scores to the inputs. It is the graph that
is served, so that the result holds for any estimator.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto
from typing_extensions import TypeIs

from sklambda.arrays import FloatMatrix
from training.explain.dependence import Features, spread
from training.explain.ensembles import Forest, is_ensemble
from training.explain.flow import Flow, NoClosedForm, attributes

_NOTHING: Final = 1e-12

type _Shares = Iterator[tuple[str, FloatMatrix]]
type _Rule = Callable[[NodeProto, FloatMatrix, Flow], _Shares]


def shares(node: NodeProto, weights: FloatMatrix, flow: Flow) -> _Shares:
    """Return the weights of a node's operands, by the weights [C, W] of its result.

    Parameters
    ----------
    node : NodeProto
        A node of the graph that makes a matrix [N, W].
    weights : FloatMatrix
        Shape [C, W].
    flow : Flow
        The graph.

    Returns
    -------
    iterator of str and FloatMatrix
        Tensors that are not constant, with the weights of their columns.

    Raises
    ------
    NoClosedForm
        The result is not a weighted sum of the operands.
    """
    if node.op_type not in _RULES:
        raise NoClosedForm(f"{node.op_type} of several features stands in the way")
    return _RULES[node.op_type](node, weights, flow)


def _one(name: str, weights: FloatMatrix, flow: Flow) -> tuple[str, FloatMatrix]:
    """Return the share of an operand, which may have one column for all."""
    alone = weights.shape[1] > 1 and flow.width(name) == 1
    return name, weights.sum(axis=1, keepdims=True) if alone else weights


def _sum(node: NodeProto, weights: FloatMatrix, flow: Flow) -> _Shares:
    for name in node.input:
        if name not in flow.constants:
            yield _one(name, weights, flow)


def _difference(node: NodeProto, weights: FloatMatrix, flow: Flow) -> _Shares:
    for name, sign in zip(node.input, (1.0, -1.0), strict=True):
        if name not in flow.constants:
            yield _one(name, sign * weights, flow)


def _product(node: NodeProto, weights: FloatMatrix, flow: Flow) -> _Shares:
    constants = [flow.constants[name] for name in node.input if name in flow.constants]
    names = [name for name in node.input if name not in flow.constants]
    if len(names) != 1:
        raise NoClosedForm("a product of features stands in the way")
    yield _one(names[0], weights * _row(constants[0]), flow)


def _quotient(node: NodeProto, weights: FloatMatrix, flow: Flow) -> _Shares:
    name, divisor = node.input
    if divisor not in flow.constants:
        raise NoClosedForm("a quotient of features stands in the way")
    yield _one(name, weights / _row(flow.constants[divisor]), flow)


def _row(constant: NDArray[Any]) -> FloatMatrix:
    if constant.size not in (1, constant.shape[-1] if constant.ndim else 1):
        raise NoClosedForm("a constant is no row")
    return constant.reshape(1, -1)


def _matrix_product(node: NodeProto, weights: FloatMatrix, flow: Flow) -> _Shares:
    name, factors = node.input[0], flow.constants.get(node.input[1])
    # A third operand, of Gemm, is what is added.
    plain = factors is not None and factors.ndim == 2 and not node.attribute
    if not plain or any(other not in flow.constants for other in node.input[2:]):
        raise NoClosedForm("a product of features stands in the way")
    yield name, weights @ flow.constants[node.input[1]].T


def _picked(node: NodeProto, weights: FloatMatrix, flow: Flow) -> _Shares:
    name, columns = node.input[0], flow.constants.get(node.input[1])
    if attributes(node).get("axis") != 1 or columns is None or columns.ndim != 1:
        raise NoClosedForm("a table stands in the way")
    spread = np.zeros((flow.width(name), len(weights)))
    np.add.at(spread, columns, weights.T)
    yield name, spread.T


def _side_by_side(node: NodeProto, weights: FloatMatrix, flow: Flow) -> _Shares:
    start = 0
    for name in node.input:
        width = flow.width(name)
        yield name, weights[:, start : start + width]
        start += width


def _total(node: NodeProto, weights: FloatMatrix, flow: Flow) -> _Shares:
    axes = flow.constants.get(node.input[1])
    if axes is None or axes.tolist() != [1] or attributes(node).get("keepdims") != 1:
        raise NoClosedForm("a sum of another kind stands in the way")
    yield node.input[0], np.repeat(weights, flow.width(node.input[0]), axis=1)


def _same(node: NodeProto, weights: FloatMatrix, flow: Flow) -> _Shares:
    yield node.input[0], weights


def _opposite(node: NodeProto, weights: FloatMatrix, flow: Flow) -> _Shares:
    yield node.input[0], -weights


def _sign(node: NodeProto, weights: FloatMatrix, flow: Flow) -> _Shares:
    """Drop the term that breaks ties towards a class: it is below the compared digits."""
    if np.abs(weights).max() > _NOTHING:
        raise NoClosedForm("a sign stands in the way")
    yield from ()


_RULES: Final[dict[str, _Rule]] = {
    "Add": _sum,
    "Concat": _side_by_side,
    "Div": _quotient,
    "Gather": _picked,
    "Gemm": _matrix_product,
    "Identity": _same,
    "MatMul": _matrix_product,
    "Mul": _product,
    "Neg": _opposite,
    "ReduceSum": _total,
    "Sign": _sign,
    "Sub": _difference,
    "Sum": _sum,
}

type Pending = dict[str, FloatMatrix]  # by tensor, the weights [C, W] of its columns


@dataclass(frozen=True, slots=True)
class Trees:
    """A term of the sum: the values that trees add.

    Attributes
    ----------
    tensor : str
        The tensor that they compare, [N, K].
    forest : Forest
        The trees.
    leaves : ndarray of bool, shape [M]
        Those of its leaves that count here.
    values : FloatMatrix
        Shape [M, V]: the values that each leaf adds.
    mix : FloatMatrix
        Shape [C, V]: the weights of these values.
    """

    tensor: str
    forest: Forest
    leaves: NDArray[np.bool_]
    values: FloatMatrix
    mix: FloatMatrix


@dataclass(slots=True)
class Sum:
    """The sum, but for a constant.

    Attributes
    ----------
    columns : dict of str to FloatMatrix
        By tensor: the weights of its columns, [C, W], which each depend on one feature.
    trees : list of Trees
        The other terms.
    """

    columns: Pending = field(default_factory=dict)
    trees: list[Trees] = field(default_factory=list)


def decomposed(
    flow: Flow, depends: Mapping[str, Features], tensor: str, weights: FloatMatrix
) -> Sum:
    """Decompose ``weights`` times a tensor into a sum.

    Parameters
    ----------
    flow : Flow
        The graph.
    depends : mapping of str to Features
        The result of `dependence` for it.
    tensor : str
        A matrix of the graph, [N, W].
    weights : FloatMatrix
        Shape [C, W].

    Raises
    ------
    NoClosedForm
        The product is not such a sum.
    """
    found, pending = Sum(), {tensor: weights}
    _settle(found, pending, depends)
    for node in reversed(flow.nodes):
        for name in pending.keys() & set(node.output):
            _follow(node, pending.pop(name), flow, found, pending)
            _settle(found, pending, depends)
    found.trees = [_joined(group) for group in _alike(found.trees)]
    return found


def _follow(
    node: NodeProto, weights: FloatMatrix, flow: Flow, found: Sum, pending: Pending
) -> None:
    """Replace the result of a node by its operands."""
    if is_ensemble(node):
        found.trees += _by_target(node, weights)
    elif looked_up := _looked_up(node, weights, flow):
        found.trees += looked_up
    else:
        for name, share in shares(node, weights, flow):
            pending[name] = pending[name] + share if name in pending else share


def _settle(found: Sum, pending: Pending, depends: Mapping[str, Features]) -> None:
    """Settle tensors whose columns depend on one feature each; drop constants."""
    for name in list(pending):
        if name not in depends or not pending[name].any():
            del pending[name]
            continue
        features = spread(depends[name], pending[name].shape[1])
        if features.ndim == 2 and (features[:, pending[name].any(axis=0)].sum(axis=0) < 2).all():
            found.columns[name] = found.columns.get(name, 0) + pending.pop(name)


def _alike(trees: Sequence[Trees]) -> Iterable[list[Trees]]:
    """Group terms of the same tensor and weights."""
    groups: dict[tuple[str, bytes], list[Trees]] = {}
    for each in trees:
        groups.setdefault((each.tensor, each.mix.tobytes()), []).append(each)
    return groups.values()


def _joined(trees: Sequence[Trees]) -> Trees:
    return Trees(
        trees[0].tensor,
        Forest.joined([each.forest for each in trees]),
        np.concatenate([each.leaves for each in trees]),
        np.concatenate([each.values for each in trees]),
        trees[0].mix,
    )


def _by_target(node: NodeProto, weights: FloatMatrix) -> Iterator[Trees]:
    """Yield the trees of each column of the result."""
    forest = Forest.read(node)
    for target in np.flatnonzero(weights.any(axis=0)):
        own = forest.targets == target
        yield Trees(
            node.input[0], forest, own, forest.weights[:, None], weights[:, target : target + 1]
        )


def _looked_up(node: NodeProto, weights: FloatMatrix, flow: Flow) -> list[Trees]:
    """Return trees whose leaves are row numbers of a table, as `gathered` writes them."""
    if not _is(node, "ReduceSum", keepdims=0) or flow.constant(node, 1) != [0]:
        return []
    gather = flow.maker(node)
    if not _is(gather, "Gather", axis=0):
        return []
    table, transpose = flow.constants.get(gather.input[0]), flow.maker(gather, 1)
    cast = flow.maker(transpose) if _is(transpose, "Transpose", perm=[1, 0]) else None
    if table is None or table.ndim != 2 or not _is(cast, "Cast"):
        return []
    before = flow.maker(cast)
    nodes = [before]
    if _is(before, "Concat", axis=1):
        nodes = [flow.makers.get(name) for name in before.input]
    if not all(each is not None and is_ensemble(each) for each in nodes):
        return []
    return [_of_table(each, table, weights) for each in nodes if each is not None]


def _is(node: NodeProto | None, operator: str, **wanted: object) -> TypeIs[NodeProto]:
    if node is None or node.op_type != operator:
        return False
    found = attributes(node)
    return all(found.get(name) == value for name, value in wanted.items())


def _of_table(node: NodeProto, table: FloatMatrix, weights: FloatMatrix) -> Trees:
    forest = Forest.read(node)
    values = table[forest.weights.astype(np.int64)]
    return Trees(node.input[0], forest, np.ones(len(values), dtype=bool), values, weights)
