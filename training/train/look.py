"""What is worth a look in the rows of a run, before a model learns from them.

Column by column, and over them: features that give the target away, rows that stand in both parts.
"""

from collections.abc import Iterator
from math import prod
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from training.data.findings import Finding, of_classes, of_column, of_counts, without
from training.errors import DataError
from training.train.config import Data
from training.train.data import Table
from training.train.target import is_whole


def look(trained: Table, held_out: Table, settings: Data) -> tuple[Finding, ...]:
    """Return what is worth a look in the rows of both parts, column by column.

    Parameters
    ----------
    trained, held_out : Table
        The parts of a split.
    settings : Data
        Columns in its ``accepted`` were looked at already.
    """
    features = pd.concat([trained.features, held_out.features])
    target = pd.concat([trained.target, held_out.target])
    found = list(trained.findings)
    for name in features:
        if name not in settings.text:
            found += of_column(features[name], stated=str(name) in settings.read.types)
    found += of_column(target, stated=True)
    if trained.learning == "classification":
        found += of_classes(target)
    if settings.task is None and is_whole(target):
        found += of_counts(target, trained.learning)
    learnt = features.drop(columns=[name for name in settings.text if name in features])
    found += of_leaks(
        learnt.reset_index(drop=True), target.reset_index(drop=True), trained.learning
    )
    found += of_both_parts(_whole(trained), _whole(held_out))
    return without(found, settings.accepted)


def _whole(table: Table) -> pd.DataFrame:
    return table.features.assign(**{str(table.target.name): table.target})


def require_none(findings: tuple[Finding, ...]) -> None:
    """Raise `DataError` with all findings, if there are some."""
    if findings:
        raise DataError("--strict: " + "; ".join(map(str, findings)))


type Column = pd.Series[Any]

_SEPARATES: Final = 0.99
_ROWS_A_LEVEL: Final = 10
_MOST_LEVELS: Final = 50
_SHARE_IN_BOTH: Final = 0.01
_BY_CHANCE: Final = 10
"""With fewer possible rows than so many times those there are, equal rows are no surprise."""


def of_leaks(features: pd.DataFrame, target: Column, learning: str) -> Iterator[Finding]:
    """Yield the features that tell the target alone.

    Of two classes, one whose area under the ROC curve exceeds 0.99; of several, one by whose values
    more than 99 % of the rows have one class; of numbers, one with a rank correlation beyond 0.99.
    """
    usual = target.value_counts(normalize=True).max()
    for name in features:
        column = features[name]
        if learning == "regression":
            found = abs(_correlation(column, target))
            measure = f"a rank correlation of {found:.3f} with the target"
        elif target.nunique() == 2:
            found = _area(column, target)
            measure = f"an area under the ROC curve of {found:.3f} by itself"
        else:
            found = 0.0 if usual > _SEPARATES else _purity(column, target)
            measure = f"values that tell the class of {found:.1%} of the rows"
        if found > _SEPARATES:
            yield Finding(
                str(name),
                f"has {measure}",
                "if it is known only after the target is, list it in `data.drop`; if not, in "
                "`data.accepted`",
            )


def _correlation(column: Column, target: Column) -> float:
    if not _is_number(column):
        return 0.0
    known = column.notna()
    if known.sum() < len(column) / 2 or column[known].nunique() < 2:
        return 0.0
    return float(np.nan_to_num(spearmanr(column[known].astype("float64"), target[known]).statistic))


def _area(column: Column, target: Column) -> float:
    ones, known = (target == target.unique()[0]).to_numpy(), column.notna().to_numpy()
    areas = [roc_auc_score(ones, known)]  # whether it is missing may tell the target
    levels = None if _is_binned(column) else _levels(column)
    if levels is not None:
        shares = pd.Series(ones, dtype="float64").groupby(levels).transform("mean")
        areas.append(roc_auc_score(ones, shares))
    elif _is_number(column) and known.mean() > 1 / 2 and len({*ones[known]}) == 2:
        areas.append(roc_auc_score(ones[known], column[known].astype("float64")))
    return float(max(max(area, 1 - area) for area in areas))


def _purity(column: Column, target: Column) -> float:
    levels = _levels(column)
    if levels is None:
        return 0.0
    groups = target.reset_index(drop=True).groupby(levels)
    return float(groups.agg(lambda part: part.value_counts().iloc[0]).sum() / len(target))


def _levels(column: Column) -> Any:
    """Return the place of each row's value, or bin; None where there are too many to learn from."""
    most = _most_levels(column)
    if _is_binned(column):
        numbers = column.astype("float64")
        bins = pd.qcut(numbers, max(2, most // 2), labels=False, duplicates="drop")
        return bins.fillna(-1).to_numpy()
    return None if column.nunique() > most else column.factorize()[0]


def _is_binned(column: Column) -> bool:
    return _is_number(column) and column.nunique() > _most_levels(column)


def _most_levels(column: Column) -> int:
    return min(_MOST_LEVELS, len(column) // _ROWS_A_LEVEL)


def _is_number(column: Column) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def of_both_parts(trained: pd.DataFrame, held_out: pd.DataFrame) -> Iterator[Finding]:
    """Yield whether rows that are held out stand in the training rows too."""
    known = pd.util.hash_pandas_object(trained, index=False)
    both = int(pd.util.hash_pandas_object(held_out, index=False).isin(known).sum())
    rows = len(trained) + len(held_out)
    possible = prod(min(trained[name].nunique(), rows) for name in trained)
    if both >= max(2, _SHARE_IN_BOTH * len(held_out)) and possible > _BY_CHANCE * rows:
        yield Finding(
            None,
            f"{both:,} of {len(held_out):,} held-out rows stand in the training rows too, so the "
            "metrics are too good",
            "remove duplicates from the source",
        )
