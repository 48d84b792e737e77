"""One run of the user's code on stand-ins: each step is recorded, and checked on the sample.

A stand-in is a pair of an expression and the real values of some rows. Each operation is done to
the real values by pandas or numpy itself, and to the expression by a rule; the rule's values must
be those of pandas. So a rule that does not fit is refused at the line that used it.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import product
from typing import Any, Final, NoReturn

import numpy as np
import pandas as pd

from training.convert.graph.vocabulary import Vocabulary
from training.convert.tracing.expressions import (
    PASSED,
    UNKNOWN,
    Array,
    Expression,
    Kind,
    Numerals,
    Source,
    Table,
    boolean,
    constant,
    is_missing,
    is_nothing,
    key_of,
    kind_of,
    operate,
)
from training.convert.tracing.operations import OPERATIONS
from training.convert.tracing.refusals import CodeRefused, line_of

type Real = Any  # a series or an array of the sample
type Pair = tuple[Expression, Real]
type Rule = Callable[..., Expression | None]

_MOST_WAYS: Final = 256
_MOST_NUMBERS: Final = 16
_GREATEST_NUMBER: Final = 1000
_NEAR: Final = 1e-12
_NEAR_ZERO: Final = 1e-15


@dataclass(slots=True)
class Leaf:
    """A column that the step gets.

    Attributes
    ----------
    values : array
        Shape [n]: those of the sample.
    kind : Kind
        "category" where it holds few values that are no numbers.
    domain : list or None
        The values that it may have, None among them for missing; None for numbers and dates.
    vocabulary : Vocabulary or None
        The codes of its strings in the graph.
    like : dtype
        The dtype of the sample.
    source : Source, Numerals or None
        How it is made of another column, where the step does not get it as it is.
    """

    values: Array
    kind: Kind
    domain: list[Any] | None
    vocabulary: Vocabulary | None
    like: Any
    source: Source | Numerals | None = None

    @property
    def is_whole(self) -> bool:
        """Whether its numbers are whole on the sample."""
        if self.kind != "number":
            return self.kind == "integer"
        present = self.values[np.isfinite(self.values)]
        return bool(len(present)) and bool((present == np.floor(present)).all())

    @property
    def is_open(self) -> bool:
        """Whether clients may send values outside of the domain."""
        return self.vocabulary is not None and not self.vocabulary.is_closed


@dataclass(frozen=True, slots=True)
class Given:
    """An argument that is no column: a list, a mapping, a function."""

    value: Any


class Trace:
    """What is known while the user's code runs on stand-ins.

    Parameters
    ----------
    leaves : list of Leaf
        The columns that the step gets, and behind them those that are made of texts.
    files : collection of str
        The files of the user's code.
    tabulate : callable
        Makes the table of an operation on categories.
    methods : mapping
        The methods of each stand-in, by the name of its class.
    """

    def __init__(
        self,
        leaves: list[Leaf],
        files: set[str],
        tabulate: Callable[..., Expression],
        methods: Mapping[str, Mapping[str, Callable[..., Any]]],
    ) -> None:
        self.leaves, self.files, self.methods = leaves, files, methods
        self.count = len(leaves[0].values) if leaves else 0
        self.index: Any = pd.RangeIndex(self.count)
        self.refusals: list[CodeRefused] = []
        self.demands: list[Expression] = []
        self.whole_texts: set[int] = set()
        self.of_one_row: Callable[[], AbstractContextManager[None]] = nullcontext
        self.is_concrete = False
        self.concrete: set[int] = set()
        self._tests: dict[tuple[int, int], Expression] = {}
        self._equal: dict[tuple[int, int], Expression] = {}
        self._known: dict[Expression, Array] = {}
        self._tabulate = tabulate
        self._prefix: list[bool] = []
        self._taken: list[tuple[Expression, bool]] = []

    def refuse(self, reason: str, remedy: str = "") -> NoReturn:
        """Refuse the user's code at its present line.

        The refusal is kept too, for a bare ``except`` of the user's catches even this one.
        """
        refused = CodeRefused(reason, remedy, line_of(self.files))
        self.refusals.append(refused)
        raise refused

    def demand(self, expression: Expression) -> None:
        """Let rows have no score that take the present way, and of which an expression is false."""
        held = expression
        for test, way in self._taken:
            unless = Expression("not", "boolean", (test,)) if way else test
            held = Expression("or", "boolean", (unless, held))
        if not self.values(held).all():
            self.refuse("it fails on some row", "fill missing values before it")
        self.demands.append(held)

    def values(self, expression: Expression) -> Array:
        """Return the values of an expression on the sample, [n]."""
        if expression not in self._known:
            self._known[expression] = self._values(expression)
        return self._known[expression]

    def know(self, expression: Expression, values: Array) -> None:
        """Keep the values of an expression on the sample, which were computed elsewhere."""
        self._known[expression] = values

    def _values(self, expression: Expression) -> Array:
        if expression.operation == "constant":
            dtype = object if expression.kind == "category" else None
            return np.full(self.count, expression.value, dtype=dtype)
        if expression.operation == "leaf":
            leaf: Leaf = self.leaves[expression.value]
            return leaf.values
        if expression.operation == "table":
            return self._looked_up(expression)
        arguments = [self.values(each) for each in expression.arguments]
        more = () if expression.value is None else (expression.value,)
        with np.errstate(all="ignore"):
            return np.asarray(OPERATIONS[expression.operation].evaluate(*arguments, *more))

    def _looked_up(self, expression: Expression) -> Array:
        table = expression.value
        columns = [self.leaves[place].values for place in table.leaves]
        found = [table.at(tuple(map(key_of, row))) for row in zip(*columns, strict=True)]
        if any(value is PASSED or value is UNKNOWN for value in found):
            self.refuse("the sample has a category that the vocabulary lacks")
        if expression.kind == "category":
            return np.array([*found, None], dtype=object)[:-1]
        plain = [np.nan if is_missing(value) else value for value in found]
        return np.array(plain, dtype=bool if expression.kind == "boolean" else np.float64)

    def apply(
        self,
        name: str,
        real: Callable[..., Real],
        operands: Sequence[Any],
        rule: Rule | None = None,
        *,
        by_equality: bool = False,
        remedy: str = "",
    ) -> Pair:
        """Record an operation, which `real` does to the real values of the operands.

        Its `rule` makes the expression of those of the operands and of the kind of the result; of
        categories a table is made. `by_equality` says that it asks of a category nothing but
        whether it equals one of the constants; `name` and `remedy` are for a refusal.
        """
        parts = [self._operand(each) for each in operands]
        with np.errstate(all="ignore"):
            out = real(*(shadow for _, shadow in parts))
        places = [place for place, each in enumerate(operands) if hasattr(each, "expression")]
        symbols = [parts[place][0] for place in places]
        chosen = name == "where" and not all(map(self.is_tabular, symbols))
        textual = not chosen and any(each.kind == "category" for each in symbols)
        found = None
        if rule is not None and not textual:
            found = rule(*(expression for expression, _ in parts), wanted=kind_of(out))
        if found is None and not chosen:
            found = self._of_categories(name, real, operands, parts, places, by_equality)
        if found is None:
            kinds = " and ".join(dict.fromkeys(each.kind for each in symbols))
            self.refuse(f"{name} of a {kinds} column has no exact conversion", remedy)
        return self.settle(found, out, name)

    def _operand(self, operand: Any) -> tuple[Expression, Any]:
        if hasattr(operand, "expression"):
            return operand.expression, operand.shadow
        if isinstance(operand, Given):
            return constant(None), operand.value
        if isinstance(operand, (np.ndarray, pd.Series)) and operand.ndim and len(operand):
            values = list(np.asarray(operand).ravel())
            if len(values) not in (1, self.count):
                self.refuse(f"an array of {len(values)} values beside a column")
            if any(not same(values[0], value) for value in values[1:]):
                self.refuse("a constant that differs from row to row", "give one value a column")
            return self._constant(values[0]), operand
        return self._constant(operand), operand

    def _constant(self, value: Any) -> Expression:
        if isinstance(value, (pd.Timestamp, np.datetime64)):
            return Expression("constant", "moment", value=np.datetime64(value))
        if isinstance(value, (pd.Timedelta, np.timedelta64)):
            return Expression("constant", "span", value=np.timedelta64(value))
        return constant(value)

    def _of_categories(
        self,
        name: str,
        real: Callable[..., Real],
        operands: Sequence[Any],
        parts: Sequence[tuple[Expression, Any]],
        places: Sequence[int],
        by_equality: bool,
    ) -> Expression | None:
        """Tabulate an operation, or do it to each branch of a choice."""
        symbols = [parts[place][0] for place in places]
        plain = [shadow for _, shadow in parts]

        def on(*series: Any) -> Real:
            filled = list(plain)
            for place, one in zip(places, series, strict=True):
                filled[place] = one
            return real(*filled)

        shadows = [parts[place][1] for place in places]
        if all(self.is_tabular(each) for each in symbols):
            given = [
                each.value if isinstance(each, Given) else each
                for each in operands
                if not hasattr(each, "expression")
            ]
            return self._tabulate(self, name, on, symbols, shadows, given, by_equality)
        if len(symbols) == 1 and symbols[0].operation == "where":
            return self._branches(name, on, symbols[0], shadows[0], by_equality)
        return None

    def is_tabular(self, expression: Expression) -> bool:
        """Check whether an expression is a column of few values, or a table of them."""
        if expression.operation == "leaf":
            return self.leaves[expression.value].domain is not None
        return expression.operation == "table"

    def _branches(
        self, name: str, on: Callable[..., Real], choice: Expression, shadow: Real, equality: bool
    ) -> Expression | None:
        test, *sides = choice.arguments
        made = [self._branch(name, on, side, shadow, equality) for side in sides]
        if any(side is None for side in made):
            return None
        yes, no = (side for side in made if side is not None)
        kinds = {each.kind for each in (yes, no) if not is_nothing(each)}
        plain = kinds <= {"number", "integer", "boolean"}
        single = len(kinds) == 1 and not (is_nothing(yes) or is_nothing(no))
        wanted: Kind = (kinds.pop() if single else "number") if plain else "category"
        return operate("where", wanted, test, yes, no)

    def _branch(
        self, name: str, on: Callable[..., Real], side: Expression, shadow: Real, equality: bool
    ) -> Expression | None:
        if side.operation == "where":
            return self._branches(name, on, side, shadow, equality)
        if side.operation == "constant":
            one = _series([side.value], shadow)
            return self._constant(next(iter(on(one))))
        if self.is_tabular(side):
            return self._tabulate(self, name, on, [side], [shadow], [], equality)
        return None

    def settle(self, expression: Expression, out: Real, name: str) -> Pair:
        """Return the pair of an expression and the real values, which must be its own."""
        if not equal(self.values(expression), out):
            self.refuse(
                f"{name} is not what float64 gives on some row: a type, a missing value or a large "
                "integer",
                "convert the column to float64 first, and fill missing values",
            )
        return expression, out

    def decide(self, expression: Expression) -> bool:
        """Return the way that is taken at a condition; all ways are taken in turn."""
        if expression.operation == "constant":
            return bool(expression.value)
        for test, way in self._taken:
            if test is expression:
                return way
        place = len(self._taken)
        way = self._prefix[place] if place < len(self._prefix) else True
        self._taken.append((boolean(expression), way))
        return way

    def value_of(self, expression: Expression) -> Any:
        """Return a category of one row: each of the vocabulary in turn.

        The code has a plain string then, and may do with it what it likes. Of others nothing is
        known, so the vocabularies are to be closed: `concrete` has their columns.
        """
        if expression.kind == "integer":
            return self._number_of(expression)
        leaves = sorted(expression.leaves)
        domains = [self.leaves[place].domain or [] for place in leaves]
        table = Table(tuple(leaves), {(key,): key for key in domains[0]})
        if expression.operation == "table":
            cells = expression.value.cells
            table = Table(tuple(leaves), {key: cells[key] for key in product(*domains)})
        self.concrete |= set(leaves)
        values = list(dict.fromkeys(map(key_of, table.cells.values())))
        for place, value in enumerate(values[:-1]):
            known = id(expression), place
            if known not in self._tests:
                cells = {key: same(value, cell) for key, cell in table.cells.items()}
                self._tests[known] = Expression(
                    "table", "boolean", (expression,), Table(tuple(leaves), cells)
                )
            if self.decide(self._tests[known]):
                return np.nan if value is None else value
        return np.nan if values[-1] is None else values[-1]

    def has_few_values(self, expression: Expression) -> bool:
        """Check whether an expression is a column of categories, or of few whole numbers."""
        if expression.kind == "category":
            return self.is_tabular(expression)
        is_leaf = expression.operation == "leaf" and expression.kind == "integer"
        return is_leaf and len(self._numbers(expression)) <= _MOST_NUMBERS

    def _numbers(self, expression: Expression) -> list[int]:
        present = np.unique(self.leaves[expression.value].values)
        return [int(value) for value in present if abs(value) <= _GREATEST_NUMBER]

    def _number_of(self, expression: Expression) -> Any:
        """Return a whole number of one row: each of the sample in turn, at last NaN for others."""
        for value in self._numbers(expression):
            known = expression.value, value
            if known not in self._equal:
                test = Expression("eq", "boolean", (expression, constant(value)))
                self._equal[known] = test
            if self.decide(self._equal[known]):
                return value
        return np.nan

    def unless_it_fails(self, run: Callable[[], Any], other: Any) -> Any:
        """Return what code gives for one row; where a look-up fails, the row has no score."""
        try:
            return run()
        except (KeyError, IndexError):
            if not self.is_concrete:
                raise
        self.demand(constant(False))
        return other

    def explore(self, run: Callable[[], Any], merge: Callable[[Expression, Any, Any], Any]) -> Any:
        """Run code on all ways through its conditions, and merge what each returns."""
        ways = 0

        def follow(prefix: list[bool]) -> Any:
            nonlocal ways
            ways += 1
            if ways > _MOST_WAYS:
                self.refuse(
                    f"it has more than {_MOST_WAYS} ways through its conditions",
                    "use np.select, pd.cut or a dictionary with map",
                )
            before = self._prefix, self._taken
            self._prefix, self._taken = prefix, []
            try:
                out, taken = run(), self._taken
            finally:
                self._prefix, self._taken = before
            for place in reversed(range(len(prefix), len(taken))):
                other = follow([*(way for _, way in taken[:place]), False])
                out = merge(taken[place][0], out, other)
            return out

        return follow([])


def _series(values: list[Any], like: Real) -> "pd.Series[Any]":
    try:
        return pd.Series(values, dtype=getattr(like, "dtype", None))
    except (TypeError, ValueError):
        return pd.Series(values)


def same(one: Any, other: Any) -> bool:
    """Check whether two values are equal, or both missing."""
    if is_missing(one) or is_missing(other):
        return is_missing(one) and is_missing(other)
    return bool(one == other)


def equal(found: Array, out: Real) -> bool:
    """Check whether values are equal but for the last bits, or both missing."""
    real = np.asarray(out)
    if found.shape != real.shape:
        return False
    if all(each.dtype.kind in "Mm" for each in (found, real)):
        return bool(((found == real) | (np.isnat(found) & np.isnat(real))).all())
    if any(each.dtype.kind not in "biuf" for each in (found, real)):
        return all(map(same, *(pd.Series(each).tolist() for each in (found, real))))
    one, other = found.astype(np.float64), real.astype(np.float64)
    return bool(np.allclose(one, other, rtol=_NEAR, atol=_NEAR_ZERO, equal_nan=True))
