"""What each column of a table is to a model."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd

from sklambda.signature import Kind

type Column = pd.Series[Any]

_NEARLY_EVERY: Final = 0.9
_MANY_LEVELS: Final = 0.5
_WORDS: Final = 3
_FEWEST_TEXTS: Final = 30
_GREATEST: Final = 2**53
_ID: Final = re.compile(
    r"(?:^|[_\W])(?:id|ids|uuid|guid|key|nr|no|index|row|rownum|number|code)$", re.IGNORECASE
)
_CAMEL_ID: Final = re.compile(r"(?<=[a-z])(?:ID|Id|Nr|No|Key)$")


@dataclass
class Roles:
    """The columns of a table by what they are.

    Attributes
    ----------
    numbers, booleans, categories, dates, texts : list of str
        Features.
    row_id : str or None
        The first column that is different in every row and means nothing.
    dropped : dict of str to str
        Columns that are left out, with the reason.
    has_hours : bool
        Whether some date has a time of day.
    """

    numbers: list[str] = field(default_factory=list)
    booleans: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    dates: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    row_id: str | None = None
    dropped: dict[str, str] = field(default_factory=dict)
    has_hours: bool = False

    @property
    def features(self) -> list[str]:
        """All features."""
        return [*self.numbers, *self.booleans, *self.categories, *self.dates, *self.texts]


def of(frame: pd.DataFrame, kinds: Mapping[str, Kind], target: str) -> Roles:
    """Return the roles of all columns but the target."""
    roles = Roles()
    for name in map(str, frame.columns):
        if name == target:
            continue
        column = frame[name]
        if is_id(column, kinds[name]) and roles.row_id is None:
            roles.row_id = name
        elif reason := _useless(column, kinds[name]):
            roles.dropped[name] = reason
        else:
            _features(roles, column, kinds[name]).append(name)
    dates = [frame[name] for name in roles.dates]
    roles.has_hours = any((each.dt.normalize() != each).any() for each in dates)
    return roles


def _features(roles: Roles, column: Column, kind: Kind) -> list[str]:
    if kind == "text" or (kind == "category" and is_text(column)):
        return roles.texts
    return {
        "number": roles.numbers,
        "integer": roles.numbers,
        "boolean": roles.booleans,
        "datetime": roles.dates,
    }.get(kind, roles.categories)


def _useless(column: Column, kind: Kind) -> str | None:
    """Return why a column is left out; None if it is not."""
    present = column.dropna()
    if present.empty:
        return "it is empty"
    if present.nunique() == 1 and len(present) == len(column):
        return "it has the same value in every row"
    if kind == "datetime" and len(present) < len(column):
        return "it has missing dates, which scikit-learn does not take"
    if is_id(column, kind):
        return "it has a different value in every row"
    if kind == "category" and not is_text(column):
        if present.nunique() > _NEARLY_EVERY * len(column):
            return "it has a different text in nearly every row"
        if present.nunique() > max(_FEWEST_TEXTS, _MANY_LEVELS * len(present)):
            return "most of its texts stand in one row alone"
    if kind in ("number", "integer"):
        sizes = present.astype("float64").abs()
        if np.isinf(sizes).any():
            return "it has infinite values"
        if kind == "integer" and (sizes > _GREATEST).any():
            return "it has whole numbers beyond 2^53, which are not exact"
    return None


def is_id(column: Column, kind: Kind) -> bool:
    """Check whether a column names rows: different in each, and without a meaning of its own."""
    if column.isna().any() or column.nunique() < len(column) or kind not in _NAMING:
        return False
    if kind == "category":
        return not is_text(column)
    numbers = column.astype("float64")
    dense = float(numbers.max() - numbers.min()) < 2 * len(numbers)
    name = str(column.name)
    named = _ID.search(name) or _CAMEL_ID.search(name)
    return bool(dense or numbers.is_monotonic_increasing or named)


_NAMING: Final = ("category", "integer")


def is_text(column: Column) -> bool:
    """Check whether a column of strings holds free text: several words, and mostly different."""
    present = column.dropna()
    if present.nunique() < max(_FEWEST_TEXTS, _MANY_LEVELS * len(present)):
        return False
    return float(present.str.count(r"\S+").mean()) >= _WORDS
