"""Data frames and client rows, each made from the other.

A client's row holds JSON's values: numbers, strings, booleans, and None for missing. scikit-learn
scores a frame of such rows wherever it is the reference.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import isinf
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklambda.codec.values import EXACT_INTEGER
from sklambda.signature import Feature, Kind, Scalar
from training.errors import DataError, nearest

type Column = pd.Series[Any]
type ClientRow = dict[str, Scalar | None]


def kind_of(column: Column) -> Kind:
    """Return the kind of a column: how JSON writes its values.

    Raises
    ------
    DataError
        The column holds values of several types or of one that JSON has not, dates with a zone, or
        dates of which some are missing.
    """
    if column.dtype.kind == "M":
        _check_moments(column)
        return "datetime"
    categorical = isinstance(column.dtype, pd.CategoricalDtype)
    values = column.cat.categories if categorical else column
    inferred = pd.api.types.infer_dtype(values, skipna=True)
    kind = _KINDS.get(inferred)
    if kind == "category" and not all(map(_is_unicode, values.dropna().unique())):
        raise DataError(
            f"column {column.name!r} has a text that JSON cannot hold, with half of a surrogate "
            "pair: read the file with the encoding that it has"
        )
    if kind is None:
        raise DataError(f"column {column.name!r} has {_OTHERS.get(inferred, _OTHERS['mixed'])}")
    return kind


def check_values(frame: pd.DataFrame, kinds: Mapping[str, Kind]) -> None:
    """Raise `DataError` for what no client sends: infinite numbers, integers beyond 2^53."""
    for name, kind in kinds.items():
        if kind not in ("number", "integer"):
            continue
        present = frame[name].dropna().unique().tolist()
        if any(map(isinf, present)):
            raise DataError(f"column {name!r} has infinite values: replace or remove them")
        if kind == "integer" and any(abs(value) > EXACT_INTEGER for value in present):
            raise DataError(
                f"column {name!r} has whole numbers beyond 2^53, which are not exact: leave the "
                "column out, or convert it to strings"
            )


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_moments(column: Column) -> None:
    if not isinstance(column.dtype, np.dtype):
        raise DataError(
            f"column {column.name!r} has a time zone: before fitting, remove it by "
            "dt.tz_convert('UTC').dt.tz_localize(None), or use numbers"
        )
    if column.hasnans:
        raise DataError(
            f"column {column.name!r} has missing dates, which scikit-learn reads as the number "
            "-2^63: fill them, or use numbers"
        )


_KINDS: Final[dict[str, Kind]] = {
    "boolean": "boolean",
    "integer": "integer",
    "floating": "number",
    "mixed-integer-float": "number",
    "decimal": "number",
    "string": "category",
    "empty": "category",
}


_OTHERS: Final = {
    "bytes": "bytes: before fitting, decode them by str.decode('utf-8')",
    "complex": "complex numbers: before fitting, make two columns of them",
    "date": "dates as objects: before fitting, convert it by pd.to_datetime",
    "datetime": "times as objects: before fitting, convert it by pd.to_datetime",
    "interval": "intervals: before fitting, convert it by astype(str)",
    "mixed": "mixed types: expected numbers, booleans or strings alone; before fitting, convert it "
    "by astype(str) or pd.to_numeric, or leave it out",
    "period": "periods: before fitting, convert it by astype(str) or dt.to_timestamp()",
    "time": "times of day: before fitting, convert it to numbers, as minutes",
    "timedelta": "time spans: before fitting, convert it by dt.total_seconds()",
    "timedelta64": "time spans: before fitting, convert it by dt.total_seconds()",
}
"""What a column has that no client sends, by pandas' name, and what to do."""


def kinds_of(frame: pd.DataFrame, given: Mapping[str, str] | None = None) -> dict[str, Kind]:
    """Return the kind of each column of a frame, [N, K].

    Parameters
    ----------
    frame : DataFrame
        The features.
    given : mapping of str to str, optional
        Kinds of some columns in place of those that their values have: what clients will send.

    Raises
    ------
    DataError
        As `kind_of` does, for all columns at once; a given kind cannot write a column's values.
    """
    _check_names(frame.columns)
    kinds: dict[str, Kind] = {}
    faults = []
    for name in map(str, frame.columns):
        try:
            kinds[name] = kind_of(frame[name])
        except DataError as error:
            faults.append(str(error))
    if faults:
        raise DataError("; ".join(faults))
    return kinds | {name: _given(frame, kinds, name, kind) for name, kind in (given or {}).items()}


def _given(frame: pd.DataFrame, kinds: Mapping[str, Kind], name: str, kind: str) -> Kind:
    if name not in kinds:
        raise DataError(
            f"kinds: {name!r} is not a column that the pipeline reads{nearest(str(name), kinds)}"
        )
    inferred = kinds[name]
    possible = _writable(frame[name].dropna(), inferred)
    if kind not in possible:
        expected = " or ".join(map(repr, possible))
        raise DataError(
            f"kinds: column {name!r} is of kind {inferred!r}, which cannot be written as {kind!r}: "
            f"expected {expected}"
        )
    return next(one for one in possible if one == kind)


def _writable(present: Column, inferred: Kind) -> list[Kind]:
    """Return the kinds that can write all values of a column."""
    if inferred not in ("number", "integer", "boolean"):
        return [inferred]
    values = present.astype("float64")
    kinds: list[Kind] = ["number"]
    if (values == np.floor(values)).all():
        kinds.append("integer")
    if values.isin((0.0, 1.0)).all():
        kinds.append("boolean")
    return kinds


def require_kinds(frame: pd.DataFrame, kinds: Mapping[str, Kind], what: str) -> None:
    """Raise `DataError` unless the columns of further rows, [M, K], can be written as features."""
    for name, kind in kinds.items():
        column = frame[name]
        present = column.dropna()
        if present.empty:
            continue
        found = kind_of(column)
        possible = _writable(present, found)
        if kind not in (*possible, "text" if found == "category" else found):
            hint = ": give kinds={" + f"{name!r}: 'number'" + "}" if kind == "integer" else ""
            raise DataError(f"{what}: column {name!r} is of kind {found!r}, not {kind!r}{hint}")


def _check_names(names: Sequence[Hashable] | pd.Index) -> None:
    for name in names:
        if not isinstance(name, str) or not name:
            raise DataError(f"column names must be non-empty strings, got {name!r}")
        if not _is_unicode(name):
            raise DataError(f"the column name {name!r} has half of a surrogate pair: rename it")
    doubled = pd.Index(names)[pd.Index(names).duplicated()]
    if len(doubled):
        raise DataError(f"duplicate column {doubled[0]!r}")


def client_rows(frame: pd.DataFrame, kinds: Mapping[str, Kind]) -> list[ClientRow]:
    """Write the rows of a frame as a client would send them."""
    columns = [_plain(frame[name], kind) for name, kind in kinds.items()]
    return [dict(zip(kinds, values, strict=True)) for values in zip(*columns, strict=True)]


def _plain(column: Column, kind: Kind) -> list[Scalar | None]:
    if kind == "datetime":
        return _iso(column)
    convert = _PLAIN[kind]
    return [
        None if missing else convert(value)
        for value, missing in zip(column.tolist(), column.isna().tolist(), strict=True)
    ]


def _iso(moments: Column) -> list[Scalar | None]:
    texts = np.datetime_as_string(moments.to_numpy())
    return [None if text == "NaT" else text for text in texts.tolist()]


_PLAIN: Final[dict[Kind, Callable[[Any], Scalar]]] = {
    "number": float,
    "integer": int,
    "boolean": bool,
    "category": str,
    "text": str,
}


class FrameMaker:
    """Builds frames of client rows, which scikit-learn scores.

    Parameters
    ----------
    like : DataFrame
        The frame that the pipeline was fitted on; sets the dtypes.
    kinds : mapping of str to kind
        The features, in order. scikit-learn requires the other columns without reading them:
        they repeat the first value of `like`.
    """

    def __init__(self, like: pd.DataFrame, kinds: Mapping[str, Kind]) -> None:
        self._columns = [_Form.of(like[name], kinds.get(name)) for name in map(str, like.columns)]
        self._names = [form.name for form in self._columns]
        self._is_plain = all(form.is_plain for form in self._columns)

    def __call__(self, rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
        """Return the frame of client rows.

        Parameters
        ----------
        rows : sequence of mapping
            Each holds every feature; None means missing.

        Returns
        -------
        DataFrame
            Shape [len(rows), K]. Missing is NaN, but None in a column of objects in which it is; a
            column of integers or booleans that misses a value is float64 or object, as pandas would
            read it. Of the category dtype it has the categories of `like`, and behind them those
            that only the rows have.
        """
        if self._is_plain:
            return self._plain(rows)
        columns = {form.name: form.column(rows) for form in self._columns}
        return pd.DataFrame(columns, index=range(len(rows)))

    def _plain(self, rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
        """Build a frame of float64 alone in one piece, laid out in memory as pandas does."""
        values = np.array([[row[name] for row in rows] for name in self._names], dtype=np.float64)
        return pd.DataFrame(values.T, columns=self._names)


@dataclass(frozen=True, slots=True)
class _Form:
    """The form of one column: its kind, None where it is never read, and how it is stored."""

    name: str
    kind: Kind | None
    dtype: Any
    missing: float | None
    first: Column

    @classmethod
    def of(cls, column: Column, kind: Kind | None) -> "_Form":
        objects = column.dtype == np.dtype(object)
        has_none = objects and any(value is None for value in column[column.isna()].tolist())
        missing = None if has_none else np.nan
        return cls(str(column.name), kind, column.dtype, missing, column.head(1))

    @property
    def is_plain(self) -> bool:
        """Whether the column is float64 whatever its values are."""
        numpy_dtype = isinstance(self.dtype, np.dtype) and self.dtype != np.dtype(object)
        return self.kind == "number" and numpy_dtype

    def column(self, rows: Sequence[Mapping[str, object]]) -> "Column | NDArray[Any]":
        if self.kind is None:
            first = np.zeros(len(rows), dtype=np.intp)
            return self.first.take(first).reset_index(drop=True)
        values = [row[self.name] for row in rows]
        if self.kind == "datetime":
            return pd.Series(values, dtype=self.dtype)
        if isinstance(self.dtype, pd.CategoricalDtype):
            return pd.Series(_categorical(values, self.dtype))
        complete = None not in values
        if not complete:
            values = [self.missing if value is None else value for value in values]
        dtype = "object" if self.dtype == np.dtype(object) else _DTYPES[self.kind][complete]
        if dtype in _NUMPY:  # a series takes several times as long
            array = np.array(values)
            if array.dtype == dtype:
                return array
        return pd.Series(values, dtype=dtype)


def _categorical(values: list[object], like: pd.CategoricalDtype) -> pd.Categorical:
    known = like.categories
    unseen = [value for value in dict.fromkeys(values) if value is not None and value not in known]
    categories = known.append(pd.Index(unseen)) if unseen else known
    return pd.Categorical(values, categories=categories, ordered=like.ordered)


_NUMPY: Final = ("float64", "int64", "bool")

# By kind: the dtype of a column that misses values, and of a complete one.
_DTYPES: Final[dict[Kind, tuple[str, str]]] = {
    "number": ("float64", "float64"),
    "integer": ("float64", "int64"),
    "boolean": ("object", "bool"),
    "category": ("str", "str"),
    "text": ("str", "str"),
}


def example_of(column: Column, kind: Kind) -> Scalar | None:
    """Pick a typical value of a column: the median of numbers, else the most frequent.

    A text may describe a person, so none is published.
    """
    if kind == "text":
        return "Some text."
    present = column.dropna()
    if present.empty:
        return None
    if kind == "number":
        return float(present.astype("float64").median())
    if kind == "integer":
        return int(present.astype("int64").median())
    if kind == "datetime":
        return _iso(present.sort_values())[len(present) // 2]
    most_frequent = present.mode().iloc[0]
    return bool(most_frequent) if kind == "boolean" else str(most_frequent)


_MOSTLY: Final = 0.5
"""The share of rows without a value above which a missing one is what training led to expect."""


def feature_of(
    column: Column, kind: Kind, *, nullable: bool, accepts_unseen: bool, **more: object
) -> Feature:
    """Describe a column as a feature of the signature."""
    described = {
        "name": column.name,
        "kind": kind,
        "nullable": nullable,
        "accepts_unseen": accepts_unseen,
        "range": _range_of(column.dropna(), kind),
        "unit": _unit_of(column.dtype) if kind == "datetime" else None,
        "example": example_of(column, kind),
        "mostly_missing": bool(column.isna().mean() > _MOSTLY),
        **more,
    }
    return Feature.of(described)


def _unit_of(dtype: Any) -> str:
    return np.datetime_data(dtype)[0]


def _range_of(present: Column, kind: Kind) -> tuple[Any, Any] | None:
    if present.empty or kind not in ("number", "integer", "datetime"):
        return None
    if kind == "datetime":
        first, last = _iso(present.sort_values().iloc[[0, -1]])
        return first, last
    numbers = present.astype("float64")
    return numbers.min(), numbers.max()
