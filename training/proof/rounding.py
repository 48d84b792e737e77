"""Bounds on the rounding of the scores of a graph.

A sum of large terms that cancel depends on the order in which a processor adds them: of terms of
1e16, no two kernels need agree about the first decimal. The bounds are those of the usual error
analysis: an operation of float64 is exact but for a factor of 1 ± u, and a sum of n terms but for
n u times the sum of their sizes (N. J. Higham, Accuracy and Stability of Numerical Algorithms,
2nd ed., sections 2.2, 3.1 and 3.3). The result of rounded numbers inherits their errors.

A comparison, a tree and a conversion to float32 have no error: there both sides must have the same
bits, and a value on the wrong side of a threshold is a fault, not a rounding.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from sklambda.arrays import FloatMatrix
from sklambda.session import INPUT, OUTPUT, load

_UNIT: Final = 2.0**-53
"""Half of the distance from 1 to the next number: the relative error of one operation."""

_LIBRARY: Final = 4 * _UNIT
"""The relative error of exp, log and their like: two units in the last place."""

_SUMS: Final = frozenset(
    ("CumSum", "Gemm", "MatMul", "ReduceMean", "ReduceSum", "ReduceSumSquare", "Sum")
)
"""Operators that add in an order of the processor."""

_NUMBERS: Final = 2**22
"""The number of numbers that are held at once."""

type Array = NDArray[Any]
type Rule = Callable[[Step], Sequence[Array] | Array]


@dataclass(frozen=True, slots=True)
class Step:
    """A node with its inputs and output for some rows.

    Attributes
    ----------
    node : NodeProto
        The node.
    inputs : sequence of array
        Its inputs.
    errors : sequence of array
        The bound on the error of each input, of its shape.
    output : array
        Its first output.
    """

    node: NodeProto
    inputs: Sequence[Array]
    errors: Sequence[Array]
    output: Array

    @property
    def rounded(self) -> Array:
        """The error of rounding the output itself; none of an infinity that is in the inputs."""
        endless = np.zeros((), dtype=bool)
        for each in self.inputs:
            endless = endless | np.isinf(each)
        return np.where(np.isinf(self.output) & endless, 0.0, _UNIT * np.abs(self.output))

    def again(self, first: Array) -> Array:
        """Return the output for another first input."""
        return _run(self.node, [first, *self.inputs[1:]])[0]


class Rounding:
    """Bounds on the rounding errors of a graph.

    Parameters
    ----------
    model : bytes
        An ONNX model, ``X`` [N, K] in and ``scores`` [N, C] out.
    """

    def __init__(self, model: bytes) -> None:
        exposing = self._read(model)
        if self._nodes:
            self._session = load(exposing)

    def _read(self, model: bytes) -> bytes:
        """Read what the rules need and return the graph that shows it; the parsed one ends here."""
        graph = onnx.load_from_string(model)
        self._classes = int(graph.graph.output[0].type.tensor_type.shape.dim[1].dim_value)
        initializers = graph.graph.initializer
        self._constants = {each.name: numpy_helper.to_array(each) for each in initializers}
        nodes = _rounding(graph.graph.node, self._constants)
        # Copies, for a node keeps its whole graph in memory, and of a forest's none is needed.
        self._nodes = [_copy(node) for node in nodes if node.op_type in RULES]
        self._shown = _shown(self._nodes, self._constants)
        return _exposing(graph, self._shown) if self._nodes else b""

    def bounds(self, X: FloatMatrix) -> FloatMatrix:
        """Return a bound on the error of each score of the rows `X`, [N, K].

        Returns
        -------
        FloatMatrix
            Shape [N, C]: 0 in a graph that adds nothing up; not finite where there is no bound.
        """
        if not self._nodes or not len(X):
            return np.zeros((len(X), self._classes))
        first = self._errors(X[:1])
        numbers = sum(each.size for each in first.values())
        size = max(1, _NUMBERS // max(1, numbers))
        parts = [self._errors(X[start : start + size])[OUTPUT] for start in range(1, len(X), size)]
        return np.concatenate([first[OUTPUT], *parts])

    def _errors(self, X: FloatMatrix) -> dict[str, Array]:
        """Return a bound on the error of each tensor."""
        found = self._session.run([f"shown_{name}" for name in self._shown], {INPUT: X})
        values = {**self._constants, **dict(zip(self._shown, found, strict=True)), INPUT: X}
        errors: dict[str, Array] = {}
        for node in self._nodes:
            rule = RULES.get(node.op_type)
            if rule is None or values[node.output[0]].dtype != np.float64:
                continue
            with np.errstate(all="ignore"):
                made = rule(_step(node, values, errors))
            several = [made] if isinstance(made, np.ndarray) else made
            errors |= dict(zip(node.output, several, strict=True))
        errors[OUTPUT] = np.broadcast_to(errors.get(OUTPUT, _NONE), (len(X), self._classes))
        return errors


def _rounding(nodes: Sequence[NodeProto], constants: Mapping[str, Array]) -> list[NodeProto]:
    """Return the nodes that depend on the input; none if no sum reaches the scores undecided."""
    live, summed, found = {INPUT}, set[str](), []
    for node in nodes:
        if not live.intersection(node.input):
            continue
        live.update(node.output)
        found.append(node)
        if node.op_type in RULES and (_sums(node, constants) or summed.intersection(node.input)):
            summed.update(node.output)
    return found if OUTPUT in summed else []


def _sums(node: NodeProto, constants: Mapping[str, Array]) -> bool:
    if node.op_type not in _SUMS:
        return False
    weights = constants.get(node.input[1]) if len(node.input) > 1 else None
    # The sum of one term: 1 - p beside p.
    return node.op_type not in ("MatMul", "Gemm") or weights is None or len(weights) > 1


def _shown(nodes: Sequence[NodeProto], constants: Mapping[str, Array]) -> list[str]:
    """Return the names of the tensors that the rules need, in the order of the nodes."""
    looked_at = {
        name: None
        for node in nodes
        if node.op_type in RULES
        for name in (*node.input, *node.output)
        if name and name != INPUT and name not in constants
    }
    return list(looked_at)


def _copy(node: NodeProto) -> NodeProto:
    copied = NodeProto()
    copied.CopyFrom(node)
    return copied


def _exposing(graph: onnx.ModelProto, tensors: Sequence[str]) -> bytes:
    """Return a graph with inner tensors as its outputs, of whatever type."""
    for tensor in tensors:
        graph.graph.node.append(helper.make_node("Identity", [tensor], [f"shown_{tensor}"]))
    del graph.graph.output[:]
    graph.graph.output.extend(onnx.ValueInfoProto(name=f"shown_{tensor}") for tensor in tensors)
    content: bytes = graph.SerializeToString()
    return content


def _step(node: NodeProto, values: Mapping[str, Array], errors: Mapping[str, Array]) -> Step:
    inputs = [values[name] for name in node.input if name]
    own = [errors.get(name, _NONE) for name in node.input if name]
    return Step(
        node,
        inputs,
        [np.broadcast_to(error, value.shape) for error, value in zip(own, inputs, strict=True)],
        values[node.output[0]],
    )


_NONE: Final = np.zeros(())


def _run(node: NodeProto, inputs: Sequence[Array]) -> list[Array]:
    names = [name for name in node.input if name]
    found: Any = ReferenceEvaluator(node).run(None, dict(zip(names, inputs, strict=True)))
    return list(found)


def _growth(terms: float) -> float:
    """Return Higham's gamma: the error of a sum of so many terms, relative to their sizes."""
    return terms * _UNIT / (1 - terms * _UNIT)


def _added(step: Step) -> Array:
    sizes = [np.where(np.isinf(each), 0.0, np.abs(each)) for each in step.inputs]
    own = _growth(len(sizes) - 1) * sum(sizes)
    if len(sizes) == 2:
        one, other = step.inputs
        other = -other if step.node.op_type == "Sub" else other
        own = np.where(_is_exact(step.output, one, other), 0.0, own)
    return np.add(sum(step.errors), own)


def _is_exact(total: Array, one: Array, other: Array) -> Array:
    """Return where the sum of two numbers needed no rounding, as 1 - 0.5."""
    exact: Array = (total - one == other) & (total - other == one)
    return exact


def _product(step: Step) -> Array:
    (one, other), (moved, shifted) = map(np.abs, step.inputs), step.errors
    rounded = np.where((one == 1) | (other == 1), 0.0, step.rounded)
    return _times(one + moved, shifted) + _times(other, moved) + rounded


def _times(size: Array, error: Array) -> Array:
    """Return an error multiplied; no error remains none, also beside an infinity."""
    return np.where(error == 0, 0.0, size * error)


def _quotient(step: Step) -> Array:
    divisor, (moved, shifted) = np.abs(step.inputs[1]), step.errors
    least = np.where(divisor > shifted, divisor - shifted, 0.0)
    return (moved + _times(np.abs(step.output), shifted)) / least + step.rounded


def _matrix_product(step: Step) -> Array:
    (one, other), (moved, shifted) = (np.abs(each) for each in step.inputs[:2]), step.errors[:2]
    bound = _growth(one.shape[-1] + 1) * (one @ other)
    if one.shape[-1] == 1:  # no sum, and a product with 1 is exact
        bound = np.where((other == 0) | (other == 1), 0.0, bound)
    if moved.any():
        bound = bound + moved @ (other + shifted)
    if shifted.any():
        bound = bound + one @ shifted
    if len(step.inputs) > 2:  # Gemm
        product = np.matmul(*step.inputs[:2])
        exact = _is_exact(step.output, product, step.inputs[2])
        bound = bound + step.errors[2] + np.where(exact, 0.0, _UNIT * np.abs(step.output))
    return np.asarray(bound)


def _total(step: Step) -> Array:
    terms = step.inputs[0].size / max(1, step.output.size)
    sizes = step.again(np.abs(step.inputs[0]))
    return step.again(step.errors[0]) + _growth(terms) * sizes


def _running_total(step: Step) -> Array:
    terms = step.inputs[0].shape[int(step.inputs[1])]
    return step.again(step.errors[0]) + _growth(terms) * step.again(np.abs(step.inputs[0]))


def _squares(step: Step) -> Array:
    plain = _copy(step.node)
    plain.op_type = "ReduceSum"
    size, moved = np.abs(step.inputs[0]), step.errors[0]
    own = _run(plain, [moved * (2 * size + moved), *step.inputs[1:]])[0]
    terms = step.inputs[0].size / max(1, step.output.size)
    return own + _growth(terms + 1) * step.output


def _monotone(function: Callable[[Array], Array], step: Step) -> Array:
    value, moved = step.inputs[0], step.errors[0]
    ends = function(value - moved), function(value + moved)
    return _farthest(step, ends) + np.where(_at_zero(step), 0.0, _LIBRARY * np.abs(step.output))


def _at_zero(step: Step) -> Array:
    """Return where the input is 0 without an error: there every library is exact."""
    at_zero: Array = (step.inputs[0] == 0) & (step.errors[0] == 0)
    return at_zero


def _farthest(step: Step, others: Sequence[Array]) -> Array:
    """Return the distance from the output to the farthest of other values."""
    apart = [np.where(other == step.output, 0.0, np.abs(other - step.output)) for other in others]
    farthest: Array = np.maximum.reduce(apart)
    return farthest


def _root(value: Array) -> Array:
    return np.sqrt(np.maximum(value, 0.0))


def _sigmoid(value: Array) -> Array:
    return 1 / (1 + np.exp(-value))


def _logistic(step: Step) -> Array:
    # onnxruntime's own is exact to the unit of 1, also where it is near 0.
    return _monotone(_sigmoid, step) + np.where(_at_zero(step), 0.0, _LIBRARY)


def _power(step: Step) -> Array:
    (base, exponent), (moved, shifted) = step.inputs, step.errors
    lower, upper = base - moved, base + moved
    corners = [
        end**power for end in (lower, upper) for power in (exponent - shifted, exponent + shifted)
    ]
    if ((lower < 0) & (upper > 0)).any():
        corners.append(np.where((lower < 0) & (upper > 0), 0.0**exponent, step.output))
    return _farthest(step, corners) + _LIBRARY * np.abs(step.output)


def _softmax(step: Step) -> Array:
    """Return the change if one class moves one way, and all others the other way."""
    value, moved = step.inputs[0], step.errors[0]
    bound = np.empty_like(value)
    for place in range(value.shape[1]):
        own = slice(place, place + 1)
        apart, reach = value - value[:, own], moved + moved[:, own]
        reach[:, own] = 0.0
        ends = (1 / np.exp(apart + way * reach).sum(axis=1) for way in (-1, 1))
        bound[:, place] = np.maximum.reduce([np.abs(end - step.output[:, place]) for end in ends])
    even = (value == value[:, :1]).all(axis=1) & ~moved.any(axis=1)
    rounded = np.where(even[:, None], 0.0, _growth(value.shape[1] + 8)) * step.output
    return np.asarray(bound + rounded)


def _same(step: Step) -> Array:
    return step.errors[0]


def _limited(step: Step) -> Array:
    """Return the error that a limit leaves: none where both ends are beyond it."""
    value, moved = step.inputs[0], step.errors[0]
    return _farthest(step, (step.again(value - moved), step.again(value + moved)))


def _waves(step: Step) -> Array:
    return step.errors[0] + _LIBRARY * np.abs(step.output)


def _greatest(step: Step) -> Array:
    every = [np.broadcast_to(error, step.output.shape) for error in step.errors]
    greatest: Array = np.maximum.reduce(every)
    return greatest


def _greatest_of_axis(step: Step) -> Array:
    return step.again(step.errors[0])


def _picked(step: Step) -> Array:
    return np.where(step.inputs[0], *step.errors[1:])


def _cast(step: Step) -> Array:
    doubles = step.inputs[0].dtype == step.output.dtype == np.float64
    return step.errors[0] if doubles else _NONE


def _moved(step: Step) -> Sequence[Array]:
    """Return the errors moved as the node moves the numbers; places stay as they are."""
    pairs = zip(step.inputs, step.errors, strict=True)
    return _run(
        step.node, [error if value.dtype == np.float64 else value for value, error in pairs]
    )


RULES: Final[Mapping[str, Rule]] = {
    **dict.fromkeys(("Add", "Sub", "Sum"), _added),
    "Mul": _product,
    "Div": _quotient,
    **dict.fromkeys(("MatMul", "Gemm"), _matrix_product),
    **dict.fromkeys(("ReduceSum", "ReduceMean"), _total),
    "ReduceSumSquare": _squares,
    "CumSum": _running_total,
    "Exp": partial(_monotone, np.exp),
    "Log": partial(_monotone, np.log),
    "Tanh": partial(_monotone, np.tanh),
    "Sqrt": partial(_monotone, _root),
    "Sigmoid": _logistic,
    "Softmax": _softmax,
    "Pow": _power,
    **dict.fromkeys(("Sin", "Cos"), _waves),
    **dict.fromkeys(("Abs", "Neg", "Identity"), _same),
    **dict.fromkeys(("Relu", "Clip"), _limited),
    **dict.fromkeys(("Max", "Min"), _greatest),
    **dict.fromkeys(("ReduceMax", "ReduceMin"), _greatest_of_axis),
    "Where": _picked,
    "Cast": _cast,
    **dict.fromkeys(
        (
            "Concat",
            "Expand",
            "Gather",
            "GatherElements",
            "GatherND",
            "Pad",
            "Reshape",
            "ScatterElements",
            "ScatterND",
            "Slice",
            "Split",
            "Squeeze",
            "Transpose",
            "Unsqueeze",
        ),
        _moved,
    ),
}
"""How an operator passes errors on; one without a rule passes none on."""
