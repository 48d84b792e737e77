"""Tables in the forms that scikit-learn accepts, as a frame whose columns a client can name."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.errors import DataError


def as_frame(rows: Any, names: Sequence[str] = ()) -> pd.DataFrame:
    """Return rows as a frame whose columns a client can name.

    Parameters
    ----------
    rows : DataFrame, Series, array [N, K], sparse matrix [N, K], mapping or sequence
        A frame of pandas, polars or pyarrow; a mapping of names to columns; a list of rows, each a
        mapping or a list of K values; texts. Whole numbers as names, as pandas numbers columns,
        become strings. Columns without names have those that scikit-learn gives, "x0", "x1" and so
        on. Texts alone are the column "text" unless they have a name.
    names : sequence of str, optional
        The names of columns that have none, if there are as many.

    Raises
    ------
    DataError
        The rows are none of these.
    """
    if isinstance(rows, pd.DataFrame):
        return rows.rename(columns=lambda name: str(name) if is_whole(name) else name)
    library = type(rows).__module__.partition(".")[0]
    if library == "polars":
        return _of_polars(rows)
    if library == "pyarrow" and hasattr(rows, "to_pandas"):
        return as_frame(rows.to_pandas())
    if isinstance(rows, pd.Series):
        return _of_texts(rows)
    if hasattr(rows, "toarray"):
        rows = rows.toarray()
    if isinstance(rows, Mapping):
        return _of_mappings(rows)
    if isinstance(rows, Sequence) and not isinstance(rows, str):
        if len(rows) and all(isinstance(row, Mapping) for row in rows):
            return _of_mappings(rows)
        if len(rows) and all(_is_row(row) for row in rows):
            rows = _of_lists(rows)
    if isinstance(rows, np.ndarray) and rows.dtype.names:
        return pd.DataFrame(rows)
    if isinstance(rows, np.ndarray) and rows.ndim == 2:
        return _of_array(rows, names)
    return _of_texts(pd.Series(_texts(rows), dtype="str"))


def digest(frame: pd.DataFrame) -> str:
    """Return the SHA-256 of a frame's names, dtypes and values, in 64 hexadecimal digits."""
    found = sha256(repr([*zip(frame.columns, map(str, frame.dtypes), strict=True)]).encode())
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        try:
            hashes = pd.util.hash_pandas_object(column, index=False)
        except TypeError:  # lists and other values that have no hash
            hashes = pd.util.hash_pandas_object(column.map(repr), index=False)
        found.update(hashes.to_numpy().tobytes())
    return found.hexdigest()


def is_whole(name: object) -> bool:
    """Check whether a column's name is a whole number, as pandas numbers columns."""
    return isinstance(name, (int, np.integer)) and not isinstance(name, bool)


def _is_row(row: object) -> bool:
    return isinstance(row, (Sequence, np.ndarray)) and not isinstance(row, str | bytes)


def _of_array(rows: NDArray[Any], names: Sequence[str]) -> pd.DataFrame:
    given = len(names) == rows.shape[1]
    columns = [*names] if given else [f"x{place}" for place in range(rows.shape[1])]
    frame = pd.DataFrame(rows, columns=columns, dtype=object if rows.dtype == object else None)
    if rows.dtype != object:
        return frame
    # None, which encoders tell from NaN, would become NaN.
    plain = [place for place in range(rows.shape[1]) if not _has_none(rows[:, place])]
    for place in plain:
        frame.isetitem(place, frame.iloc[:, place].infer_objects().array)
    return frame


def _has_none(column: NDArray[Any]) -> bool:
    return any(value is None for value in column.tolist())


def _of_lists(rows: Sequence[Any]) -> NDArray[Any]:
    """Return the array that scikit-learn makes of lists, or one of objects where types differ."""
    if len({len(row) for row in rows}) > 1:
        raise DataError("the rows differ in length: each must have a value for every column")
    if any(_is_row(value) or isinstance(value, Mapping) for row in rows for value in row):
        raise DataError("the rows must have two dimensions, got lists within their lists")
    array = np.array(rows)
    if array.dtype.kind in "biuf":
        return array
    filled = np.empty((len(rows), len(rows[0])), dtype=object)
    for place, row in enumerate(rows):
        filled[place] = [*row]
    return filled


def _of_mappings(rows: Any) -> pd.DataFrame:
    try:
        return as_frame(pd.DataFrame(rows))
    except ValueError as error:
        raise DataError(
            "the rows must be a table: columns of the same length by name, or a list of rows, each "
            f"with its values by name ({error})"
        ) from error


def _of_polars(rows: Any) -> pd.DataFrame:
    kind = type(rows).__name__
    if kind == "LazyFrame":
        raise DataError("the rows are a polars.LazyFrame: pass rows.collect()")
    if kind == "Series":
        texts = pd.Series(_texts(rows.to_list()), dtype="str", name=rows.name or None)
        return _of_texts(texts)
    return pd.DataFrame({name: _polars_column(rows[name]) for name in rows.columns})


def _polars_column(column: Any) -> "pd.Series[Any]":
    """Return a column without pyarrow, with None for null where scikit-learn meets None."""
    kind = str(column.dtype).partition("(")[0]
    if kind == "Enum":
        levels = column.dtype.categories.to_list()
        return pd.Series(pd.Categorical(column.to_list(), categories=levels))
    if column.dtype.is_numeric() and kind != "Decimal":
        return pd.Series(column.to_numpy())
    if kind == "Datetime":
        return pd.Series(column.to_list(), dtype=f"datetime64[{column.dtype.time_unit}]")
    if kind == "Boolean" and not column.null_count():
        return pd.Series(column.to_list(), dtype=bool)
    return pd.Series(column.to_list(), dtype=object if column.null_count() else None)


def _of_texts(texts: "pd.Series[Any]") -> pd.DataFrame:
    return as_frame(texts.to_frame("text" if texts.name is None else texts.name))


def _texts(rows: Any) -> list[str]:
    if isinstance(rows, np.ndarray) and rows.dtype.kind in "biufO" and rows.ndim != 2:
        hint = "; one column of numbers is rows.reshape(-1, 1)" if rows.ndim == 1 else ""
        if rows.dtype != np.dtype(object) or rows.ndim != 1:
            raise _no_table(rows, f" of {rows.ndim} dimensions{hint}")
    texts = [*rows] if isinstance(rows, (Sequence, np.ndarray)) else [rows]
    if isinstance(rows, str) or not all(isinstance(text, str) for text in texts):
        raise _no_table(rows)
    return texts


def _no_table(rows: Any, more: str = "") -> DataError:
    got = type(rows).__module__.partition(".")[0]
    return DataError(
        "the rows must be a pandas DataFrame, an array of two dimensions, a list of rows or a list "
        f"of texts, got {got}.{type(rows).__name__}{more}"
    )
