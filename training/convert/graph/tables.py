"""Fitted transformers of categories as tables, which their own ``transform`` fills.

What a transformer makes of each category, of a missing and of an unseen one is a table, whatever
its formula. Only transformers whose code is known to look at one column and one row at a time come
here; that it is so is tried all the same, on rows drawn at random, together and alone.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklambda.arrays import Flags, FloatVector
from training.convert.graph.graph import Matrix
from training.convert.graph.scope import Scope
from training.convert.graph.steps import category_tree, look_up, step_tree, with_columns
from training.convert.graph.trees import Tree, constant_leaf
from training.convert.graph.vocabulary import Vocabulary

TEXT: Final = pd.StringDtype(na_value=np.nan)
"""The dtype of strings where fitting kept none."""

_TEXTS: Final = ("~ unseen 1", "Z", "\u00e9 another that is unseen", "-7.25")
_NUMBERS: Final = (-7654321.5, 0.123456789, 1e17, -1e-9)
_PASSED: Final = (0.0, 1.5, -2.25, 7.0)
_SEED: Final = 0
_DRAWN: Final = 40
_ALONE: Final = 8
_RAISED: Final = (AttributeError, IndexError, KeyError, TypeError, ValueError)

type Cells = NDArray[Any]  # [n]: float64, or object for strings
type Row = list[object]


@dataclass(frozen=True, slots=True)
class Result:
    """Transformed rows.

    Attributes
    ----------
    columns : sequence of Cells
        The columns; without any where all rows are refused.
    refused : Flags
        The rows for which the transformer raises.
    """

    columns: Sequence[Cells]
    refused: Flags

    def column(self, place: int) -> Cells:
        """Return one column, of NaN where all rows are refused."""
        return self.columns[place] if self.columns else np.full(len(self.refused), np.nan)


@dataclass(frozen=True)
class Encoder:
    """A fitted transformer, and what it is tried with.

    Attributes
    ----------
    name : str
        Its class, for messages.
    transform : callable
        Its ``transform``, of a frame [n, K].
    names : sequence
        The names of the frame's columns.
    dtypes : sequence
        Their dtypes.
    vocabularies : sequence of (Vocabulary or None)
        Their vocabularies.
    known : mapping of int to sequence
        By column that it encodes: the categories that it met in fitting.
    made : sequence
        The names of its result's columns.
    closes : bool
        Whether it may encode unseen strings by how they are written: no client may send any.
    """

    name: str
    transform: Callable[[pd.DataFrame], Any]
    names: Sequence[Any]
    dtypes: Sequence[Any]
    vocabularies: Sequence[Vocabulary | None]
    known: Mapping[int, Sequence[object]]
    made: Sequence[Any]
    closes: bool = False

    @cached_property
    def categories(self) -> Mapping[int, list[object]]:
        """By column that it encodes: the categories that a row can hold or the fitting met."""
        return {
            place: _categories(known, self.vocabularies[place])
            for place, known in self.known.items()
        }

    @cached_property
    def unseen(self) -> Mapping[int, list[object]]:
        """By column that it encodes: unseen categories, unlike each other."""
        if self.closes:
            return {place: [] for place in self.known}
        return {
            place: [
                value
                for value in (_NUMBERS if self.vocabularies[place] is None else _TEXTS)
                if value not in self.categories[place]
            ]
            for place in self.known
        }

    @cached_property
    def usual(self) -> Row:
        """A row that it accepts, if any."""
        row: Row = []
        for place, vocabulary in enumerate(self.vocabularies):
            if place in self.known:
                known = self.known[place]
                own = next((each for each in self.categories[place] if each in known), np.nan)
            elif vocabulary is None:
                own = _PASSED[1]
            else:
                own = next(iter(vocabulary.categories), np.nan)
            row.append(own)
        return row

    @cached_property
    def passed(self) -> Sequence[int | None]:
        """By column of the result: the place of the column that it passes on, if it does."""
        places = {
            str(name): place
            for place, name in reversed([*enumerate(self.names)])
            if place not in self.known
        }
        return [places.get(str(name)) for name in self.made]

    def varied(self, place: int) -> list[Row]:
        """Return rows with each category of a column, then a missing one, then unseen ones."""
        values = [*self.categories[place], np.nan, *self.unseen[place]]
        return [[*self.usual[:place], value, *self.usual[place + 1 :]] for value in values]

    def drawn(self) -> list[Row]:
        """Return rows of which each column is drawn at random."""
        generator = np.random.default_rng(_SEED)
        choices: list[list[object]] = [
            [*self.categories[place], np.nan, *self.unseen[place]]
            if place in self.known
            else [*(_PASSED if vocabulary is None else vocabulary.categories)] or [np.nan]
            for place, vocabulary in enumerate(self.vocabularies)
        ]
        return [[own[int(generator.integers(len(own)))] for own in choices] for _ in range(_DRAWN)]

    def run(self, rows: Sequence[Row]) -> Result:
        """Transform rows; where it raises, halving finds the rows that it refuses."""
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")  # of pandas 4, and of unseen categories
                return _result(self.transform(self._frame(rows)))
        except _RAISED:
            if len(rows) == 1:
                return Result((), np.ones(1, dtype=bool))
            half = len(rows) // 2
            return _joined(self.run(rows[:half]), self.run(rows[half:]))

    def _frame(self, rows: Sequence[Row]) -> pd.DataFrame:
        columns = [
            _series([row[place] for row in rows], dtype) for place, dtype in enumerate(self.dtypes)
        ]
        return pd.concat(columns, axis=1).set_axis([*self.names], axis=1)


def _categories(known: Sequence[object], vocabulary: Vocabulary | None) -> list[object]:
    more = () if vocabulary is None else vocabulary.categories
    wanted = (int, float, np.number, np.bool_) if vocabulary is None else (str,)
    present = [
        each.item() if isinstance(each, np.generic) else each
        for each in (*known, *more)
        if isinstance(each, wanted) and each == each
    ]
    return list(dict.fromkeys(present))


def _series(values: Sequence[object], dtype: Any) -> "pd.Series[Any]":
    if isinstance(dtype, pd.CategoricalDtype):
        new = [
            each for each in dict.fromkeys(values) if each == each and each not in dtype.categories
        ]
        known = dtype.categories.append(pd.Index(new)) if new else dtype.categories
        return pd.Series(pd.Categorical(np.array(values, object), known, ordered=dtype.ordered))
    if isinstance(dtype, np.dtype) and dtype.kind in "biuf":
        dtype = np.dtype(np.float64)  # some are missing
    return pd.Series(values, dtype=dtype)


def _result(found: Any) -> Result:
    plain = isinstance(found, pd.DataFrame)
    frame = found if plain else pd.DataFrame(np.asarray(found, dtype=object))
    columns = [_cells(frame.iloc[:, place]) for place in range(frame.shape[1])]
    return Result(columns, np.zeros(len(frame), dtype=bool))


def _cells(column: "pd.Series[Any]") -> Cells:
    values: Cells = column.astype(object).where(column.notna(), np.nan).to_numpy()
    if any(isinstance(value, str) for value in values):
        return values
    return values.astype(np.float64)


def _joined(one: Result, other: Result) -> Result:
    first = one if one.columns else other
    columns = [
        np.concatenate([one.column(place), other.column(place)])
        for place in range(len(first.columns))
    ]
    return Result(columns, np.concatenate([one.refused, other.refused]))


@dataclass(frozen=True)
class _Table:
    """What a transformer makes of its usual row, and of that with each category of a column."""

    encoder: Encoder
    usual: Result
    parts: Mapping[int, Result]

    @cached_property
    def read(self) -> Sequence[Sequence[int]]:
        """By column of the result: the columns whose categories change it."""
        return [
            [place for place, part in self.parts.items() if self._varies(part, number)]
            if passed is None
            else []
            for number, passed in enumerate(self.encoder.passed)
        ]

    def _varies(self, part: Result, number: int) -> bool:
        own = part.column(number)[~part.refused]
        return not _same(own, np.resize(self.usual.column(number), len(own))).all()

    def cells(self, number: int) -> Cells:
        """Return a column of the result for each category of the first that it reads."""
        on = self.read[number]
        return (self.parts[on[0]] if on else self.usual).column(number)


def tabulated(encoder: Encoder, matrix: Matrix, scope: Scope) -> Matrix:
    """Convert a transformer of categories by its table, and of other columns that it passes on.

    Parameters
    ----------
    encoder : Encoder
        The transformer.
    matrix : Matrix
        Shape [N, K].
    scope : Scope
        The place in the pipeline.

    Returns
    -------
    Matrix
        Its columns, in the order of the transformer's.

    Raises
    ------
    ConversionRefused
        A column of the result depends on several columns, on other rows, or on how an unseen
        category is written.
    """
    usual = encoder.run([encoder.usual])
    if len(usual.columns) != len(encoder.made):
        scope.refuse(
            f"{encoder.name} does not make the columns that it names, {encoder.made}, of a row of "
            "known categories: fit it again, on all columns"
        )
    parts = {place: encoder.run(encoder.varied(place)) for place in encoder.known}
    for place in encoder.known if encoder.closes else ():
        if (vocabulary := matrix.vocabularies[place]) is not None:
            vocabulary.close()
    table = _Table(encoder, usual, parts)
    _require_apart(table, scope)
    trees: list[Tree] = []
    order, vocabularies = [], []
    for number, passed in enumerate(encoder.passed):
        if passed is not None:
            order.append(passed)
            vocabularies.append(matrix.vocabularies[passed])
            continue
        order.append(matrix.width + len(trees))
        tree, vocabulary = _tree(table, number, scope)
        trees.append(tree)
        vocabularies.append(vocabulary)
    if not order:
        scope.refuse(f"{encoder.name} leaves no column: keep at least one")
    graph = scope.graph
    found = graph.join([matrix, look_up(graph, matrix, trees)]) if trees else matrix
    return replace(graph.take(found, order), vocabularies=tuple(vocabularies))


def _same(one: Cells, other: Cells) -> Flags:
    same: Flags = (one == other) | ((one != one) & (other != other))
    return same.astype(bool)


def _tree(table: _Table, number: int, scope: Scope) -> tuple[Tree, Vocabulary | None]:
    """Build the look-up of one column of the result."""
    encoder, on, cells = table.encoder, table.read[number], table.cells(number)
    vocabulary = None
    if cells.dtype == object:
        vocabulary = encoder.vocabularies[on[0]] if on else None
        vocabulary = vocabulary or Vocabulary(())
    if len(on) > 1:
        scope.refuse(
            f"{encoder.name} makes {encoder.made[number]!r} of several columns together: encode "
            "each column by itself"
        )
    if vocabulary is not None and any(not isinstance(cell, str) and cell == cell for cell in cells):
        scope.refuse(
            f"{encoder.name} makes strings and numbers of {encoder.made[number]!r}: have it make "
            "one of them"
        )
    numbers = [_number(cell, vocabulary) for cell in cells]
    if not on:
        return constant_leaf(numbers[0]), vocabulary
    place, count = on[0], len(encoder.categories[on[0]])
    *known, missing = numbers[: count + 1]
    unseen = numbers[count + 1 :] or [np.nan]
    if not all(_same(np.array(unseen), np.full(len(unseen), unseen[0]))):
        scope.refuse(
            f"{encoder.name} encodes unseen categories of {encoder.names[place]!r} by how they are "
            "written: use a TargetEncoder or an OneHotEncoder, for which all unseen are alike"
        )
    values = dict(zip(encoder.categories[place], known, strict=True))
    tree = category_tree(place, encoder.vocabularies[place], values, unseen[0], missing)
    return tree, vocabulary


def _number(cell: object, vocabulary: Vocabulary | None) -> float:
    if vocabulary is not None and isinstance(cell, str):
        return vocabulary.code(cell)
    return float(cell)  # type: ignore[arg-type]  # a number, or NaN


def _require_apart(table: _Table, scope: Scope) -> None:
    """Raise `ConversionRefused` if rows drawn at random are not what the table says of them."""
    encoder = table.encoder
    rows = encoder.drawn()
    found = encoder.run(rows)
    expected = [_expected(table, rows, number) for number in range(len(encoder.made))]
    alone = [encoder.run([row]) for row in rows[:_ALONE]]
    for number, cells in enumerate(expected):
        together = _same(found.column(number), cells) | found.refused
        apart = [
            bool(each.refused[0] or _same(each.column(number), cells[place : place + 1])[0])
            for place, each in enumerate(alone)
        ]
        if not (together.all() and all(apart)):
            scope.refuse(
                f"{encoder.name} makes {encoder.made[number]!r} of other columns or rows too: "
                "encode each column by itself"
            )


def _expected(table: _Table, rows: Sequence[Row], number: int) -> Cells:
    encoder, on, cells = table.encoder, table.read[number], table.cells(number)
    passed = encoder.passed[number]
    if passed is not None:
        return np.array([row[passed] for row in rows], dtype=object)
    if not on:
        return np.resize(cells, len(rows))
    values = [row[on[0]] for row in encoder.varied(on[0])]
    where = {value: place for place, value in enumerate(values) if value == value}
    missing = len(encoder.categories[on[0]])
    return cells[[where.get(row[on[0]], missing) for row in rows]]


def stepped(
    encoder: Encoder, bounds: Mapping[int, FloatVector], matrix: Matrix, scope: Scope
) -> Matrix:
    """Convert a transformer of numbers that is constant between bounds, in place.

    Parameters
    ----------
    encoder : Encoder
        The transformer; what it knows of a column are values that it accepts.
    bounds : mapping of int to FloatVector
        By column: ascending, each the last value before a step.
    matrix, scope
        As of `tabulated`.
    """
    trees, vocabularies = [], []
    for place, own in bounds.items():
        usual = list(encoder.usual)
        values = [*own, np.nextafter(own[-1], np.inf)] if len(own) else [usual[place]]
        rows = [[*usual[:place], value, *usual[place + 1 :]] for value in (*values, np.nan)]
        found = encoder.run(rows)
        cells = found.column(place)
        strings = cells.dtype == object
        vocabularies.append(Vocabulary(()) if strings else None)
        *numbers, missing = (_number(cell, vocabularies[-1]) for cell in cells)
        trees.append(step_tree(place, own, np.array(numbers), missing))
    looked_up = replace(look_up(scope.graph, matrix, trees), vocabularies=tuple(vocabularies))
    return with_columns(scope.graph, matrix, list(bounds), looked_up)
