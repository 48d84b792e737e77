"""Texts of which nearly each is new: the steps that the codec takes, and what it reads.

A method of a text that `sklambda.codec.text_steps` has makes a column of its own, of the text that
a client sends, and not a table of the texts of training. pandas' and Python's own results on the
sample must be the same.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd

from sklambda.codec.text_steps import FILL, pattern_of, reader, stepper
from sklambda.signature import TextReading, TextStep
from training.convert.graph.vocabulary import Vocabulary
from training.convert.tracing.columns import Scalar, Value
from training.convert.tracing.delegated.text_steps import (
    EVERYWHERE,
    is_plain,
    pandas_pattern,
    separator,
    step,
)
from training.convert.tracing.expressions import (
    Expression,
    Numerals,
    Source,
    constant,
    is_missing,
    operate,
)
from training.convert.tracing.trace import Leaf, Trace

_MOST_CATEGORIES: Final = 50
"""Of a column of more different texts, the next ones are new."""


def source_of(trace: Trace, expression: Expression, most: int = _MOST_CATEGORIES) -> Source | None:
    """Return how an expression is made of a text; None where it is none, or one of few."""
    if expression.operation != "leaf" or expression.kind != "category":
        return None
    leaf = trace.leaves[expression.value]
    if leaf.source is not None:
        return leaf.source if isinstance(leaf.source, Source) else None
    is_text = leaf.vocabulary is not None and len(leaf.vocabulary.categories) > most
    return Source(expression.value, (), "category") if is_text else None


def derive(
    trace: Trace,
    source: Source,
    steps: Sequence[TextStep],
    reading: TextReading = "category",
    like: Any = None,
) -> Expression:
    """Return the column that further steps make of a text."""
    found = Source(source.place, (*source.steps, *steps), reading)
    for place, leaf in enumerate(trace.leaves):
        if leaf.source == found:
            return Expression("leaf", leaf.kind, value=place)
    leaf = _leaf(trace.leaves[found.place], found, like)
    trace.leaves.append(leaf)
    return Expression("leaf", leaf.kind, value=len(trace.leaves) - 1)


def _leaf(text: Leaf, source: Source, like: Any) -> Leaf:
    prepare = stepper(source.steps)
    values = [prepare(None if is_missing(one) else one) for one in text.values.tolist()]
    if source.reading == "category":
        known = [prepare(one) for one in text.domain or () if one is not None]
        texts = sorted({one for one in (*known, *values) if one is not None})
        domain = [*texts, *([None] if None in known or None in values else [])]
        objects = np.array([*values, None], dtype=object)[:-1]
        assert text.vocabulary is not None
        codes = Vocabulary(texts, (text.vocabulary, source.steps))
        return Leaf(objects, "category", domain, codes, np.dtype(object), source)
    read = reader(source.counts)
    numbers = np.array([read(one) for one in values], dtype=np.float64)
    if source.reading != "moment":
        return Leaf(numbers, "number", None, None, np.dtype(np.float64), source)
    seconds = np.where(np.isfinite(numbers), numbers, 0.0).astype("datetime64[s]")
    seconds[~np.isfinite(numbers)] = np.datetime64("NaT")
    return Leaf(seconds.astype(like), "moment", None, None, like, source)


def changed(value: Any, name: str, real: Any, *steps: TextStep) -> Any:
    """Record steps of a text, where it is one of many; None where they are to be tabulated."""
    source = source_of(value.trace, value.expression)
    if source is None:
        return None
    made = derive(value.trace, source, steps)
    return value.like(value.trace.settle(made, real, name))


def measured(value: Any, name: str, real: Any, *steps: TextStep) -> Any:
    """Record the length of what steps make of a text; None as `changed`."""
    source = source_of(value.trace, value.expression)
    if source is None:
        return None
    length = derive(value.trace, source, steps, "length")
    wanted = np.asarray(real).dtype.kind
    made = operate("gt", "boolean", length, constant(0)) if wanted == "b" else length
    if wanted in "iu":
        made = Expression("to_integer", "integer", (length,))
        _demand_present(value, steps)
    assert made is not None
    return value.like(value.trace.settle(made, real, name))


def _demand_present(value: Any, steps: Sequence[TextStep] = ()) -> None:
    """Let rows have no score in which the code fails for want of a text."""
    source = source_of(value.trace, value.expression)
    if source is not None:
        length = derive(value.trace, source, steps, "length")
        value.trace.demand(_not("isnan", length))


def _not(test: str, expression: Expression) -> Expression:
    return Expression("not", "boolean", (Expression(test, "boolean", (expression,)),))


def numbered(value: Any, name: str, real: Any, *steps: TextStep, whole: bool = False) -> Any:
    """Record the number that a text is, after steps; None as `changed`."""
    source = source_of(value.trace, value.expression)
    if source is None:
        return None
    made = derive(value.trace, source, steps, "number")
    value.trace.demand(_not("isinf", made))
    if whole:
        value.trace.demand(_not("isnan", made))
        floor = Expression("floor", "number", (made,))
        value.trace.demand(Expression("eq", "boolean", (made, floor)))
        made = Expression("to_integer", "integer", (made,))
    return value.like(value.trace.settle(made, real, name))


def dated(value: Any, real: Any, form: str | None) -> Any:
    """Record the date that a text is; None as `changed`, or where the format is not known."""
    source = source_of(value.trace, value.expression, most=0)
    if source is None or pattern_of(form) is None:
        return None
    steps = (step("date", form),)
    length = derive(value.trace, source, steps, "length")
    value.trace.demand(Expression("ne", "boolean", (length, constant(1.0))))
    made = derive(value.trace, source, steps, "moment", np.asarray(real).dtype)
    return value.like(value.trace.settle(made, real, "pd.to_datetime"))


def at_most(value: Any, found: tuple[Any, int], parts: int) -> Expression:
    """Return whether a text is split into no more parts than some."""
    source = source_of(value.trace, value.expression)
    assert source is not None
    count = derive(value.trace, source, (step("parts", *found),), "length")
    above = Expression("gt", "boolean", (count, constant(float(parts))))
    return Expression("not", "boolean", (above,))


class Parts:
    """A stand-in for a column, or a value, of lists: the parts of a text that was split.

    Parameters
    ----------
    text : Value
        The text.
    name : str
        "part", or "last_part" where it was split from the right.
    at : str or None
        Where it was split.
    most : int
        How often.
    shadow : series or list
        The real lists.
    """

    def __init__(self, text: Any, name: str, at: str | None, most: int, shadow: Any) -> None:
        self._text, self._name, self._at, self._most = text, name, at, most
        self.shadow = shadow

    @property
    def str(self) -> "Parts":
        """The parts themselves: ``Series.str`` works on lists too."""
        return self

    def __getitem__(self, place: Any) -> Any:
        trace: Trace = self._text.trace
        if not isinstance(place, int):
            trace.refuse("several parts of a text", "take one of them at a time")
        one = step(self._name, self._at, self._most, place)
        real = pd.Series(self.shadow).str[place]
        found = changed(self._text, "split", real, one)
        if isinstance(self._text, Scalar):
            _demand_present(self._text, (one,))
        return found

    def get(self, place: int) -> Any:
        """Return one part, missing where there are fewer."""
        return self[place]

    def len(self) -> Any:
        """Return the number of parts."""
        if isinstance(self._text, Scalar):
            _demand_present(self._text)
        real = pd.Series(self.shadow).str.len()
        return measured(self._text, "split", real, step("parts", self._at, self._most))

    def apply(self, function: Callable[[Any], Any]) -> Any:
        """Record a function of the parts of each text."""
        with self._text.trace.of_one_row():
            one = Scalar(self._text.trace, self._text.expression, self._text.shadow)
            made = function(Parts(one, self._name, self._at, self._most, self.shadow))
        if not isinstance(made, Value):
            self._text.trace.refuse("a function of the parts of a text", "take one part of them")
        real = pd.Series(self.shadow).apply(function)
        return self._text.like(self._text.trace.settle(made.expression, real, "apply"))

    map = apply

    def __iter__(self) -> Iterator[Any]:
        trace: Trace = self._text.trace
        trace.refuse("a loop over the parts of a text", "take one part of them")


def split(text: Any, name: str, at: str | None, most: int, shadow: Any) -> Any:
    """Record a text that was split; None as `changed`."""
    if source_of(text.trace, text.expression) is None:
        return None
    return Parts(text, "last_part" if name == "rsplit" else "part", at, most, shadow)


_OF_PYTHON: Final = ("replace", "strip", "lstrip", "rstrip", *EVERYWHERE.split())


def of_scalar(value: Any, name: str, inputs: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Record a method of a Python string, as `changed`."""
    if source_of(value.trace, value.expression) is None:
        return None
    real = _each(value, lambda one: getattr(one, name)(*inputs, **options))
    _demand_present(value)
    if name in ("split", "rsplit"):
        found = separator(inputs, options, ("sep", "maxsplit"))
        return None if found is None else split(value, name, *found, real)
    if name in ("startswith", "endswith"):
        pat = pandas_pattern(name, inputs[:1], {})
        return None if pat is None else measured(value, name, real, step("marks", pat))
    if name == "count" and len(inputs) == 1:
        return measured(value, name, real, step("marks", re.escape(inputs[0])))
    if name in _OF_PYTHON and not options and all(map(is_plain, inputs)):
        return changed(value, name, real, step(name, *inputs))
    return None


def length_of(value: Any) -> Any:
    """Record Python's ``len``, as `changed`."""
    if isinstance(value, Parts):
        return value.len()
    if source_of(value.trace, value.expression) is None:
        return None
    _demand_present(value)
    return measured(value, "len", _each(value, len))


def _each(value: Any, function: Callable[[Any], Any]) -> Any:
    """Return a function of the real texts; of none it would fail, as the pipeline does."""
    return value.shadow.map(function, na_action="ignore")


def item_of(value: Any, key: Any) -> Any:
    """Record a character, or a slice, of a Python string, as `changed`."""
    if source_of(value.trace, value.expression) is None:
        return None
    real = _each(value, lambda one: one[key] if isinstance(key, slice) else one[key : key + 1])
    _demand_present(value)
    if isinstance(key, slice):
        return changed(value, "[]", real, step("slice", key.start, key.stop, key.step))
    if not isinstance(key, int):
        return None
    one = step("character", key)
    _demand_present(value, (one,))
    return changed(value, "[]", stepped(value, one), one)


class Match:
    """A stand-in for a match of a regular expression in the text of one row.

    Parameters
    ----------
    value : Scalar
        The text.
    pattern : str
        The regular expression.
    """

    def __init__(self, value: Any, pattern: str) -> None:
        self._value, self._pattern = value, pattern

    def group(self, place: Any = 0) -> Any:
        """Return what a group matched."""
        if isinstance(place, str):
            place = re.compile(self._pattern).groupindex[place]
        one = step("search", self._pattern, place)
        real = stepped(self._value, one)
        return changed(self._value, "re.search", real, one)

    __getitem__ = group

    def groups(self) -> tuple[Any, ...]:
        """Return what all groups matched."""
        return tuple(self.group(place + 1) for place in range(re.compile(self._pattern).groups))


def stepped(value: Any, *steps: TextStep) -> Any:
    """Return what steps make of the real texts."""
    prepare = stepper(steps)
    return value.shadow.map(lambda one: prepare(None if is_missing(one) else one))


def searched(value: Any, pattern: str | None) -> Any:
    """Record a search for a regular expression: a match on one way, None on the other."""
    trace: Trace = value.trace
    if pattern is None or source_of(trace, value.expression) is None:
        trace.refuse("a regular expression of a row's value", "use .str.extract on the column")
    marks = step("marks", pattern)
    _demand_present(value)
    found = measured(value, "re.search", stepped(value, marks).str.len() > 0, marks)
    return Match(value, pattern) if value.trace.decide(found.expression) else None


def substituted(value: Any, pattern: str | None, other: Any) -> Any:
    """Record ``re.sub``."""
    source = source_of(value.trace, value.expression)
    if pattern is None or source is None or not isinstance(other, str):
        value.trace.refuse("re.sub of a row's value", "use .str.replace(..., regex=True)")
    _demand_present(value)
    one = step("sub", pattern, other)
    return changed(value, "re.sub", stepped(value, one), one)


def contained(value: Any, part: Any) -> Any:
    """Record whether a Python string contains another, as `changed`."""
    if not isinstance(part, str) or source_of(value.trace, value.expression) is None:
        return None
    _demand_present(value)
    real = _each(value, lambda one: part in one)
    return measured(value, "in", real, step("marks", re.escape(part)))


def numerals(value: Any, real: Any) -> Any:
    """Record whole numbers of few values that are written as texts; None where there are more."""
    expression, trace = value.expression, value.trace
    leaf = trace.leaves[expression.value] if expression.operation == "leaf" else None
    if leaf is None or leaf.kind != "integer":
        return None
    known = dict(zip(leaf.values.tolist(), np.asarray(real).tolist(), strict=True))
    if len(known) > _MOST_NUMERALS:
        return None
    source = Numerals(expression.value, tuple(sorted(known.items())))
    texts = sorted(known.values())
    objects = np.array([*np.asarray(real).tolist(), None], dtype=object)[:-1]
    made = Leaf(objects, "category", list(texts), Vocabulary(texts), np.dtype(object), source)
    trace.leaves.append(made)
    found = Expression("leaf", "category", value=len(trace.leaves) - 1)
    return value.like(trace.settle(found, real, "astype(str)"))


_MOST_NUMERALS: Final = 200


def gap_of(trace: Trace, expression: Expression) -> Expression | None:
    """Return whether a date that is read of a text is missing; None where no date is."""
    found = None
    for place in sorted(expression.leaves):
        source = trace.leaves[place].source
        if isinstance(source, Source) and source.reading == "moment":
            length = derive(
                trace, replace(source, steps=(), reading="length"), source.steps, "length"
            )
            gap = Expression("isnan", "boolean", (length,))
            found = gap if found is None else Expression("or", "boolean", (found, gap))
    return found


def cast_text(value: Any, to: Any) -> Any:
    """Record a cast of texts to numbers, or of whole numbers to texts, as `changed`."""
    if to in (str, "str", "string") and value.expression.kind in ("number", "integer"):
        one = isinstance(value, Scalar)
        return numerals(value, value.shadow.map(str) if one else value.shadow.astype(to))
    if source_of(value.trace, value.expression) is None:
        return None
    textual = to in (str, "str", "string", object, "object", "O")
    if not textual and np.dtype(to).kind not in "if":
        return None
    one = isinstance(value, Scalar) and textual
    real = value.shadow.map(str) if one else value.shadow.astype(to)
    if textual:
        named = value.shadow.isna().any() and not real.isna().any()
        steps = (step(FILL, "nan"),) if one or named else ()
        return changed(value, "astype(str)", real, *steps)
    return numbered(value, "astype", real, whole=np.dtype(to).kind == "i")


TEXTS: Final[Mapping[str, Callable[..., Any]]] = {
    "cast": cast_text,
    "contains": contained,
    "item": item_of,
    "method": of_scalar,
}
"""What is recorded of a text in place of a table."""


def exchanged(value: Any, pairs: Sequence[tuple[Any, Any]], inputs: Sequence[Any]) -> Any:
    """Record whole texts replaced by others, or by none, as `changed`; few ones are tabulated."""
    source = source_of(value.trace, value.expression)
    texts = all(
        isinstance(old, str) and (isinstance(new, str) or is_missing(new)) for old, new in pairs
    )
    olds = {old for old, _ in pairs}
    if source is None or source.steps or not texts or olds & {new for _, new in pairs}:
        return None
    steps = [step("exchange", old, None if is_missing(new) else new) for old, new in pairs]
    return changed(value, "replace", value.shadow.replace(*inputs), *steps)


def filling(value: Any, other: Any) -> Any:
    """Record missing texts filled by a text, as `changed`."""
    if not isinstance(other, str) or source_of(value.trace, value.expression) is None:
        return None
    return changed(value, "fillna", value.shadow.fillna(other), step(FILL, other))
