"""The kinds of tables, targets, values and frames that every capability is tried on, from a seed.

::

    table = kinds.table("integers and categories", seed=3, target="three classes")
    table.frame, table.target, table.description
    rows = kinds.rows("unseen categories", table.frame, seed=3)  # as a client would send them
    other = kinds.FRAMES["float32"](table.frame)

Each kind is a function below its name in `TABLES`, `TARGETS`, `VALUES` or `FRAMES`: a test is
parametrised by the names, so that a failure names the kind. `tests.support.families` fits models to
tables. The same kind, seed and number of rows give the same table.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.random import Generator
from scipy import sparse

from sklambda.arrays import FloatVector
from sklambda.signature import Scalar
from tests.support.columns import (
    booleans,
    categories,
    dates,
    decimals,
    integers,
    letters,
    small_integers,
    texts,
)

ROWS: Final = 120

type Frame = pd.DataFrame
type ClientRow = dict[str, Scalar | None]
type MakeTable = Callable[[Generator, int], Frame]
type MakeTarget = Callable[[Generator, FloatVector], Any]
type MakeRows = Callable[[Generator, Frame], Frame]


@dataclass(frozen=True)
class Table:
    """A table of one kind.

    Attributes
    ----------
    kind : str
        Its name in `TABLES`.
    frame : DataFrame
        Shape [N, K]: the features, a row id and columns that no model reads among them.
    target : Series, DataFrame or None
        The outcomes, [N] or [N, L]; None where there are none.
    classifies : bool
        Whether they are classes.
    description : str
        The table, its target and its seed, for the message of a failed test.
    row_id : str or None
        The column that identifies rows.
    unread : tuple of str
        Further columns that the pipeline is given and does not read.
    """

    kind: str
    frame: Frame
    target: Any
    classifies: bool
    description: str
    row_id: str | None = None
    unread: tuple[str, ...] = ()

    @property
    def features(self) -> Frame:
        """The frame without the row id, [N, K]: what a pipeline is fitted on."""
        return self.frame.drop(columns=[self.row_id] if self.row_id else [])


def table(kind: str, *, seed: int = 0, rows: int = ROWS, target: str = "yes or no") -> Table:
    """Return a table of a kind of `TABLES` with a target of a kind of `TARGETS`.

    Parameters
    ----------
    kind, target : str
        Names in `TABLES` and `TARGETS`.
    seed : int
        Decides all values.
    rows : int
        The number of rows; kinds that are a number of rows, as "2 rows", have their own.
    """
    generator = np.random.default_rng([seed, crc32(f"{kind}, {target}".encode())])
    frame = TABLES[kind](generator, rows)
    return Table(
        kind=kind,
        frame=frame,
        target=TARGETS[target](generator, signal(frame) + generator.normal(0, 0.5, len(frame))),
        classifies=target in CLASSES,
        description=f"{kind}, target {target}, seed {seed}",
        row_id=_ROW_ID if _ROW_ID in frame else None,
        unread=tuple(name for name in frame.columns if name in _UNREAD),
    )


def tables(*, seed: int = 0, rows: int = ROWS, target: str = "yes or no") -> Iterator[Table]:
    """Yield a table of each kind."""
    for kind in TABLES:
        yield table(kind, seed=seed, rows=rows, target=target)


def rows(kind: str, frame: Frame, *, seed: int = 0) -> list[ClientRow]:
    """Return rows with values of a kind of `VALUES`, as a client would send them.

    Parameters
    ----------
    kind : str
        A name in `VALUES`.
    frame : DataFrame
        Rows that a model was fitted on; the new ones are made of up to 24 of them.
    seed : int
        Decides which, and all values.
    """
    generator = np.random.default_rng([seed, crc32(kind.encode())])
    few = frame.sample(min(24, len(frame)), random_state=generator).reset_index(drop=True)
    return [
        {str(name): _plain(value) for name, value in row.items()}
        for row in VALUES[kind](generator, few.astype(object)).to_dict("records")
    ]


def signal(frame: Frame) -> FloatVector:
    """Return a number for each row, [N], that depends on every column a little."""
    total = np.zeros(len(frame))
    for place, name in enumerate(frame.columns):
        ranks = pd.Series(_ordinal(frame[name])).rank(pct=True).fillna(0.5).to_numpy()
        total += (ranks - 0.5) / (1 + place) * (-1) ** place
    return total


def _ordinal(column: "pd.Series[Any]") -> list[float | None]:
    if column.dtype.kind == "M":
        return [float(value) for value in column.astype("int64")]
    return [
        None
        if pd.isna(value)
        else (float(crc32(value.encode()) % 997) if isinstance(value, str) else float(value))
        for value in column.tolist()
    ]


def _plain(value: Any) -> Scalar | None:
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    if pd.isna(value):
        return None
    plain: Scalar = value.item() if isinstance(value, np.generic) else value
    return plain


_ROW_ID: Final = "row id"
_UNREAD: Final = ("not read", "notes, not read")
_ODD_NAMES: Final = (
    "name with blanks",
    " padded ",
    "a.dot",
    'a "quote"',
    "it's",
    "Größe, €",
    "東京",
    "a\nline",
    "a\ttab",
    "{brace}[bracket]",
    "feature__name",
    "a/slash\\backslash",
    "x" * 300,
)


def _mixed(g: Generator, n: int) -> Frame:
    return pd.DataFrame(
        {
            "amount": decimals(g, n),
            "age": integers(g, n),
            "rooms": small_integers(g, n),
            "plan": categories(g, n),
            "member": booleans(g, n),
        }
    )


def _each(make: Callable[[Generator, int], Any], columns: int) -> MakeTable:
    return lambda g, n: pd.DataFrame({f"f{place}": make(g, n) for place in range(columns)})


def _beside(name: str, make: Callable[[Generator, int], Any]) -> MakeTable:
    """Return a maker of a mixed table with one more column."""
    return lambda g, n: _mixed(g, n).assign(**{name: make(g, n)})


def _missing(make: Callable[[Generator, int], Any], dtype: Any, rate: float = 0.15) -> Any:
    """Return a maker of columns with missing cells."""

    def column(g: Generator, n: int) -> Any:
        values = pd.Series(make(g, n)).astype(dtype)
        return values.mask(g.random(n) < rate)

    return column


def _levels(*names: str) -> Callable[[Generator, int], Any]:
    return lambda g, n: letters(g, n, names)


def _of_2000_levels(g: Generator, n: int) -> Any:
    return np.array([f"level {place}" for place in g.permutation(2000)[np.arange(n) % 2000]], "O")


def _unused_levels(g: Generator, n: int) -> Any:
    return pd.Categorical(categories(g, n), ["basic", "never", "pro", "team", "neither"])


def _unread(g: Generator, n: int) -> Frame:
    frame = _mixed(g, n)
    frame[_UNREAD[0]], frame[_UNREAD[1]] = decimals(g, n), texts(g, n)
    return frame


def _thirty(g: Generator, n: int) -> Frame:
    return pd.concat([_mixed(g, n).add_suffix(f"_{place}") for place in range(6)], axis=1)


def _duplicates(g: Generator, n: int) -> Frame:
    few = _mixed(g, max(2, n // 10))
    return few.iloc[g.integers(0, len(few), n)].reset_index(drop=True)


def _named(names: tuple[Any, ...]) -> MakeTable:
    return lambda g, n: pd.DataFrame(
        {name: (decimals, small_integers)[at % 2](g, n) for at, name in enumerate(names)}
    )


TABLES: Final[Mapping[str, MakeTable]] = {
    "1 column": _each(decimals, 1),
    "1 column of integers": _each(small_integers, 1),
    "2 columns": _each(decimals, 2),
    "5 columns of all kinds": _mixed,
    "30 columns": _thirty,
    "500 columns": _each(decimals, 500),
    "2 rows": lambda g, n: _mixed(g, 2),
    "50 rows": lambda g, n: _mixed(g, 50),
    "5,000 rows": lambda g, n: _mixed(g, 5000),
    "integers alone": _each(integers, 4),
    "small integers alone": _each(small_integers, 4),
    "booleans alone": _each(booleans, 4),
    "categories alone": _each(categories, 4),
    "decimals alone": _each(decimals, 4),
    "integers and decimals": lambda g, n: _mixed(g, n)[["amount", "age", "rooms"]],
    "integers and categories": lambda g, n: _mixed(g, n)[["age", "rooms", "plan"]],
    "no decimals": lambda g, n: _mixed(g, n).drop(columns="amount"),
    "a constant column": _beside("constant", lambda g, n: np.full(n, 2.5)),
    "a constant integer": _beside("constant", lambda g, n: np.full(n, 7)),
    "an all-missing column": _beside("empty", lambda g, n: np.full(n, np.nan)),
    "integers with missing cells, Int64": _beside("visits", _missing(integers, "Int64")),
    "integers with missing cells, float": _beside("visits", _missing(integers, "float64")),
    "decimals with missing cells": _beside("score", _missing(decimals, "float64")),
    "booleans with missing cells": _beside("opted in", _missing(booleans, "object")),
    "categories with missing cells": _beside("colour", _missing(categories, "object")),
    "a category of one level": _beside("country", _levels("CH")),
    "a category of 2,000 levels": _beside("postcode", _of_2000_levels),
    "a category with unused levels": _beside("tier", _unused_levels),
    "levels that look like numbers": _beside("code", _levels("1", "02", "3.0", "1e5", "-0")),
    "levels that look like dates": _beside("month", _levels("2024-01", "2024-02-29", "1.2.2024")),
    "levels that look missing": _beside("answer", _levels("nan", "None", "NA", "", "null")),
    "levels with blanks and case": _beside("city", _levels("Bern", " Bern", "Bern ", "BERN")),
    "texts": _beside("review", texts),
    "dates": _beside("since", dates),
    "a row id": _beside(_ROW_ID, lambda g, n: [f"r{place}" for place in range(n)]),
    "columns that are not read": _unread,
    "odd names": _named(_ODD_NAMES),
    "numbers as names": _named(("0", "1", "2")),
    "integers as names": _named((0, 1, 2)),
    "signed zeros": _beside("zero", lambda g, n: g.choice([0.0, -0.0, 1.0], n)),
    "subnormal numbers": _beside("tiny", lambda g, n: g.choice([5e-324, -1e-310, 0.0, 2e-308], n)),
    "huge numbers": _beside("huge", lambda g, n: g.choice([1e308, -1e308, 1e300, 1.0], n)),
    "large integers": _beside("key", lambda g, n: g.integers(2**53 - 9, 2**53 + 1, n)),
    "ties": _each(lambda g, n: g.integers(0, 3, n) / 2, 3),
    "heavy tails": _each(lambda g, n: g.lognormal(0, 3, n), 3),
    "zero-inflated": _each(lambda g, n: np.where(g.random(n) < 0.9, 0.0, g.gamma(2, 50, n)), 3),
    "duplicates": _duplicates,
}
"""Tables by the names of their kinds; docs for each are its line here."""


def _labels(*shares: tuple[Any, float], dtype: Any = object) -> MakeTarget:
    """Return a maker of classes with shares: the rows of the least signal are of the first."""

    def make(g: Generator, strength: FloatVector) -> "pd.Series[Any]":
        count = len(strength)
        sizes = np.array([max(2, round(share * count)) for _, share in shares])
        sizes[np.argmax([share for _, share in shares])] += count - sizes.sum()
        few = sizes.min() < 2  # rows, so that each class has as many of them as there are
        codes = np.arange(count) % len(shares) if few else np.arange(len(shares)).repeat(sizes)
        labels = pd.Series([None] * count, dtype=object, name="outcome")
        labels.iloc[strength.argsort(kind="stable")] = [shares[code][0] for code in codes]
        return labels.astype(dtype)

    return make


def _numbers(make: Callable[[Generator, FloatVector], Any]) -> MakeTarget:
    return lambda g, strength: pd.Series(make(g, strength), name="outcome")


_YES_OR_NO: Final = _labels(("No", 0.5), ("Yes", 0.5))
_THREE: Final = _labels(("low", 0.4), ("mid / fair", 0.4), ("very high", 0.2))

TARGETS: Final[Mapping[str, MakeTarget]] = {
    "yes or no": _YES_OR_NO,
    "0 or 1": _labels((0, 0.5), (1, 0.5), dtype="int64"),
    "True or False": _labels((False, 0.5), (True, 0.5), dtype=bool),
    "three classes": _THREE,
    "20 classes": _labels(*((f"class {place}/20", 0.05) for place in range(20))),
    "1 % of a class": _labels(("No", 0.99), ("Yes", 0.01)),
    "0.2 % of a class": _labels(("No", 0.998), ("Yes", 0.002)),
    "numbers": _numbers(lambda g, strength: 100 * strength),
    "positive numbers": _numbers(lambda g, strength: np.exp(strength)),
    "counts": _numbers(lambda g, strength: g.poisson(np.exp(strength))),
    "several numbers": lambda g, strength: pd.DataFrame(
        {"cost": 10 * strength, "days, total": -strength + g.normal(size=len(strength))}
    ),
    "several targets": lambda g, strength: pd.DataFrame(
        {"buys": _YES_OR_NO(g, strength), "class of client": _THREE(g, -strength)}
    ),
    "none": lambda g, strength: None,
}
"""Targets by the names of their kinds; "none" is for anomalies and clusters."""

CLASSES: Final = (
    "yes or no",
    "0 or 1",
    "True or False",
    "three classes",
    "20 classes",
    "1 % of a class",
    "0.2 % of a class",
    "several targets",
)
"""The targets of classifiers."""


def _numeric(frame: Frame) -> list[Any]:
    return [name for name in frame if _kind(frame[name]) == "number"]


def _strings(frame: Frame) -> list[Any]:
    return [name for name in frame if _kind(frame[name]) == "string"]


def _kind(column: "pd.Series[Any]") -> str:
    present = column.dropna()
    if present.map(lambda value: isinstance(value, str)).all():
        return "string"
    plain = present.map(
        lambda value: isinstance(value, (int, float)) and value not in (True, False)
    )
    return "number" if plain.any() else "other"


def _replacing(names: Callable[[Frame], list[Any]], *values: Any) -> MakeRows:
    """Return a maker of rows in which one column after the other has each of the values."""

    def make(g: Generator, frame: Frame) -> Frame:
        made = [
            frame.iloc[[int(g.integers(len(frame)))]].assign(**{name: value})
            for name in names(frame)
            for value in values
        ]
        return pd.concat([*made, frame.head(1)], ignore_index=True)

    return make


def _changing(names: Callable[[Frame], list[Any]], change: Callable[[Any], Any]) -> MakeRows:
    """Return a maker of rows in which each value of some columns is changed."""
    return lambda g, frame: frame.assign(
        **{name: frame[name].map(change, na_action="ignore") for name in names(frame)}
    )


VALUES: Final[Mapping[str, MakeRows]] = {
    "as trained": lambda g, frame: frame,
    "missing in each place": _replacing(list, None),
    "everything missing": lambda g, frame: frame.head(1).map(lambda value: None),
    "signed zeros": _replacing(_numeric, 0.0, -0.0, 0),
    "subnormal numbers": _replacing(_numeric, 5e-324, -1e-310),
    "huge numbers": _replacing(_numeric, 1e308, -1e308, 1e38, 3.5e38),
    "integers at 2^53": _replacing(_numeric, 2**53, -(2**53), 2**53 - 1, 2**53 + 1, -(2**53) - 1),
    "next to values of training": _changing(
        _numeric, lambda value: float(np.nextafter(float(value), np.inf))
    ),
    "a unit change": _changing(_numeric, lambda value: value * 1000),
    "padded levels": _changing(_strings, lambda value: f" {value} "),
    "levels in another case": _changing(_strings, str.swapcase),
    "unseen categories": _replacing(_strings, "unseen", "", "nan", "日本"),
    "all rows unseen": _changing(_strings, lambda value: f"unseen {value}"),
    "duplicates": lambda g, frame: frame.iloc[[0] * 5].reset_index(drop=True),
}
"""Rows to score by the names of the kinds of their values."""


def _converted(choose: Callable[["pd.Series[Any]"], bool], dtype: Any) -> Callable[[Frame], Frame]:
    return lambda frame: frame.astype({name: dtype for name in frame if choose(frame[name])})


def _is_text(column: "pd.Series[Any]") -> bool:
    return column.dtype == object or isinstance(column.dtype, pd.StringDtype)


FRAMES: Final[Mapping[str, Callable[[Frame], Any]]] = {
    "object": _converted(_is_text, object),
    "str": _converted(_is_text, "str"),
    "category": _converted(_is_text, "category"),
    "nullable": lambda frame: frame.convert_dtypes(),
    "float32": _converted(lambda column: column.dtype.kind == "f", "float32"),
    "numpy": lambda frame: frame.to_numpy(),
    "numpy of numbers": lambda frame: frame.select_dtypes("number").to_numpy(dtype="float64"),
    "sparse": lambda frame: sparse.csr_array(frame.select_dtypes("number").to_numpy("float64")),
    "sparse columns": lambda frame: frame.select_dtypes("number").astype(
        pd.SparseDtype("float64", 0.0)
    ),
    "other index": lambda frame: frame.set_index(np.arange(len(frame))[::-1] * 7),
    "a list of texts": lambda frame: [" ".join(map(str, row)) for row in frame.to_numpy().tolist()],
}
"""Other forms of the same table by their names."""
