"""Transformers of features, ready for pipelines: each converts exactly, wherever it stands.

They are scikit-learn transformers that learn nothing but the names of their columns, and take data
frames and arrays. Training alone imports them; a function that serves carries no scikit-learn.

::

    from sklambda.features import Cosine, Ratio, Sine

    ColumnTransformer(
        [
            ("rate", Ratio(), ["charges", "tenure"]),
            ("hour", make_union(Sine(24), Cosine(24)), ["hour"]),
        ],
        remainder="passthrough",
    )
"""

from collections.abc import Sequence
from typing import Any, Final, Literal, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

__all__ = [
    "Cast",
    "Clip",
    "Cosine",
    "DateParts",
    "DaysSince",
    "Difference",
    "LogShifted",
    "Product",
    "Ratio",
    "Select",
    "Sine",
    "Split",
]

type Table = Any
"""A data frame, or an array [N, K]."""

type Part = Literal["year", "month", "day", "weekday", "dayofyear", "hour", "minute"]

_PARTS: Final = {
    "year": "year",
    "month": "month",
    "day": "day",
    "weekday": "day_of_week",
    "dayofyear": "day_of_year",
    "hour": "hour",
    "minute": "minute",
}
"""The parts of a date, and pandas' names for them."""


class _Feature(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A transformer that learns the names of its columns.

    Attributes
    ----------
    n_features_in_ : int
        The number of columns.
    feature_names_in_ : array of str
        Their names; "x0", "x1" and so on of an array.
    """

    n_features_in_: int
    feature_names_in_: Any

    def fit(self, X: Table, y: Any = None) -> Self:
        """Note the columns; raises ValueError where there are too few or too many."""
        columns = getattr(X, "columns", None)
        self.n_features_in_ = np.shape(X)[1]
        names = [f"x{place}" for place in range(self.n_features_in_)]
        self.feature_names_in_ = np.array(names if columns is None else [*columns], dtype=object)
        self._check()
        return self

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Return the names of the resulting columns."""
        return np.array(self._names(), dtype=object)

    def _check(self) -> None:
        """Raise ValueError where columns or parameters do not fit."""

    def _require(self, fits: bool, expected: str) -> None:
        if not fits:
            kind = type(self).__name__
            raise ValueError(f"{kind} takes {expected}, got {self.n_features_in_} columns")

    def _names(self) -> list[str]:
        return [str(name) for name in self.feature_names_in_]


class _Pair(_Feature):
    """A transformer of two columns into one."""

    _sign = ""

    def _check(self) -> None:
        self._require(self.n_features_in_ == 2, "2 columns")

    def _names(self) -> list[str]:
        return [self._sign.join(super()._names())]


class Ratio(_Pair):
    """The first column divided by the second.

    Parameters
    ----------
    where_zero : float
        The result where the second is 0: without it, such rows could not be scored.
    """

    _sign = "/"

    def __init__(self, where_zero: float = 0.0) -> None:
        self.where_zero = where_zero

    def transform(self, X: Table) -> Any:
        """Return the ratio, [N, 1]."""
        first, second = _columns(X)
        none = second == 0
        return _table([np.where(none, self.where_zero, first / np.where(none, 1.0, second))])


class Difference(_Pair):
    """The first column less the second."""

    _sign = "-"

    def transform(self, X: Table) -> Any:
        """Return the difference, [N, 1]."""
        first, second = _columns(X)
        return _table([first - second])


class Product(_Feature):
    """The product of all columns."""

    def _check(self) -> None:
        self._require(self.n_features_in_ > 1, "at least 2 columns")

    def transform(self, X: Table) -> Any:
        """Return the product, [N, 1]."""
        first, *others = _columns(X)
        for other in others:
            first = first * other
        return _table([first])

    def _names(self) -> list[str]:
        return ["*".join(super()._names())]


class LogShifted(_Feature):
    """The logarithm of each column plus a number: ``log(x + shift)``.

    Rows with ``x + shift`` at 0 or below are refused when they are scored, as scikit-learn's models
    refuse them.

    Parameters
    ----------
    shift : float
        Added before.
    """

    def __init__(self, shift: float = 1.0) -> None:
        self.shift = shift

    def transform(self, X: Table) -> Any:
        """Return the logarithms, [N, K]."""
        return _table([np.log(column + self.shift) for column in _columns(X)])


class _Periodic(_Feature):
    def __init__(self, period: float) -> None:
        self.period = period

    def _check(self) -> None:
        if not self.period > 0:
            raise ValueError(f"period must be above 0, got {self.period!r}")

    def _angles(self, X: Table) -> list[Any]:
        return [column * (2 * np.pi / self.period) for column in _columns(X)]

    def _names(self) -> list[str]:
        return [f"{type(self).__name__.lower()}({name})" for name in super()._names()]


class Sine(_Periodic):
    """The sine of each column, which repeats itself after a period: 24 for hours.

    Parameters
    ----------
    period : float
        The period, in the unit of the columns.
    """

    def transform(self, X: Table) -> Any:
        """Return the sines, [N, K]."""
        return _table([np.sin(angle) for angle in self._angles(X)])


class Cosine(_Periodic):
    """The cosine of each column, which repeats itself after a period: 24 for hours.

    Parameters
    ----------
    period : float
        The period, in the unit of the columns.
    """

    def transform(self, X: Table) -> Any:
        """Return the cosines, [N, K]."""
        return _table([np.cos(angle) for angle in self._angles(X)])


class DateParts(_Feature):
    """Parts of dates and times, as numbers.

    Parameters
    ----------
    parts : sequence of str
        Some of "year", "month", "day", "weekday" (Monday is 0), "dayofyear", "hour" and "minute".
    """

    def __init__(self, parts: Sequence[Part] = ("year", "month", "weekday", "hour")) -> None:
        self.parts = parts

    def _check(self) -> None:
        for part in self.parts:
            if part not in _PARTS:
                raise ValueError(f"parts must be some of {', '.join(_PARTS)}, got {part!r}")

    def transform(self, X: Table) -> Any:
        """Return the parts, [N, K * parts]; takes a data frame."""
        return _table(
            [
                getattr(X[name].dt, _PARTS[part])
                for name in self.feature_names_in_
                for part in self.parts
            ]
        )

    def _names(self) -> list[str]:
        return [f"{name}.{part}" for name in super()._names() for part in self.parts]


class DaysSince(_Feature):
    """The days from a date to each column of dates and times, whole days.

    Parameters
    ----------
    date : str
        The date, as "2020-01-31".
    """

    def __init__(self, date: str = "1970-01-01") -> None:
        self.date = date

    def transform(self, X: Table) -> Any:
        """Return the days, [N, K]; takes a data frame."""
        start = pd.Timestamp(self.date)
        return _table([(X[name] - start).dt.days for name in self.feature_names_in_])


class Cast(_Feature):
    """Numbers as whole numbers, cut towards 0, or as floats.

    Parameters
    ----------
    to : {"integer", "float"}
        What they become.
    """

    def __init__(self, to: Literal["integer", "float"] = "integer") -> None:
        self.to = to

    def _check(self) -> None:
        if self.to not in ("integer", "float"):
            raise ValueError(f"to must be 'integer' or 'float', got {self.to!r}")

    def transform(self, X: Table) -> Any:
        """Return the numbers, [N, K]."""
        columns = _columns(X)
        return _table([np.trunc(each) for each in columns] if self.to == "integer" else columns)


class Select(_Feature):
    """Some columns of a data frame, by name.

    Parameters
    ----------
    columns : sequence of str
        Their names, in the order of the result.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = columns

    def _check(self) -> None:
        known = set(self.feature_names_in_)
        absent = [name for name in self.columns if name not in known]
        if absent:
            raise ValueError(f"Select names an unknown column {absent[0]!r}")

    def transform(self, X: Table) -> Any:
        """Return the columns."""
        return X[list(self.columns)]

    def _names(self) -> list[str]:
        return [*self.columns]


class Split(_Feature):
    """The parts of a delimited text, such as "north/7/b", as categories.

    A value with fewer parts, or a missing one, has "" in the place of the others; further parts are
    left out.

    Parameters
    ----------
    delimiter : str
        What stands between parts.
    parts : int
        How many parts become columns.
    """

    def __init__(self, delimiter: str = ",", parts: int = 2) -> None:
        self.delimiter, self.parts = delimiter, parts

    def transform(self, X: Table) -> Any:
        """Return the parts, [N, K * parts]; takes a data frame of strings."""
        found = {
            f"{name}[{part}]": X[name].map(lambda text, part=part: self._part(text, part))
            for name in self.feature_names_in_
            for part in range(self.parts)
        }
        return pd.DataFrame(found)

    def _part(self, text: Any, part: int) -> str:
        pieces = text.split(self.delimiter) if isinstance(text, str) else []
        return pieces[part] if part < len(pieces) else ""

    def _names(self) -> list[str]:
        return [f"{name}[{part}]" for name in super()._names() for part in range(self.parts)]


class Clip(_Feature):
    """Numbers between two ends.

    Parameters
    ----------
    least, greatest : float
        What is below becomes the least, what is above the greatest.
    """

    def __init__(self, least: float = -np.inf, greatest: float = np.inf) -> None:
        self.least, self.greatest = least, greatest

    def _check(self) -> None:
        if not self.least <= self.greatest:
            given = f"{self.least} and {self.greatest}"
            raise ValueError(f"least must not exceed greatest, got {given}")

    def transform(self, X: Table) -> Any:
        """Return the numbers, [N, K]."""
        return _table([np.clip(column, self.least, self.greatest) for column in _columns(X)])


def _columns(X: Table) -> list[Any]:
    """Return the columns of a data frame or an array."""
    if hasattr(X, "columns"):
        return [X[name] for name in X.columns]
    return [X[:, place] for place in range(X.shape[1])]


def _table(columns: Sequence[Any]) -> Any:
    return np.column_stack(columns)
