"""A float64 ONNX graph under construction."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import ArrayLike
from onnx import AttributeProto, TensorProto, helper, numpy_helper

from sklambda.arrays import FloatVector, IntVector
from sklambda.session import INPUT, OUTPUT
from training.convert.graph.vocabulary import Vocabulary

OPSET: Final = 22
ML_OPSET: Final = 5
IR_VERSION: Final = 10
ML_DOMAIN: Final = "ai.onnx.ml"


@dataclass(frozen=True, slots=True, eq=False)
class Elementwise:
    """A step that computes each value of a column from that value alone.

    Attributes
    ----------
    name : str
        As a refusal names it: ``np.log1p``.
    apply : callable
        scikit-learn's own code for a column: values [N] float64 to values [N]. It is called with
        NaN, and with infinities that an earlier step made; for what scikit-learn refuses it may
        return anything.
    exact : bool
        Whether the nodes of the graph compute the same bits, on every processor.
    turns : tuple of float, or None
        The values, ascending, between which the step is monotone, or NaN throughout, or constant:
        0 for a square, a reciprocal or a logarithm. None where it turns too often to say, as a
        sine does: then nothing is folded.
    """

    name: str
    apply: Callable[[FloatVector], FloatVector]
    exact: bool = True
    turns: tuple[float, ...] | None = ()


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """The earlier column that a column was computed from, and the steps in between.

    Attributes
    ----------
    base : Matrix
        The earlier matrix.
    column : int
        Its column.
    steps : tuple of Elementwise
        In the order in which they are applied.
    """

    base: "Matrix"
    column: int
    steps: tuple[Elementwise, ...] = ()

    def then(self, step: Elementwise) -> "Origin":
        """Return the origin of a column that one more step made."""
        return replace(self, steps=(*self.steps, step))

    @property
    def is_exact(self) -> bool:
        """Whether the graph computes the bits that scikit-learn computes."""
        return all(step.exact for step in self.steps)


@dataclass(frozen=True, slots=True)
class Matrix:
    """A tensor [N, K] float64 of the graph, with the meaning of its columns.

    Attributes
    ----------
    tensor : str
        The tensor's name in the graph.
    vocabularies : tuple of (Vocabulary or None)
        One a column; None where the column holds numbers, else it holds codes.
    origins : tuple of (Origin or None)
        One a column, or empty; None for a column that mixes others. Trees compare the earlier
        column where a step in between is not exact (`training.convert.graph.folding`).
    """

    tensor: str
    vocabularies: tuple[Vocabulary | None, ...]
    origins: tuple[Origin | None, ...] = ()

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.vocabularies)

    def origin(self, column: int) -> Origin:
        """Return the origin of a column: itself, without steps, where no other is known."""
        known = self.origins[column] if self.origins else None
        return Origin(self, column) if known is None else known

    def mapped(self, tensor: str, steps: Sequence[Elementwise | None]) -> "Matrix":
        """Return the matrix that elementwise steps made of this one, as `tensor`.

        Parameters
        ----------
        tensor : str
            The tensor that the graph computes.
        steps : sequence of (Elementwise or None)
            One a column, which then holds numbers; None for a column whose meaning stays, and
            whose origin is not known.
        """
        return Matrix(
            tensor,
            tuple(
                vocabulary if step is None else None
                for vocabulary, step in zip(self.vocabularies, steps, strict=True)
            ),
            tuple(
                None if step is None else self.origin(column).then(step)
                for column, step in enumerate(steps)
            ),
        )

    def numbers(self, tensor: str, width: int | None = None) -> "Matrix":
        """Return a matrix of numbers in place of this one, `width` columns wide or as wide."""
        return Matrix(tensor, (None,) * (self.width if width is None else width))

    def alike(self, tensor: str) -> "Matrix":
        """Return a matrix whose columns have the meaning of this one's, and other values."""
        return Matrix(tensor, self.vocabularies)


class Graph:
    """Collects nodes and constants; a node's output is named by the order of its making.

    Parameters
    ----------
    width : int
        Columns of the input, ``X``, to begin with.
    names : sequence of str
        Their names, for the steps that read columns by them.

    Attributes
    ----------
    turning : set of Origin
        The ways from the input through steps that turn: there some numbers may be refused.
    present : set of int
        Columns of the input that may not be missing, for one missing value changes the others.
    known : set of int
        Columns of the input that may have the numbers of training alone.
    """

    def __init__(self, width: int = 0, names: Sequence[str] = ()) -> None:
        self.width = width
        self.names = tuple(names)
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._conditions: list[str] = []
        self._made: dict[Hashable, Any] = {}
        self.turning: set[Origin] = set()
        self.present: set[int] = set()
        self.known: set[int] = set()

    def note(self, matrix: Matrix) -> None:
        """Keep the origins of a step's result that come from the input and turn."""
        self.turning.update(
            origin
            for origin in matrix.origins
            if origin is not None
            and origin.base.tensor == INPUT
            and any(step.turns for step in origin.steps)
        )

    def once[T](self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` made for the same key before, else make it."""
        if key not in self._made:
            self._made[key] = make()
        made: T = self._made[key]
        return made

    def require_present(self, origin: Origin) -> None:
        """Let no value be missing in the input's column that a column is."""
        if origin.base.tensor == INPUT and not origin.steps:
            self.present.add(origin.column)

    def require_known(self, origin: Origin) -> None:
        """Let the input's column that a column is have no other numbers than in training."""
        if origin.base.tensor == INPUT and not origin.steps:
            self.known.add(origin.column)

    def require(self, condition: str) -> None:
        """Let rows have no score where a tensor, [N, 1] bool, is false."""
        self._conditions.append(condition)

    @property
    def is_partial(self) -> bool:
        """Whether some rows have no score."""
        return bool(self._conditions)

    def restricted(self, scores: Matrix) -> Matrix:
        """Return scores, [N, C], that are NaN where a condition is false."""
        if not self._conditions:
            return scores
        held = self._conditions[0]
        for condition in self._conditions[1:]:
            held = self.node("And", held, condition)
        return scores.alike(self.node("Where", held, scores.tensor, self.constant(np.nan)))

    def widen(self, columns: int) -> int:
        """Add columns to the input and return the position of the first."""
        first, self.width = self.width, self.width + columns
        return first

    def node(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        output = f"{operator}_{len(self._nodes)}"
        self._add(operator, inputs, [output], domain, attributes)
        return output

    def several(self, operator: str, *inputs: str, outputs: int, **attributes: Any) -> list[str]:
        """Add a node with several outputs and return their names."""
        names = [f"{operator}_{len(self._nodes)}_{place}" for place in range(outputs)]
        self._add(operator, inputs, names, "", attributes)
        return names

    def _add(
        self,
        operator: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        domain: str,
        attributes: Mapping[str, Any],
    ) -> None:
        made = helper.make_node(operator, inputs, outputs, name=outputs[0], domain=domain)
        made.attribute.extend(
            value if isinstance(value, AttributeProto) else helper.make_attribute(name, value)
            for name, value in attributes.items()
        )
        self._nodes.append(made)

    def constant(self, value: ArrayLike, dtype: type[np.generic] = np.float64) -> str:
        """Add a constant tensor and return its name."""
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(value, dtype=dtype), name))
        return name

    def double(self, tensor: str) -> str:
        """Cast a tensor to float64 and return its name."""
        return self.node("Cast", tensor, to=TensorProto.DOUBLE)

    def take(self, matrix: Matrix, columns: Sequence[int]) -> Matrix:
        """Pick columns of a matrix, in the order given."""
        if list(columns) == list(range(matrix.width)):
            return matrix
        positions = self.constant(columns, np.int64)
        return Matrix(
            self.node("Gather", matrix.tensor, positions, axis=1),
            tuple(matrix.vocabularies[column] for column in columns),
            tuple(matrix.origin(column) for column in columns),
        )

    def join(self, matrices: Sequence[Matrix]) -> Matrix:
        """Concatenate matrices by column."""
        if len(matrices) == 1:
            return matrices[0]
        return Matrix(
            self.node("Concat", *(matrix.tensor for matrix in matrices), axis=1),
            tuple(vocabulary for matrix in matrices for vocabulary in matrix.vocabularies),
            tuple(matrix.origin(column) for matrix in matrices for column in range(matrix.width)),
        )

    def build(self, width: int, scores: Matrix, unread: Sequence[int] = ()) -> bytes:
        """Close the graph; the same steps give the same bytes.

        Parameters
        ----------
        width : int
            Columns of the input, ``X`` [N, width].
        scores : Matrix
            The output, ``scores`` [N, C].
        unread : sequence of int
            Columns of the input that no node needs: the finished graph's input is without them.

        Returns
        -------
        bytes
            A checked ONNX model.
        """
        if unread:
            self._narrow(width, np.setdiff1d(np.arange(width), unread))
        model = self._close(width - len(unread), scores)
        content: bytes = model.SerializeToString(deterministic=True)
        onnx.checker.check_model(content)
        return content

    def _narrow(self, width: int, kept: IntVector) -> None:
        """Let every node read the input's columns where they are once only `kept` ones are left.

        A column that is gone is read as the first of them: the gate finds a score that needs it.
        """
        constants = {value.name: value for value in self._constants}
        places = _places(np.arange(width), kept)
        whole: str | None = None
        for node in [node for node in self._nodes if INPUT in node.input]:
            known = [numpy_helper.to_array(constants[x]) for x in node.input if x in constants]
            if node.op_type == "Gather" and len(known) == 1:
                node.input[1] = self.constant(places[known[0]], np.int64)
            elif node.op_type == "Slice" and len(known) == 3:  # the counts of terms, all kept
                first, end, _ = known
                node.input[1] = self.constant(places[first], np.int64)
                node.input[2] = self.constant(places[first] + end - first, np.int64)
            else:
                if whole is None:
                    whole = self.node("Gather", INPUT, self.constant(places, np.int64), axis=1)
                    self._nodes.insert(0, self._nodes.pop())
                node.input[:] = [whole if name == INPUT else name for name in node.input]

    def _close(self, width: int, scores: Matrix) -> onnx.ModelProto:
        """Move the nodes into a model: memory holds a large forest once, not twice."""
        nodes, constants = self._needed_by(scores.tensor)
        if not nodes:  # the input, or a constant, as it is
            scores = scores.alike(self.node("Identity", scores.tensor))
            nodes = self._nodes[-1:]
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(ML_DOMAIN, ML_OPSET)]
        model = onnx.ModelProto(ir_version=IR_VERSION, opset_import=opsets)
        model.graph.name = "sklambda"
        model.graph.input.append(_matrix(INPUT, width))
        model.graph.output.append(_matrix(OUTPUT, scores.width))
        self._nodes.clear()
        nodes.reverse()
        while nodes:  # a copy is made of each, and then it is gone
            model.graph.node.append(nodes.pop())
        model.graph.initializer.extend(constants)
        self._constants.clear()
        _rename(model.graph.node, scores.tensor, OUTPUT)
        return model

    def _needed_by(self, tensor: str) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
        """Return the nodes and constants that the output depends on; unused outputs are dropped."""
        wanted = {tensor}
        nodes = []
        for node in reversed(self._nodes):
            if wanted.intersection(node.output):
                wanted.update(node.input)
                nodes.append(node)
        return nodes[::-1], [value for value in self._constants if value.name in wanted]


def _places(columns: IntVector, kept: IntVector) -> IntVector:
    """Return the positions of columns among those that are kept, and 0 for the others."""
    found = np.searchsorted(kept, columns).clip(max=len(kept) - 1)
    places: IntVector = np.where(kept[found] == columns, found, 0)
    return places


def _matrix(name: str, width: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, width])


def _rename(nodes: Iterable[onnx.NodeProto], old: str, new: str) -> None:
    for node in nodes:
        for names in (node.input, node.output):
            names[:] = [new if name == old else name for name in names]
