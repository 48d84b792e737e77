"""Expressions of one column of a step's output: what the user's code did to the columns it got."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from sklambda.signature import TermCounts, TextReading, TextStep

type Kind = Literal["number", "integer", "boolean", "category", "moment", "span"]
type Array = NDArray[Any]
type Steps = tuple[TextStep, ...]

UNITS_A_SECOND: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


class Mark:
    """A cell of a table that is no value."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


UNSEEN: Final = Mark("unseen")
"""The key of all categories outside of the vocabulary."""

PASSED: Final = Mark("passed")
"""The value for an unseen category that is passed on as it is."""

UNKNOWN: Final = Mark("unknown")
"""The value for an unseen category that depends on the category itself."""


@dataclass(frozen=True, eq=False, slots=True)
class Table:
    """A function of columns that hold few values: its value for each combination of them.

    Attributes
    ----------
    leaves : tuple of int
        The columns.
    cells : dict of tuple to object
        By a key a column: a value, None for missing, or `UNSEEN`.
    """

    leaves: tuple[int, ...]
    cells: dict[tuple[Any, ...], Any]

    def at(self, key: tuple[Any, ...]) -> Any:
        """Return the value for a key; what the table does not know is unseen."""
        if key in self.cells:
            return self.cells[key]
        known = [{each[place] for each in self.cells} for place in range(len(self.leaves))]
        near = tuple(one if one in seen else UNSEEN for one, seen in zip(key, known, strict=True))
        return self.cells.get(near, UNKNOWN)


@dataclass(frozen=True, eq=False, slots=True)
class Expression:
    """One node of what was recorded; two are the same only if they are one object.

    Attributes
    ----------
    operation : str
        "leaf", "constant", "table", or a name of `operations.OPERATIONS`.
    kind : Kind
        What its values are. A moment counts units since 1970, a span counts units.
    arguments : tuple of Expression
        What the operation is applied to.
    value : object
        The position of a leaf, the constant, the table, or a parameter of the operation.
    leaves : frozenset of int
        The columns that it depends on.
    """

    operation: str
    kind: Kind
    arguments: tuple["Expression", ...] = ()
    value: Any = None
    leaves: frozenset[int] = field(init=False)

    def __post_init__(self) -> None:
        own: frozenset[int] = frozenset()
        if self.operation == "leaf":
            own = frozenset((self.value,))
        elif self.operation == "table":
            own = frozenset(self.value.leaves)
        object.__setattr__(self, "leaves", own.union(*(each.leaves for each in self.arguments)))


@dataclass(frozen=True, slots=True)
class Source:
    """How a column is made of a text.

    Attributes
    ----------
    place : int
        The column of the text.
    steps : tuple of TextStep
        What is done to it.
    reading : Reading
        What it then is read as.
    """

    place: int
    steps: Steps
    reading: TextReading

    @property
    def counts(self) -> TermCounts:
        """The column as the codec makes it."""
        return TermCounts(feature="", analyzer=None, steps=self.steps, reading=self.reading)


@dataclass(frozen=True, slots=True)
class Numerals:
    """How a column of texts is made of whole numbers.

    Attributes
    ----------
    place : int
        The column of the numbers.
    texts : tuple of (number, str)
        What is written for each of those that are known.
    """

    place: int
    texts: tuple[tuple[float, str], ...]


def is_missing(value: Any) -> bool:
    """Check whether a value is None, NaN, NaT or NA."""
    if value is None:
        return True
    if isinstance(value, (float, np.floating)):
        return bool(value != value)
    return type(value).__name__ in ("NAType", "NaTType") or (
        isinstance(value, (np.datetime64, np.timedelta64)) and bool(np.isnat(value))
    )


def key_of(value: Any) -> Any:
    """Return a value as a key of tables; all missing values are None."""
    return None if is_missing(value) else value


def kind_of(values: Any) -> Kind:
    """Return the kind of the values of a series or an array."""
    dtype = np.dtype(object) if not hasattr(values, "dtype") else values.dtype
    kind = getattr(dtype, "kind", "O")
    found: Kind | None = _KINDS.get(kind)
    if found is not None and type(dtype).__name__ != "CategoricalDtype":
        return found
    present = [value for value in values if not is_missing(value)]
    plain = all(isinstance(value, (bool, int, float, np.number, np.bool_)) for value in present)
    return "number" if plain and present else "category"


_KINDS: Final[dict[str, Kind]] = {
    "b": "boolean",
    "f": "number",
    "i": "integer",
    "u": "integer",
    "M": "moment",
    "m": "span",
}


def constant(value: Any) -> Expression:
    """Return a constant of the kind that its type says."""
    if isinstance(value, (bool, np.bool_)):
        return Expression("constant", "boolean", value=bool(value))
    if isinstance(value, (int, np.integer)) and not isinstance(value, np.timedelta64):
        return Expression("constant", "integer", value=int(value))
    if isinstance(value, (float, np.floating)):
        return Expression("constant", "number", value=float(value))
    return Expression("constant", "category", value=key_of(value))


def number(expression: Expression) -> Expression:
    """Return an expression as float64."""
    return _as("number", expression, float)


def integer(expression: Expression) -> Expression:
    """Return an expression as int64, as a cast does it."""
    return _as("integer", expression, int)


def boolean(expression: Expression) -> Expression:
    """Return whether an expression is not 0."""
    return _as("boolean", expression, bool)


def _as(kind: Kind, expression: Expression, convert: type) -> Expression:
    if expression.kind == kind:
        return expression
    if expression.operation == "constant":
        value = np.nan if expression.value is None else expression.value
        if kind == "number" or value == value:
            return Expression("constant", kind, value=convert(value))
    return Expression(f"to_{kind}", kind, (expression,))


_CONVERT: Final = {"number": number, "integer": integer, "boolean": boolean}
_PLAIN: Final = ("number", "integer", "boolean")
_BY_DTYPE: Final = frozenset(["add", "sub", "mul", "neg", "abs", "maximum", "minimum", "sign"])
_FLAGS: Final = {"add": "or", "mul": "and", "maximum": "or", "minimum": "and"}
_COMPARISONS: Final = frozenset(["lt", "le", "gt", "ge", "eq", "ne"])
_LOGIC: Final = frozenset(["and", "or", "xor", "not"])


def is_nothing(expression: Expression) -> bool:
    """Check whether an expression is the constant for a missing value."""
    return expression.operation == "constant" and expression.value is None


def is_plain(expression: Expression) -> bool:
    """Check whether an expression is a number, an integer or a boolean, or a missing value."""
    return expression.kind in _PLAIN or is_nothing(expression)


def operate(name: str, wanted: Kind, *operands: Expression, value: Any = None) -> Expression | None:
    """Apply an operation as numpy does for these kinds; None where it has no rule for them.

    Parameters
    ----------
    name : str
        A name of `operations.OPERATIONS`.
    wanted : Kind
        The kind of numpy's own result.
    operands : Expression
        What it is applied to.
    value : object
        A parameter of the operation.
    """
    if name == "where":
        return _where(wanted, *operands)
    counts = _counts(operands)
    if counts is not None:
        return _of_times(name, wanted, counts)
    if not all(map(is_plain, operands)):
        return None
    if name in _LOGIC:
        return _logic(name, wanted, operands)
    if wanted == "boolean" and name in _FLAGS:
        return Expression(_FLAGS[name], "boolean", tuple(map(boolean, operands)))
    whole = all(each.kind in ("integer", "boolean") for each in operands)
    if name in _COMPARISONS:
        cast = integer if whole else number
        return Expression(name, "boolean", tuple(map(cast, operands)))
    if name in _BY_DTYPE and wanted == "integer":
        return Expression(name, "integer", tuple(map(integer, operands)))
    result = Expression(name, _RESULTS.get(name, "number"), tuple(map(number, operands)), value)
    return _CONVERT[wanted](result) if wanted in _CONVERT else result


_RESULTS: Final[dict[str, Kind]] = dict.fromkeys(("isnan", "isinf", "isfinite"), "boolean")


def _logic(name: str, wanted: Kind, operands: Sequence[Expression]) -> Expression | None:
    if wanted != "boolean":
        return None
    return Expression(name, "boolean", tuple(map(boolean, operands)))


def _where(wanted: Kind, test: Expression, yes: Expression, no: Expression) -> Expression | None:
    if test.kind != "boolean":
        return None
    cast = _CONVERT.get(wanted)
    if cast is not None:
        if not (is_plain(yes) and is_plain(no)):
            return None
        return Expression("where", wanted, (test, cast(yes), cast(no)))
    if wanted in ("moment", "span") and yes.kind != no.kind:
        return None
    return Expression("where", wanted, (test, yes, no))


def _counts(operands: Sequence[Expression]) -> tuple[Expression, ...] | None:
    """Return operands that are all moments or spans."""
    timed = [each.kind in ("moment", "span") for each in operands]
    return tuple(operands) if timed and all(timed) else None


def _of_times(name: str, wanted: Kind, operands: tuple[Expression, ...]) -> Expression | None:
    """Add, subtract or compare counts of one unit."""
    kinds = [each.kind for each in operands]
    known = {
        ("sub", "span"): (["moment", "moment"], ["span", "span"]),
        ("sub", "moment"): (["moment", "span"],),
        ("add", "moment"): (["moment", "span"], ["span", "moment"]),
        ("add", "span"): (["span", "span"],),
    }
    if name in _COMPARISONS and kinds[0] == kinds[1]:
        return Expression(name, "boolean", operands)
    if kinds in known.get((name, wanted), ()):
        return Expression(name, wanted, operands)
    return None
