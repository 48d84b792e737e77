"""Stand-ins for a frame, an array of two dimensions, and a row of a frame."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from training.convert.tracing.columns import (
    Column,
    Scalar,
    Table,
    Value,
    Vector,
    choose,
    column,
    filled,
    lookup,
    of_row,
)
from training.convert.tracing.expressions import Expression
from training.convert.tracing.refusals import ROW_WISE
from training.convert.tracing.trace import Real, Trace


class Frame(Table):
    """A stand-in for a data frame.

    Parameters
    ----------
    trace : Trace
        The run.
    expressions : sequence of Expression
        One a column.
    shadow : DataFrame
        The real values of the sample, [n, K].
    """

    __slots__ = ("demanded", "expressions", "shadow", "trace")
    empty = False

    def __init__(self, trace: Trace, expressions: Sequence[Expression], shadow: Real) -> None:
        object.__setattr__(self, "trace", trace)
        object.__setattr__(self, "expressions", list(expressions))
        object.__setattr__(self, "shadow", shadow)
        object.__setattr__(self, "demanded", None)

    __class__ = property(lambda self: pd.DataFrame)  # for isinstance

    @property
    def parts(self) -> list[Column]:
        """The columns."""
        return [
            Column(self.trace, expression, self.shadow.iloc[:, place])
            for place, expression in enumerate(self.expressions)
        ]

    def part(self, name: Hashable) -> Column:
        """Return the column of a name; raise KeyError."""
        place = self.shadow.columns.get_loc(name)
        if not isinstance(place, int):
            self.trace.refuse(f"the column name {name!r} is not unique", "rename the columns")
        return Column(self.trace, self.expressions[place], self.shadow[name])

    def pick(self, shadow: Any) -> "Frame":
        """Return the columns that a selection of the real frame has."""
        places = [self.shadow.columns.get_loc(name) for name in shadow.columns]
        return Frame(self.trace, [self.expressions[place] for place in places], shadow)

    def become(self, other: "Frame") -> None:
        """Take the columns of another frame, as a change in place does."""
        object.__setattr__(self, "expressions", list(other.expressions))
        object.__setattr__(self, "shadow", other.shadow)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.shadow.columns)

    def __contains__(self, name: Hashable) -> bool:
        return name in self.shadow.columns

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, Column | Vector | Frame | slice):
            self.trace.refuse("rows are picked out of the frame", f"use np.where, and {ROW_WISE}")
        if isinstance(key, (list, pd.Index, np.ndarray, pd.Series)):
            keys = list(key)
            if keys and isinstance(keys[0], (bool, np.bool_)):
                keys = list(self.shadow.columns[np.asarray(keys)])
            return self.pick(self.shadow[keys])
        return self.part(key)

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, Frame):
            for name in self.shadow.columns:
                self[name] = choose(self.trace, key.part(name), value, self.part(name))
            return
        if isinstance(key, (list, pd.Index)):
            if isinstance(value, Frame) and value.demanded is not None:
                self.trace.demand(value.demanded)  # that no row has more columns
            several = value.parts if isinstance(value, Table) else [value] * len(key)
            for name, one in zip(key, several, strict=True):
                self[name] = one
            return
        made = self._one(value)
        shadow = self.shadow.copy()
        shadow[key] = made.shadow if isinstance(made.shadow, pd.Series) else np.asarray(made.shadow)
        names, before = (
            list(self.shadow.columns),
            dict(zip(self.shadow.columns, self.expressions, strict=True)),
        )
        before[key] = made.expression
        names = [*names, key] if key not in names else names
        object.__setattr__(self, "shadow", shadow)
        object.__setattr__(self, "expressions", [before[name] for name in names])

    def _one(self, value: Any) -> Value:
        """Return what one column is set to."""
        if isinstance(value, Table):
            parts = value.parts
            if len(parts) != 1:
                self.trace.refuse(f"{len(parts)} columns are assigned to one")
            value = parts[0]
        if isinstance(value, list | tuple) and len(value) == 1:
            value = value[0]  # of a loop over the rows, which met one
        if isinstance(value, Scalar):
            return column(self.trace, value.expression, np.asarray(value.shadow))
        if isinstance(value, Value):
            return value
        return constant_column(self.trace, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "columns":
            object.__setattr__(self, "shadow", self.shadow.set_axis(list(value), axis=1))
        elif name == "index":
            return
        elif name in self.shadow.columns:
            self[name] = value
        else:
            self.trace.refuse(f"the attribute {name} of a frame is set", f'use X["{name}"] = ...')

    def __delitem__(self, name: Hashable) -> None:
        self.become(self.pick(self.shadow.drop(columns=[name])))

    def __getattr__(self, name: str) -> Any:
        if name in ("columns", "dtypes", "index"):
            return getattr(self.shadow, name)
        if name == "values":
            return grid(self.trace, self.parts)
        if name in ("loc", "iloc", "at"):
            return self.trace.methods["accessors"][name](self)
        if (
            not name.startswith("__")
            and name in self.shadow.columns
            and not hasattr(pd.DataFrame, name)
        ):
            return self.part(name)
        return lookup(self, "frame", pd.DataFrame, name)


class Grid(Table):
    """A stand-in for an array of two dimensions.

    Parameters
    ----------
    trace : Trace
        The run.
    expressions : sequence of Expression
        One a column.
    shadow : array
        The real values of the sample, [n, K].
    """

    def __init__(self, trace: Trace, expressions: Sequence[Expression], shadow: Real) -> None:
        self.trace, self.expressions, self.shadow = trace, list(expressions), shadow
        self.view = False

    __class__ = property(lambda self: np.ndarray)  # for isinstance

    @property
    def parts(self) -> list[Vector]:
        """The columns."""
        return [
            Vector(self.trace, expression, self.shadow[:, place])
            for place, expression in enumerate(self.expressions)
        ]

    def __iter__(self) -> Iterator["Row"]:
        yield Row(self.trace, [(place, one) for place, one in enumerate(self.parts)])

    def __getitem__(self, key: Any) -> Any:
        rows, places = key if isinstance(key, tuple) and len(key) == 2 else (key, slice(None))
        if rows is Ellipsis:
            rows = slice(None)
        if not (isinstance(rows, slice) and rows == slice(None)):
            self.trace.refuse("rows are picked out of an array", f"use np.where, and {ROW_WISE}")
        if places is None:
            self.trace.refuse("an array of three dimensions")
        picked = np.arange(len(self.expressions))[places]
        shadow = self.shadow[:, places]
        found: Any
        if np.ndim(picked) == 0:
            found = Vector(self.trace, self.expressions[int(picked)], shadow)
        else:
            found = Grid(self.trace, [self.expressions[place] for place in picked], shadow)
        found.view = isinstance(places, (int, np.integer, slice))
        return found

    def __setitem__(self, key: Any, value: Any) -> None:
        parts: list[Value] = list(self.parts)
        if isinstance(key, Grid):
            given = value.parts if isinstance(value, Grid) else [value] * len(parts)
            made = zip(key.parts, given, parts, strict=True)
            self.become(grid(self.trace, [choose(self.trace, *each) for each in made]))
            return
        rows, places = key if isinstance(key, tuple) else (key, slice(None))
        picked = np.atleast_1d(np.arange(len(parts))[places]).tolist()
        for order, place in enumerate(picked):
            one = value.parts[order] if isinstance(value, Grid) else value
            if isinstance(rows, slice):
                parts[place] = one if isinstance(one, Value) else constant_column(self.trace, one)
            else:
                parts[place] = choose(self.trace, rows, one, parts[place])
        self.become(grid(self.trace, parts))

    def become(self, other: "Grid") -> None:
        """Take the columns of another array, as a change in place does."""
        if self.view:
            self.trace.refuse("a part of an array is changed in place", "copy the part first")
        self.expressions, self.shadow = list(other.expressions), other.shadow

    def __getattr__(self, name: str) -> Any:
        if name == "dtype":
            return self.shadow.dtype
        if name == "T":
            return Rows(self.parts)
        return lookup(self, "grid", np.ndarray, name)


class Sparse:
    """A stand-in for a sparse matrix, which the code can make dense, and nothing else.

    Parameters
    ----------
    dense : Grid
        What it holds.
    shadow : sparse matrix or array
        The real one of the sample, [n, K].
    """

    ndim = 2

    def __init__(self, dense: Grid, shadow: Any) -> None:
        self.dense, self.shadow = dense, shadow

    __class__ = property(lambda self: type(self.shadow))  # for isinstance

    @property
    def shape(self) -> tuple[int, int]:
        """The rows that the trace follows, and the columns."""
        return self.dense.shape

    def toarray(self) -> Grid:
        """Return the array of two dimensions."""
        return self.dense

    todense = toarray

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or not hasattr(self.shadow, name):
            raise AttributeError(f"{type(self.shadow).__name__!r} object has no attribute {name!r}")
        if name == "A":
            return self.dense
        self._refuse(f"{type(self.shadow).__name__}.{name}")

    def _refuse(self, what: str) -> NoReturn:
        self.dense.trace.refuse(f"{what} of a sparse matrix", "use toarray() before it")

    def __getitem__(self, _: Any) -> Any:
        self._refuse("a part")

    def __array_ufunc__(self, ufunc: Any, *_: Any, **__: Any) -> Any:
        self._refuse(f"np.{ufunc.__name__}")

    def __array__(self, *_: Any, **__: Any) -> Any:
        self._refuse("the array")

    def __mul__(self, _: Any) -> Any:
        self._refuse("arithmetic")

    __add__ = __sub__ = __truediv__ = __matmul__ = __gt__ = __mul__


class Rows:
    """Columns that lie on their side, until they are transposed.

    Parameters
    ----------
    parts : sequence of Value
        The rows of the array, each a column of the sample.
    """

    def __init__(self, parts: Sequence[Any]) -> None:
        self.parts = list(parts)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.parts)

    def __len__(self) -> int:
        return len(self.parts)

    def __getitem__(self, place: Any) -> Any:
        return self.parts[place]

    def transpose(self) -> Grid:
        """Return the array of columns."""
        return grid(self.parts[0].trace, self.parts)

    T = property(transpose)


class Row:
    """A stand-in for one row of a frame, inside of a function of the user's.

    Parameters
    ----------
    trace : Trace
        The run.
    items : sequence of (name, Value)
        The columns.
    """

    def __init__(self, trace: Trace, items: Sequence[tuple[Any, Value]]) -> None:
        self._trace, self._items = trace, dict(items)

    __class__ = property(lambda self: pd.Series)  # for isinstance

    @property
    def index(self) -> pd.Index:
        """The names of the columns."""
        found: pd.Index = pd.Index(list(self._items))
        return found

    def __iter__(self) -> Iterator[Scalar]:
        return iter([self[name] for name in self._items])

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, name: Hashable) -> bool:
        return name in self._items

    def __getitem__(self, name: Any) -> Any:
        if isinstance(name, list):
            return Row(self._trace, [(each, self._items[each]) for each in name])
        one = self._items[name]
        return of_row(self._trace, one.expression, pd.Series(np.asarray(one.shadow)))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in self._items:
            return self[name]
        if name == "get":
            return lambda key, other=None: self[key] if key in self._items else other
        if name in ("sum", "mean", "max", "min", "any", "all", "std"):
            table = frame(self._trace, self._items)
            made = self._trace.methods["tables"]["reduce"](table, name)
            return lambda **_: Scalar(self._trace, made.expression, made.shadow)
        self._trace.refuse(f"row.{name} has no exact conversion", "name the columns: row['a']")


def constant_column(trace: Trace, value: Any) -> Value:
    """Return a column of one constant, which may be given for each row of the sample."""
    if np.ndim(value) == 0:
        return filled(trace, value)
    values = list(np.asarray(value).ravel())
    if len(values) != trace.count or any(
        not (one == values[0] or (one != one and values[0] != values[0])) for one in values
    ):
        trace.refuse("a column that differs from row to row without regard to the values")
    return filled(trace, values[0])


def frame(trace: Trace, columns: Mapping[Any, Any]) -> Frame:
    """Return a frame of columns and constants by name."""
    made = Frame(trace, [], pd.DataFrame(index=trace.index))
    for name, value in columns.items():
        made[name] = value
    return made


def grid(trace: Trace, parts: Iterable[Any]) -> Grid:
    """Return an array of columns and constants, side by side."""
    stands = [one if isinstance(one, Value) else constant_column(trace, one) for one in parts]
    arrays = [np.asarray(one.shadow) for one in stands]
    if len({each.dtype.kind in "OUT" for each in arrays}) > 1:
        arrays = [each.astype(object) for each in arrays]
    shadow = np.column_stack(arrays) if arrays else np.empty((trace.count, 0))
    return Grid(trace, [one.expression for one in stands], shadow)


def spread_over(first: Any, function: Callable[..., Any], inputs: Sequence[Any]) -> Any:
    """Call a function of columns on each column of a frame or an array."""
    if isinstance(first, Frame):
        names = list(first.shadow.columns)
        made = {name: function(*(_of(each, first, name) for each in inputs)) for name in names}
        return frame(first.trace, made)
    width = max(map(_width, inputs))
    return grid(
        first.trace,
        [function(*(_at(each, place) for each in inputs)) for place in range(width)],
    )


def _width(given: Any) -> int:
    if isinstance(given, Table):
        return len(given.expressions)
    return 1 if isinstance(given, Value) or not np.ndim(given) else int(np.shape(given)[-1])


def _of(given: Any, first: Frame, name: Any) -> Any:
    """Return what belongs to a column of a frame, by name, or by place where it has none."""
    if isinstance(given, Frame):
        if list(given.shadow.columns) != list(first.shadow.columns):
            first.trace.refuse(
                "two frames of other columns are combined", "use their .values, or name the columns"
            )
        return given.part(name)
    if isinstance(given, Grid):
        return _at(given, first.shadow.columns.get_loc(name))
    if isinstance(given, Value):
        if given.rank:
            first.trace.refuse(
                "a frame and a column are combined, which pandas does by the names of columns",
                "use axis=0: X.div(column, axis=0)",
            )
        return given
    if isinstance(given, (dict, pd.Series)):
        return given[name]
    if np.ndim(given) == 1:
        return given[first.shadow.columns.get_loc(name)]
    return given


def _at(given: Any, place: int) -> Any:
    if isinstance(given, Table):
        parts = given.parts
        return parts[min(place, len(parts) - 1)]
    if isinstance(given, Value):
        if given.rank:
            given.trace.refuse(
                "an array of two dimensions and a column are combined, which numpy does by columns",
                "use column.reshape(-1, 1)",
            )
        return given
    if np.ndim(given) == 0:
        return given
    values = np.ravel(given)
    return values[place if len(values) > 1 else 0]
