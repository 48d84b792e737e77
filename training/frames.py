"""Data frames and client rows, each made from the other.

A client's row is what JSON can say: numbers, strings, booleans, and None for missing. The frame
made of such rows is what scikit-learn is given wherever its answer is the reference.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sklambda.signature import Feature, Kind, Scalar
from training.errors import DataError

type Column = pd.Series[Any]
type ClientRow = dict[str, Scalar | None]


def kind_of(column: Column) -> Kind:
    """Tell how the values of a column are written in JSON.

    Raises
    ------
    DataError
        The column holds dates, or values of several types.
    """
    if pd.api.types.is_bool_dtype(column):
        return "boolean"
    if pd.api.types.is_integer_dtype(column):
        return "integer"
    if pd.api.types.is_float_dtype(column):
        return "number"
    if all(isinstance(value, str) for value in column.dropna()):
        return "category"
    raise DataError(
        f"column {column.name!r} holds neither numbers, nor true and false, nor strings alone"
    )


def kinds_of(frame: pd.DataFrame) -> dict[str, Kind]:
    """Tell the kind of each column of a frame, [N, K]; raises `DataError` where `kind_of` does."""
    _check_names(frame.columns)
    return {str(name): kind_of(frame[name]) for name in frame.columns}


def _check_names(names: Sequence[Hashable] | pd.Index) -> None:
    for name in names:
        if not isinstance(name, str) or not name:
            raise DataError("every column needs a name, and a name is a string")
    doubled = pd.Index(names)[pd.Index(names).duplicated()]
    if len(doubled):
        raise DataError(f"column {doubled[0]!r} stands twice")


def client_rows(frame: pd.DataFrame, kinds: Mapping[str, Kind]) -> list[ClientRow]:
    """Write the rows of a frame as a client would send them."""
    columns = [_plain(frame[name], kind) for name, kind in kinds.items()]
    return [dict(zip(kinds, values, strict=True)) for values in zip(*columns, strict=True)]


def _plain(column: Column, kind: Kind) -> list[Scalar | None]:
    convert = {"integer": int, "number": float, "boolean": bool, "category": str}[kind]
    return [
        None if missing else convert(value)
        for value, missing in zip(column.tolist(), column.isna().tolist(), strict=True)
    ]


def reference_frame(
    rows: Sequence[Mapping[str, object]], like: pd.DataFrame, kinds: Mapping[str, Kind]
) -> pd.DataFrame:
    """Build what scikit-learn is given for client rows.

    Parameters
    ----------
    rows : sequence of mapping
        Each holds every feature; None says "missing".
    like : DataFrame
        The frame that the pipeline was fitted on; gives the dtypes.
    kinds : mapping of str to kind
        The features, in order.

    Returns
    -------
    DataFrame
        Shape [len(rows), K]. Missing is NaN; a column of integers or booleans that misses a value
        is float64 or object, as pandas would read it.
    """
    columns = {
        name: _column([row[name] for row in rows], like[name].dtype, kind)
        for name, kind in kinds.items()
    }
    return pd.DataFrame(columns, index=range(len(rows)))


def _column(values: list[object], dtype: object, kind: Kind) -> Column:
    filled = [np.nan if value is None else value for value in values]
    complete = not any(value is None for value in values)
    if kind == "number":
        return pd.Series(filled, dtype="float64")
    if kind == "integer":
        return pd.Series(filled, dtype="int64" if complete else "float64")
    if kind == "boolean":
        return pd.Series(filled, dtype="bool" if complete else "object")
    return pd.Series(filled, dtype="object" if dtype == np.dtype(object) else "str")


def example_of(column: Column, kind: Kind) -> Scalar | None:
    """Pick a typical value of a column: the median of numbers, else the most frequent."""
    present = column.dropna()
    if present.empty:
        return None
    if kind == "number":
        return float(present.astype("float64").median())
    if kind == "integer":
        return int(present.astype("int64").median())
    most_frequent = present.mode().iloc[0]
    return bool(most_frequent) if kind == "boolean" else str(most_frequent)


def feature_of(
    column: Column, kind: Kind, *, nullable: bool, accepts_unseen: bool, **more: object
) -> Feature:
    """Describe a column as a feature of the signature."""
    numbers = column.dropna().astype("float64") if kind in ("number", "integer") else None
    return Feature.model_validate(
        {
            "name": column.name,
            "kind": kind,
            "nullable": nullable,
            "accepts_unseen": accepts_unseen,
            "range": None if numbers is None or numbers.empty else (numbers.min(), numbers.max()),
            "example": example_of(column, kind),
            **more,
        }
    )
