"""The target of a run: whether it has classes or values, and what is refused of it."""

from typing import Any, Final

import numpy as np
import pandas as pd

from training.errors import DataError
from training.train.config import Learning

type Column = pd.Series[Any]

_FEWEST_ROWS: Final = 50
_MOST_CLASSES: Final = 100
_MOST_WHOLE_CLASSES: Final = 20
"""With more different whole numbers a target is a count or a measure, unless it is stated."""


def learning_of(target: Column, stated: Learning | None = None) -> Learning:
    """Return what is learnt: the stated task, or what the values of the target tell."""
    if stated is not None:
        return stated
    if not _is_numeric(target):
        return "classification"
    few = target.nunique() <= _MOST_WHOLE_CLASSES
    return "classification" if few and is_whole(target) else "regression"


def is_whole(target: Column) -> bool:
    """Check whether a column has whole numbers alone."""
    return _is_numeric(target) and bool((target.astype("float64") % 1 == 0).all())


def checked(target: Column, learning: Learning) -> Column:
    """Return a target as estimators take it: labels of any type, or float64 values.

    Raises
    ------
    DataError
        It is missing in some row or the same in all, there are too few rows, or it has values that
        the task does not take.
    """
    name = f"the target `{target.name}`"
    missing = int(target.isna().sum())
    if missing:
        raise DataError(f"{name} is missing in {missing} of {len(target)} rows")
    if len(target) < _FEWEST_ROWS:
        raise DataError(f"training needs at least {_FEWEST_ROWS} rows, got {len(target)}")
    if target.nunique() < 2:
        raise DataError(f"{name} has the same value in every row")
    return _values(target, name) if learning == "regression" else _labels(target, name)


def _values(target: Column, name: str) -> Column:
    if not _is_numeric(target):
        raise DataError(
            f'{name} must have numbers for a regression: state `data.task = "classification"`, or '
            "by `data.read` how its numbers are written"
        )
    values = target.astype("float64")
    if not np.isfinite(values).all():
        raise DataError(f"{name} has infinite values in {int(np.isinf(values).sum())} rows")
    return values


def _labels(target: Column, name: str) -> Column:
    numeric = _is_numeric(target)
    hint = '; if it counts or measures, state `data.task = "regression"`' if numeric else ""
    counts = target.value_counts()
    if numeric and not is_whole(target):
        raise DataError(f"{name} has numbers with decimals, which are no classes{hint}")
    if len(counts) > _MOST_CLASSES:
        raise DataError(
            f"{name} has {len(counts)} different values, and a classifier takes up to "
            f"{_MOST_CLASSES} classes{hint}"
        )
    if counts.min() < 2:
        raise DataError(
            f"each class of {name} needs 2 rows, and '{counts.idxmin()}' has 1: add rows of it, "
            f"or remove it{hint}"
        )
    # scikit-learn keeps the dtype of the target in classes_: object is what it takes everywhere.
    return target.astype(object) if isinstance(target.dtype, pd.StringDtype) else target


def _is_numeric(target: Column) -> bool:
    return pd.api.types.is_numeric_dtype(target) and not pd.api.types.is_bool_dtype(target)
