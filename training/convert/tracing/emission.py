"""Expressions as nodes of the graph.

Columns of one form, as the logarithms of all, share their nodes: the tensors are [N, columns].
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from onnx import TensorProto

from sklambda.arrays import FloatVector
from sklambda.session import INPUT
from sklambda.signature import UNSEEN as UNSEEN_CODE
from training.convert.families.text import read_text
from training.convert.graph.graph import Graph, Matrix, Origin
from training.convert.graph.steps import category_tree, look_up, step_tree
from training.convert.graph.trees import Tree
from training.convert.graph.vocabulary import Vocabulary
from training.convert.tracing.delegated.estimators import Call
from training.convert.tracing.expressions import (
    PASSED,
    UNITS_A_SECOND,
    UNKNOWN,
    UNSEEN,
    Expression,
    Numerals,
    is_missing,
)
from training.convert.tracing.leaves import passes, passing_leaves, texts_of
from training.convert.tracing.operations import OPERATIONS, computed, steps_of, whole_base
from training.convert.tracing.trace import Leaf

type Bundle = tuple[Expression, ...]
type Estimate = Callable[[Call, Bundle, Matrix], Matrix]

_ELSEWHERE: Final = -2.0
"""What a look-up gives for an unseen category that is passed on."""

_WHOLE: Final = np.arange(-128.0, 1536.0)
"""Whole numbers that are looked up: hours, days of a year, minutes of a day."""

_CASTS: Final = {"integer": TensorProto.INT64, "boolean": TensorProto.BOOL}
_TYPES: Final = {"number": np.float64, "integer": np.int64, "boolean": np.bool_}


class Emission:
    """Adds the nodes of expressions.

    Parameters
    ----------
    graph : Graph
        The graph.
    matrix : Matrix
        The columns that the step gets.
    leaves : sequence of Leaf
        What they hold.
    estimate : callable
        Converts an estimator that the code called, on a matrix of what it was called with.
    """

    def __init__(
        self, graph: Graph, matrix: Matrix, leaves: Sequence[Leaf], estimate: Estimate
    ) -> None:
        self._graph, self._matrix, self._leaves = graph, _own_columns(graph, matrix), leaves
        self._estimate = estimate
        self._answers: dict[Any, Matrix] = {}
        self._made: dict[Any, str] = {}
        self._forms: dict[Any, int] = {}
        self._form_of: dict[int, int] = {}
        units = [np.datetime_data(leaf.like)[0] for leaf in leaves if leaf.kind == "moment"]
        self._unit = max(units, key=lambda unit: UNITS_A_SECOND[unit], default="s")

    def columns(self, expressions: Sequence[Expression]) -> Matrix:
        """Return the matrix of expressions, [N, len(expressions)]."""
        vocabularies = [_vocabulary(each, self._leaves) for each in expressions]
        forms: dict[Any, list[int]] = {}
        for place, each in enumerate(expressions):
            forms.setdefault((self._form(each), vocabularies[place] is None), []).append(place)
        blocks, order = [], []
        for places in forms.values():
            bundle = tuple(expressions[place] for place in places)
            codes = tuple(vocabularies[place] for place in places)
            origins = tuple(map(self._origin, bundle))
            blocks.append(Matrix(self._wide(bundle, codes), codes, origins))
            order += places
        joined = self._graph.join(blocks)
        return self._graph.take(joined, np.argsort(order).tolist())

    def true(self, tensor: str) -> str:
        """Return whether a tensor of numbers is 1."""
        return self._graph.node("Equal", tensor, self._graph.constant(1.0))

    def _origin(self, expression: Expression) -> Origin | None:
        """Return the column that an expression is computed from alone, and how, for trees."""
        if expression.kind not in ("number", "boolean") or not expression.leaves:
            return None
        if expression.operation == "estimated":
            return self._answer(expression).origin(expression.value.place)
        if whole_base(expression, self._is_whole) is not None:
            return None  # its values are looked up, and exact
        found = steps_of(expression)
        if found is None or self._leaves[found[0]].source is not None:
            return None
        if self._matrix.vocabularies[found[0]] is not None:
            return None
        place, steps = found
        origin = self._matrix.origin(place)
        for step in steps:
            origin = origin.then(step)
        return origin

    def _form(self, expression: Expression) -> int:
        """Return a number that expressions share which can share their nodes."""
        known = self._form_of.get(id(expression))
        if known is not None:
            return known
        value = None if expression.operation in ("leaf", "constant") else expression.value
        if expression.operation == "table":
            value = len(expression.value.leaves) > 1, passes(expression)
        if expression.operation == "estimated":
            value = id(expression.value.call)
        form = (
            expression.operation,
            expression.kind,
            value,
            tuple(map(self._form, expression.arguments)),
        )
        self._form_of[id(expression)] = self._forms.setdefault(form, len(self._forms))
        return self._form_of[id(expression)]

    def _wide(self, bundle: Bundle, codes: tuple[Vocabulary | None, ...]) -> str:
        tensor = self._tensor(bundle, codes)
        if bundle[0].kind in ("integer", "boolean", "moment", "span"):
            tensor = self._graph.double(tensor)
        if any(each.leaves for each in bundle):
            return tensor
        rows = self._graph.node("Shape", self._matrix.tensor, start=0, end=1)
        width = self._graph.constant([len(bundle)], np.int64)
        shape = self._graph.node("Concat", rows, width, axis=0)
        return self._graph.node("Expand", tensor, shape)

    def _tensor(self, bundle: Bundle, codes: tuple[Vocabulary | None, ...]) -> str:
        key = (tuple(map(id, bundle)), tuple(map(id, codes)))
        if key not in self._made:
            self._made[key] = self._add(bundle, codes)
        return self._made[key]

    def _add(self, bundle: Bundle, codes: tuple[Vocabulary | None, ...]) -> str:
        first = bundle[0]
        if first.operation == "constant":
            return self._constant(bundle, codes)
        if first.operation == "leaf":
            return self._leaf(bundle, codes)
        if first.operation == "table":
            return self._table(bundle, codes)
        if first.operation == "estimated":
            return self._estimated(bundle)
        bases = [whole_base(each, self._is_whole) for each in bundle]
        if all(base is not None for base in bases):
            return self._of_whole(bundle, tuple(base for base in bases if base is not None))
        return self._operated(bundle, codes)

    def _estimated(self, bundle: Bundle) -> str:
        places = [each.value.place for each in bundle]
        tensor = self._graph.take(self._answer(bundle[0]), places).tensor
        to = _CASTS.get(bundle[0].kind)
        return tensor if to is None else self._graph.node("Cast", tensor, to=to)

    def _answer(self, expression: Expression) -> Matrix:
        """Return all columns that a call of an estimator gave, of which an expression is one."""
        call, inputs = expression.value.call, expression.arguments
        if call not in self._answers:
            self._answers[call] = self._estimate(call, inputs, self.columns(inputs))
        return self._answers[call]

    def _is_whole(self, leaf: Expression) -> bool:
        return bool(self._leaves[leaf.value].is_whole)

    def _of_whole(self, bundle: Bundle, bases: Bundle) -> str:
        """Look up what is inexact of whole numbers: in the range, the values are numpy's own."""
        graph, none = self._graph, (None,) * len(bundle)
        numbers = Matrix(graph.double(self._tensor(bases, none)), none)
        whole = graph.node("Equal", numbers.tensor, graph.node("Floor", numbers.tensor))
        trees = [
            step_tree(place, _WHOLE[:-1] + 0.5, _at_whole(each, base), np.nan)
            for place, (each, base) in enumerate(zip(bundle, bases, strict=True))
        ]
        low, high = (graph.constant(end) for end in (_WHOLE[0], _WHOLE[-1]))
        inside = graph.node(
            "And",
            graph.node("GreaterOrEqual", numbers.tensor, low),
            graph.node("LessOrEqual", numbers.tensor, high),
        )
        inside = graph.node("And", inside, whole)
        direct = self._operated(bundle, none)
        return graph.node("Where", inside, look_up(graph, numbers, trees).tensor, direct)

    def _operated(self, bundle: Bundle, codes: tuple[Vocabulary | None, ...]) -> str:
        first = bundle[0]
        none: tuple[None, ...] = (None,) * len(bundle)
        inputs = [
            self._tensor(
                tuple(each.arguments[place] for each in bundle),
                codes if first.operation == "where" and place else none,
            )
            for place in range(len(first.arguments))
        ]
        if first.operation == "count":
            return self._counted(inputs[0], first.value)
        more = () if first.value is None else (first.value,)
        return OPERATIONS[first.operation].emit(self._graph, *inputs, *more)

    def _counted(self, tensor: str, unit: str) -> str:
        """Return a count in a coarser unit than the graph's."""
        factor = UNITS_A_SECOND[self._unit] // UNITS_A_SECOND[unit]
        if factor == 1:
            return tensor
        parts = self._graph.constant(factor, np.int64)
        return OPERATIONS["whole_part"].emit(self._graph, tensor, parts)

    def _constant(self, bundle: Bundle, codes: tuple[Vocabulary | None, ...]) -> str:
        kind = bundle[0].kind
        if kind in ("moment", "span"):
            counts = [
                int(each.value.astype(f"{each.value.dtype.kind}8[{self._unit}]").astype(np.int64))
                for each in bundle
            ]
            return self._graph.constant([counts], np.int64)
        if kind == "category":
            values = [
                _code(each.value, vocabulary)
                for each, vocabulary in zip(bundle, codes, strict=True)
            ]
            return self._graph.constant([values])
        return self._graph.constant([[each.value for each in bundle]], _TYPES[kind])

    def _taken(self, places: Sequence[int]) -> str:
        """Return columns that the step gets, or that the codec makes of its texts."""
        if all(self._leaves[place].source is None for place in places):
            return self._graph.take(self._matrix, places).tensor
        parts = [self._column(place) for place in places]
        return parts[0] if len(parts) == 1 else self._graph.node("Concat", *parts, axis=1)

    def _column(self, place: int) -> str:
        leaf = self._leaves[place]
        source, codes = leaf.source, leaf.vocabulary
        if source is None:
            return self._graph.take(self._matrix, [place]).tensor
        if isinstance(source, Numerals):
            return self._graph.once(("numerals", id(leaf)), lambda: self._written(source, codes))
        text = self._matrix.vocabularies[source.place]
        assert text is not None
        return self._graph.once(
            ("text", id(text), source, id(codes)),
            lambda: read_text(self._graph, text, source.counts, codes),
        )

    def _written(self, source: Numerals, codes: Vocabulary | None) -> str:
        """Return the codes of whole numbers that are written as texts, [N, 1]."""
        assert codes is not None
        values: dict[object, float] = {number: codes.code(text) for number, text in source.texts}
        tree = category_tree(source.place, None, values, UNSEEN_CODE, np.nan)
        return look_up(self._graph, self._matrix, [tree]).tensor

    def require_known(self, place: int) -> None:
        """Let rows have no score of whose text nothing is known."""
        leaf = self._leaves[place]
        codes = leaf.vocabulary
        if isinstance(leaf.source, Numerals):
            self._graph.require_known(self._matrix.origin(leaf.source.place))
        elif codes is not None:
            codes.use()
            unseen = self._graph.node(
                "Equal", self._column(place), self._graph.constant(UNSEEN_CODE)
            )
            self._graph.require(self._graph.node("Not", unseen))

    def _wide_matrix(self, places: Sequence[int]) -> Matrix:
        """Return a matrix with the columns that are made of texts at their places."""
        width = self._matrix.width
        if max(places) < width:
            return self._matrix
        first = self._graph.take(self._matrix, [0])  # in the place of those that are not read
        made = [
            Matrix(self._column(place), (self._leaves[place].vocabulary,))
            if place in places
            else first
            for place in range(width, max(places) + 1)
        ]
        return self._graph.join([self._matrix, *made])

    def _leaf(self, bundle: Bundle, codes: tuple[Vocabulary | None, ...]) -> str:
        graph, kind = self._graph, bundle[0].kind
        taken = self._taken([each.value for each in bundle])
        if kind == "category":
            others = [
                vocabulary is not None and vocabulary is not self._leaves[each.value].vocabulary
                for each, vocabulary in zip(bundle, codes, strict=True)
            ]
            return self._recoded(bundle, codes) if any(others) else taken
        if kind == "boolean":
            return graph.node("Cast", taken, to=TensorProto.BOOL)
        if kind == "number":
            return taken
        counts = graph.node("Cast", taken, to=TensorProto.INT64)
        if kind != "moment":
            return counts
        factors = [
            UNITS_A_SECOND[self._unit] // UNITS_A_SECOND[_unit_of(self._leaves[each.value])]
            for each in bundle
        ]
        if set(factors) == {1}:
            return counts
        return graph.node("Mul", counts, graph.constant([factors], np.int64))

    def _recoded(self, bundle: Bundle, codes: tuple[Vocabulary | None, ...]) -> str:
        """Return leaves in the codes of other vocabularies."""
        trees = []
        for each, vocabulary in zip(bundle, codes, strict=True):
            leaf = self._leaves[each.value]
            own = leaf.vocabulary
            values = {text: _code(text, vocabulary) for text in _known(leaf)}
            trees.append(category_tree(each.value, own, values, UNSEEN_CODE, np.nan))
        wide = self._wide_matrix([each.value for each in bundle])
        return look_up(self._graph, wide, trees).tensor

    def _table(self, bundle: Bundle, codes: tuple[Vocabulary | None, ...]) -> str:
        graph = self._graph
        if len(bundle[0].value.leaves) == 1:
            trees = [
                self._tree(each, vocabulary) for each, vocabulary in zip(bundle, codes, strict=True)
            ]
            wide = self._wide_matrix([each.value.leaves[0] for each in bundle])
            found = look_up(graph, wide, trees).tensor
            if passes(bundle[0]):
                codes_of = self._taken([each.value.leaves[0] for each in bundle])
                passed = graph.node("Equal", found, graph.constant(_ELSEWHERE))
                found = graph.node("Where", passed, codes_of, found)
        else:
            parts = [
                self._combined(each, vocabulary)
                for each, vocabulary in zip(bundle, codes, strict=True)
            ]
            found = parts[0] if len(parts) == 1 else graph.node("Concat", *parts, axis=1)
        if bundle[0].kind == "boolean":
            return graph.node("Cast", found, to=TensorProto.BOOL)
        return found

    def _tree(self, expression: Expression, vocabulary: Vocabulary | None) -> Tree:
        table = expression.value
        place = table.leaves[0]
        values = {
            key: _number(value, vocabulary)
            for (key,), value in table.cells.items()
            if key is not UNSEEN and key is not None
        }
        unseen = table.cells.get((UNSEEN,), UNKNOWN)
        unknown = (
            _ELSEWHERE
            if unseen is PASSED
            else UNSEEN_CODE
            if unseen is UNKNOWN
            else _number(unseen, vocabulary)
        )
        missing = _number(table.cells.get((None,)), vocabulary)
        return category_tree(place, self._leaves[place].vocabulary, values, unknown, missing)

    def _combined(self, expression: Expression, vocabulary: Vocabulary | None) -> str:
        """Look up a table of several columns by the number of its cell."""
        graph, table = self._graph, expression.value
        keys = [
            list(dict.fromkeys(cell[place] for cell in table.cells))
            for place in range(len(table.leaves))
        ]
        trees = []
        for leaf, known in zip(table.leaves, keys, strict=True):
            places = {key: float(order) for order, key in enumerate(known)}
            plain = {
                key: place for key, place in places.items() if key is not UNSEEN and key is not None
            }
            own = self._leaves[leaf].vocabulary
            trees.append(
                category_tree(leaf, own, plain, places.get(UNSEEN, 0.0), places.get(None, 0.0))
            )
        found = look_up(graph, self._wide_matrix(table.leaves), trees)
        strides = np.cumprod([1, *(len(each) for each in keys[:0:-1])])[::-1].astype(np.float64)
        cell = graph.node("MatMul", found.tensor, graph.constant(strides[:, None]))
        values = [_number(table.cells[key], vocabulary) for key in _product(keys)]
        bounds = np.arange(len(values) - 1, dtype=np.float64) + 0.5
        tree = step_tree(0, bounds, np.array(values), np.nan)
        return look_up(graph, Matrix(cell, (None,)), [tree]).tensor


def _own_columns(graph: Graph, matrix: Matrix) -> Matrix:
    """Return the columns of a matrix alone: behind the input's come those of its texts."""
    if matrix.tensor != INPUT or not any(matrix.vocabularies):
        return matrix
    places = list(range(matrix.width))
    tensor = graph.node("Gather", INPUT, graph.constant(places, np.int64), axis=1)
    return Matrix(tensor, matrix.vocabularies, tuple(map(matrix.origin, places)))


def _unit_of(leaf: Leaf) -> str:
    """Return the unit in which the graph's column counts a date."""
    return "s" if leaf.source is not None else np.datetime_data(leaf.like)[0]


def _at_whole(expression: Expression, base: Expression) -> FloatVector:
    with np.errstate(all="ignore"):
        return computed(expression, base, _WHOLE)


def _product(keys: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = [()]
    for each in keys:
        found = [(*before, key) for before in found for key in each]
    return found


def _known(leaf: Leaf) -> list[Any]:
    return [value for value in leaf.domain or () if value is not None]


def _number(value: Any, vocabulary: Vocabulary | None) -> float:
    if value is UNKNOWN or value is PASSED:
        return UNSEEN_CODE
    if vocabulary is not None:
        return _code(value, vocabulary)
    return np.nan if is_missing(value) else float(value)


def _code(value: Any, vocabulary: Vocabulary | None) -> float:
    if is_missing(value):
        return np.nan
    return float(value) if vocabulary is None else vocabulary.code(value)


def _vocabulary(expression: Expression, leaves: Sequence[Leaf]) -> Vocabulary | None:
    """Return the codes of an output's strings: those of the column that it passes on, if any."""
    if expression.kind != "category":
        return None
    if expression.leaves and not texts_of(expression, leaves):
        return None  # booleans of which some are missing
    passing = passing_leaves(expression, leaves)
    if len(passing) == 1:
        own = leaves[next(iter(passing))].vocabulary
        assert own is not None
        return own
    made = Vocabulary(sorted(texts_of(expression, leaves)))
    made.is_tabulated = True
    return made
