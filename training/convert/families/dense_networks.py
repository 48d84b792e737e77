"""Dense Keras networks, as `training.networks` reads them."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from onnx import TensorProto

from training.convert.families.functions import expm1, log1p
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.kernels import one_by_one
from training.convert.graph.links import both, sigmoid
from training.convert.graph.normal import probability
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Convert, Estimator, Scope
from training.networks.estimators import (
    ELU_OF_SELU,
    SCALE_OF_SELU,
    NetworkClassifier,
    NetworkOfLabels,
    NetworkRegressor,
    Node,
)

type Operate = Callable[[Graph, Node, list[str]], str]


def _classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    found = _layers(estimator, matrix, scope)
    return Outputs(both(scope.graph, found) if found.width == 1 else found)


def _labels(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    graph, found = scope.graph, _layers(estimator, matrix, scope)
    labels = (graph.take(found, [place]) for place in range(found.width))
    return Outputs(parts=tuple(Outputs(both(graph, label)) for label in labels))


def _regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    return Outputs(value=_layers(estimator, matrix, scope))


def _layers(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    graph, start = scope.graph, 0
    tensors = []
    for width in estimator.inputs_:
        tensors.append(graph.take(matrix, range(start, start + width)).tensor)
        start += width
    for node in estimator.nodes_:
        operands = [tensors[source] for source in node.sources]
        tensors.append(_OPERATIONS[node.operation](graph, node, operands))
    return matrix.numbers(tensors[-1], estimator.nodes_[-1].width)


def _operator(name: str) -> Operate:
    return lambda graph, node, operands: graph.node(name, *operands)


def _chain(name: str) -> Operate:
    """Return an operation that merges values one after the other, as numpy does."""
    return lambda graph, node, operands: one_by_one(graph, operands, name)


def _dense(graph: Graph, node: Node, operands: list[str]) -> str:
    kernel, bias = node.arrays
    return graph.node("Gemm", operands[0], graph.constant(kernel), graph.constant([bias]))


def _affine(graph: Graph, node: Node, operands: list[str]) -> str:
    scale, shift = (graph.constant([array]) for array in node.arrays)
    return graph.node("Add", graph.node("Mul", operands[0], scale), shift)


def _embed(graph: Graph, node: Node, operands: list[str]) -> str:
    """Look codes up, [N, k] to [N, k * d]; scikit-learn's side refuses those beyond the table."""
    (table,) = node.arrays
    whole = graph.node("Cast", operands[0], to=TensorProto.INT64)
    last = graph.constant(len(table) - 1, np.int64)
    places = graph.node("Max", graph.node("Min", whole, last), graph.constant(0, np.int64))
    found = graph.node("Gather", graph.constant(table), places, axis=0)
    return graph.node("Reshape", found, graph.constant([-1, node.width], np.int64))


def _layer_norm(graph: Graph, node: Node, operands: list[str]) -> str:
    axis = graph.constant([1], np.int64)
    mean = graph.node("ReduceMean", operands[0], axis, keepdims=1)
    apart = graph.node("Sub", operands[0], mean)
    variance = graph.node("ReduceMean", graph.node("Mul", apart, apart), axis, keepdims=1)
    spread = graph.node(
        "Sqrt", graph.node("Add", variance, graph.constant(node.options["epsilon"]))
    )
    return _affine(graph, node, [graph.node("Div", apart, spread)])


def _relu(graph: Graph, node: Node, operands: list[str]) -> str:
    given = {"negative_slope": _SLOPES.get(node.operation, 0.0), **node.options}
    threshold, most = given.get("threshold", 0.0), given.get("max_value", np.inf)
    if node.operation == "relu6":
        most = 6.0
    x, bound = operands[0], graph.constant(threshold)
    above = graph.node("GreaterOrEqual", x, bound)
    high = x if most == np.inf else graph.node("Min", x, graph.constant(most))
    apart = graph.node("Sub", x, bound)
    low = graph.node("Mul", apart, graph.constant(given["negative_slope"]))
    return graph.node("Where", above, high, low)


_SLOPES: Final = {"leaky_relu": 0.2}


def _prelu(graph: Graph, node: Node, operands: list[str]) -> str:
    above = graph.node("GreaterOrEqual", operands[0], graph.constant(0.0))
    low = graph.node("Mul", operands[0], graph.constant([node.arrays[0]]))
    return graph.node("Where", above, operands[0], low)


def _elu(graph: Graph, node: Node, operands: list[str]) -> str:
    return _scaled_elu(graph, operands[0], node.options.get("alpha", 1.0), 1.0)


def _selu(graph: Graph, node: Node, operands: list[str]) -> str:
    return _scaled_elu(graph, operands[0], ELU_OF_SELU, SCALE_OF_SELU)


def _scaled_elu(graph: Graph, x: str, alpha: float, scale: float) -> str:
    zero = graph.constant(0.0)
    low = graph.node("Mul", expm1(graph, graph.node("Min", x, zero)), graph.constant(alpha))
    found = graph.node("Where", graph.node("Greater", x, zero), x, low)
    return graph.node("Mul", found, graph.constant(scale))


def _hard_sigmoid(graph: Graph, x: str) -> str:
    line = graph.node("Add", graph.node("Div", x, graph.constant(6.0)), graph.constant(0.5))
    return graph.node("Min", graph.node("Max", line, graph.constant(0.0)), graph.constant(1.0))


def _softplus(graph: Graph, x: str) -> str:
    rest = log1p(graph, graph.node("Exp", graph.node("Neg", graph.node("Abs", x))))
    return graph.node("Add", graph.node("Max", x, graph.constant(0.0)), rest)


def _of_one(apply: Callable[[Graph, str], str]) -> Operate:
    return lambda graph, node, operands: apply(graph, operands[0])


def _gated(gate: Callable[[Graph, str], str]) -> Operate:
    """Return an operation that multiplies a value by its gate."""
    return _of_one(lambda graph, x: graph.node("Mul", x, gate(graph, x)))


def _softsign(graph: Graph, x: str) -> str:
    return graph.node("Div", x, graph.node("Add", graph.node("Abs", x), graph.constant(1.0)))


_OPERATIONS: Final[Mapping[str, Operate]] = {
    "dense": _dense,
    "affine": _affine,
    "embed": _embed,
    "layer_norm": _layer_norm,
    "concatenate": lambda graph, node, operands: graph.node("Concat", *operands, axis=1),
    "add": _chain("Add"),
    "subtract": _operator("Sub"),
    "multiply": _chain("Mul"),
    "maximum": _chain("Max"),
    "minimum": _chain("Min"),
    "linear": _operator("Identity"),
    "relu": _relu,
    "relu6": _relu,
    "leaky_relu": _relu,
    "prelu": _prelu,
    "elu": _elu,
    "selu": _selu,
    "sigmoid": _of_one(sigmoid),
    "hard_sigmoid": _of_one(_hard_sigmoid),
    "silu": _gated(sigmoid),
    "hard_silu": _gated(_hard_sigmoid),
    "tanh": _operator("Tanh"),
    "softplus": _of_one(_softplus),
    "softsign": _of_one(_softsign),
    "mish": _gated(lambda graph, x: graph.node("Tanh", _softplus(graph, x))),
    "gelu": _gated(probability),
    "exponential": _operator("Exp"),
    "softmax": lambda graph, node, operands: graph.node("Softmax", *operands, axis=1),
    "log_softmax": lambda graph, node, operands: graph.node("LogSoftmax", *operands, axis=1),
}

CONVERTERS: Final[dict[Any, Convert]] = {
    NetworkClassifier: _classifier,
    NetworkOfLabels: _labels,
    NetworkRegressor: _regressor,
}
