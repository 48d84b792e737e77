"""Data frames and client rows, each made from the other.

A client's row holds JSON's values: numbers, strings, booleans, and None for missing. scikit-learn
scores a frame of such rows wherever it is the reference.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from sklambda.signature import Feature, Kind, Scalar
from training.errors import DataError

type Column = pd.Series[Any]
type ClientRow = dict[str, Scalar | None]


def kind_of(column: Column) -> Kind:
    """Return the kind of a column: how JSON writes its values.

    Raises
    ------
    DataError
        The column holds values of several types, dates with a zone, or dates of which some are
        missing.
    """
    if column.dtype.kind == "M":
        _check_moments(column)
        return "datetime"
    categorical = isinstance(column.dtype, pd.CategoricalDtype)
    values = column.cat.categories if categorical else column
    kind = _KINDS.get(pd.api.types.infer_dtype(values, skipna=True))
    if kind is None:
        raise DataError(
            f"column {column.name!r} has mixed types: expected numbers, booleans or strings alone"
        )
    return kind


def _check_moments(column: Column) -> None:
    if not isinstance(column.dtype, np.dtype):
        raise DataError(
            f"column {column.name!r} has a time zone: remove it by "
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
    "string": "category",
    "empty": "category",
}


def as_frame(rows: pd.DataFrame | Column | Sequence[str]) -> pd.DataFrame:
    """Return a frame unchanged, and a sequence of texts as a frame of one column."""
    if isinstance(rows, pd.DataFrame):
        return rows
    column = rows if isinstance(rows, pd.Series) else pd.Series([*rows], dtype="str")
    return column.to_frame("text" if column.name is None else column.name)


def kinds_of(frame: pd.DataFrame) -> dict[str, Kind]:
    """Return the kind of each column of a frame, [N, K]; raise `DataError` as `kind_of` does."""
    _check_names(frame.columns)
    return {str(name): kind_of(frame[name]) for name in frame.columns}


def _check_names(names: Sequence[Hashable] | pd.Index) -> None:
    for name in names:
        if not isinstance(name, str) or not name:
            raise DataError(f"column names must be non-empty strings, got {name!r}")
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


def reference_frame(
    rows: Sequence[Mapping[str, object]], like: pd.DataFrame, kinds: Mapping[str, Kind]
) -> pd.DataFrame:
    """Build the frame of client rows that scikit-learn scores.

    Parameters
    ----------
    rows : sequence of mapping
        Each holds every feature; None means missing.
    like : DataFrame
        The frame that the pipeline was fitted on; sets the dtypes.
    kinds : mapping of str to kind
        The features, in order.

    Returns
    -------
    DataFrame
        Shape [len(rows), K]. Missing is NaN; a column of integers or booleans that misses a value
        is float64 or object, as pandas would read it. Of the category dtype it has the categories
        of `like`, and behind them those that only the rows have.
    """
    columns = {
        name: _column([row[name] for row in rows], like[name].dtype, kind)
        for name, kind in kinds.items()
    }
    return pd.DataFrame(columns, index=range(len(rows)))


def _column(values: list[object], like: Any, kind: Kind) -> Column:
    if kind == "datetime":
        return pd.Series(values, dtype=like)
    if isinstance(like, pd.CategoricalDtype):
        return pd.Series(_categorical(values, like))
    filled = [np.nan if value is None else value for value in values]
    if like == np.dtype(object):
        return pd.Series(filled, dtype="object")
    complete = not any(value is None for value in values)
    return pd.Series(filled, dtype=_DTYPES[kind][complete])


def _categorical(values: list[object], like: pd.CategoricalDtype) -> pd.Categorical:
    known = like.categories
    unseen = [value for value in dict.fromkeys(values) if value is not None and value not in known]
    categories = known.append(pd.Index(unseen)) if unseen else known
    return pd.Categorical(values, categories=categories, ordered=like.ordered)


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
