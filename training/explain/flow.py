"""A finished graph, read back: what makes each tensor, and what the tensors hold for some rows."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from sklambda.arrays import FloatMatrix
from sklambda.session import INPUT, OUTPUT, InferenceSession, load

SCORES: Final = "explained_scores"
"""The tensor that becomes the output of the graph."""

_PREFIX: Final = "explained_"

type Columns = Sequence[int] | NDArray[np.integer[Any]]


class NoClosedForm(Exception):
    """The scores are not a sum over features or trees; the message is the end of a sentence."""


class Flow:
    """The nodes of a graph, by what they make.

    Parameters
    ----------
    model : bytes
        An ONNX model, ``X`` [N, K] in and ``scores`` [N, C] out.
    sample : FloatMatrix
        Shape [n, K]: rows to inspect it with.
    """

    def __init__(self, model: bytes, sample: FloatMatrix) -> None:
        self._model = onnx.load_from_string(model)
        self.sample = sample
        self._sessions: dict[str, InferenceSession] = {}
        self.nodes: list[NodeProto] = list(self._model.graph.node)
        for node in self.nodes:  # what is cut out has an output of that name itself
            for names in (node.input, node.output):
                names[:] = [SCORES if name == OUTPUT else name for name in names]

    @cached_property
    def makers(self) -> Mapping[str, NodeProto]:
        """The node that makes each tensor."""
        return {output: node for node in self.nodes for output in node.output}

    @cached_property
    def constants(self) -> Mapping[str, NDArray[Any]]:
        """The values of the constant tensors."""
        return {value.name: numpy_helper.to_array(value) for value in self._model.graph.initializer}

    def maker(self, node: NodeProto, place: int = 0) -> NodeProto | None:
        """Return the node that makes one of the inputs of a node."""
        return self.makers.get(node.input[place])

    def constant(self, node: NodeProto, place: int) -> object:
        """Return the constant value of a node's input as a Python object; None if computed."""
        value = self.constants.get(node.input[place])
        return None if value is None else value.tolist()

    def width(self, tensor: str) -> int:
        """Return the number of columns of a matrix of the graph."""
        return int(self.values(tensor, self.sample[:2]).shape[-1])

    def values(self, tensor: str, X: FloatMatrix) -> FloatMatrix:
        """Compute a tensor for the rows `X`, [N, K]; flags are 0 and 1."""
        if tensor not in self._sessions:
            node = helper.make_node("Cast", [tensor], [OUTPUT], to=TensorProto.DOUBLE)
            shown = helper.make_tensor_value_info(OUTPUT, TensorProto.DOUBLE, None)
            self._sessions[tensor] = load(self._closed([node], shown))
        values: FloatMatrix = self._sessions[tensor].run([OUTPUT], {INPUT: X})[0]
        return values

    def cut(self, parts: Sequence[tuple[str, Columns]]) -> bytes:
        """Build the graph whose output is some columns of some tensors, side by side.

        Without any it has no column of the input: a graph whose scores depend on no feature.
        """
        parts = parts or [(INPUT, [])]
        nodes, constants = [], []
        for place, (tensor, columns) in enumerate(parts):
            picked = np.asarray(columns, dtype=np.int64)
            constants.append(numpy_helper.from_array(picked, f"{_PREFIX}columns_{place}"))
            nodes.append(
                helper.make_node(
                    "Gather", [tensor, constants[-1].name], [f"{_PREFIX}{place}"], axis=1
                )
            )
        ends = [node.output[0] for node in nodes]
        width = sum(len(columns) for _, columns in parts)
        nodes.append(helper.make_node("Concat", ends, [OUTPUT], axis=1))
        shown = helper.make_tensor_value_info(OUTPUT, TensorProto.DOUBLE, [None, width])
        return self._closed(nodes, shown, constants)

    def _closed(
        self,
        ends: Sequence[NodeProto],
        output: onnx.ValueInfoProto,
        constants: Sequence[onnx.TensorProto] = (),
    ) -> bytes:
        kept, wanted = self._before(ends)
        cut = onnx.ModelProto()
        cut.CopyFrom(self._header)
        cut.graph.node.extend([*kept, *ends])
        cut.graph.output.append(output)
        cut.graph.initializer.extend(
            value for value in self._model.graph.initializer if value.name in wanted
        )
        cut.graph.initializer.extend(constants)
        content: bytes = cut.SerializeToString(deterministic=True)
        return content

    @cached_property
    def _header(self) -> onnx.ModelProto:
        header = onnx.ModelProto(ir_version=self._model.ir_version)
        header.opset_import.extend(self._model.opset_import)
        header.graph.name = self._model.graph.name
        header.graph.input.extend(self._model.graph.input)
        return header

    def _before(self, ends: Sequence[NodeProto]) -> tuple[list[NodeProto], set[str]]:
        wanted = {name for node in ends for name in node.input}
        kept = []
        for node in reversed(self.nodes):
            if wanted.intersection(node.output):
                wanted |= _inputs(node)
                kept.append(node)
        return kept[::-1], wanted


def _inputs(node: NodeProto) -> set[str]:
    """Name what a node needs, also inside of a loop."""
    names = set(node.input)
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            names.update(*(_inputs(inner) for inner in attribute.g.node))
    return names


def attributes(node: NodeProto) -> dict[str, Any]:
    """Return the attributes of a node as Python's own types and arrays."""
    values = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    return {
        name: numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value
        for name, value in values.items()
    }
