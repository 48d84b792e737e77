"""Data frames and client rows, each made from the other.

A client's row holds JSON's values: numbers, strings, booleans, and None for missing. scikit-learn
scores a frame of such rows wherever it is the reference.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from math import isinf
from typing import Any, Final

import numpy as np
import pandas as pd

from sklambda.codec.values import EXACT_INTEGER
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
    if kind == "category" and not all(map(_is_unicode, values.dropna().unique())):
        raise DataError(
            f"column {column.name!r} has a text that JSON cannot hold, with half of a surrogate "
            "pair: read the file with the encoding that it has"
        )
    if kind is None:
        raise DataError(
            f"column {column.name!r} has mixed types: expected numbers, booleans or strings alone"
        )
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


def as_frame(rows: Any) -> pd.DataFrame:
    """Return rows as a frame whose columns a client can name.

    Parameters
    ----------
    rows : DataFrame, Series, array [N, K], sparse matrix [N, K], or sequence of str
        Whole numbers as names, as pandas numbers columns, become strings. The columns of an array
        are "x0", "x1" and so on, as scikit-learn names them. Texts alone are the column "text"
        unless they have a name.

    Raises
    ------
    DataError
        The rows are none of these.
    """
    if isinstance(rows, pd.DataFrame):
        return rows.rename(columns=lambda name: str(name) if _is_whole(name) else name)
    if hasattr(rows, "toarray"):
        rows = rows.toarray()
    if isinstance(rows, np.ndarray) and rows.ndim == 2:
        names = [f"x{place}" for place in range(rows.shape[1])]
        return pd.DataFrame(rows, columns=names).infer_objects()
    if not isinstance(rows, pd.Series):
        rows = pd.Series(_texts(rows), dtype="str")
    return as_frame(rows.to_frame("text" if rows.name is None else rows.name))


def _is_whole(name: object) -> bool:
    return isinstance(name, (int, np.integer)) and not isinstance(name, bool)


def _texts(rows: Any) -> list[str]:
    texts = [*rows] if isinstance(rows, (Sequence, np.ndarray)) else [rows]
    if isinstance(rows, str) or not all(isinstance(text, str) for text in texts):
        raise DataError(
            "the rows must be a pandas DataFrame, an array of two dimensions or a list of texts, "
            f"got {type(rows).__module__.partition('.')[0]}.{type(rows).__name__}"
        )
    return texts


def kinds_of(frame: pd.DataFrame) -> dict[str, Kind]:
    """Return the kind of each column of a frame, [N, K]; raise `DataError` as `kind_of` does."""
    _check_names(frame.columns)
    return {str(name): kind_of(frame[name]) for name in frame.columns}


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
        The features, in order. scikit-learn requires the other columns without reading them:
        they repeat the first value of `like`.

    Returns
    -------
    DataFrame
        Shape [len(rows), K]. Missing is NaN; a column of integers or booleans that misses a value
        is float64 or object, as pandas would read it. Of the category dtype it has the categories
        of `like`, and behind them those that only the rows have.
    """
    first = np.zeros(len(rows), dtype=np.intp)
    columns = {
        name: _column([row[name] for row in rows], like[name].dtype, kinds[name])
        if name in kinds
        else like[name].take(first).reset_index(drop=True)
        for name in map(str, like.columns)
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
