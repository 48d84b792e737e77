"""What a column's ``str`` and ``dt`` do, and picking by ``loc`` and ``iloc``."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from training.convert.tracing.columns import Column, Value, choose
from training.convert.tracing.dates import part_of
from training.convert.tracing.frames import Frame
from training.convert.tracing.refusals import ROW_WISE
from training.convert.tracing.trace import Real


class Texts:
    """A stand-in for ``Series.str`` or ``Series.cat``: each method is a table.

    Parameters
    ----------
    column : Column
        The column of categories.
    name : str
        "str" or "cat".
    """

    def __init__(self, column: Column, name: str) -> None:
        self._column, self._name = column, name
        if column.expression.kind != "category":
            getattr(column.shadow, name)  # raises AttributeError, as pandas does

    def __getitem__(self, key: Any) -> Any:
        return self._recorded("[]", lambda each: each.str[key])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if not callable(getattr(getattr(self._column.shadow, self._name), name)):
            return self._recorded(name, lambda each: getattr(getattr(each, self._name), name))

        def method(*inputs: Any, **options: Any) -> Any:
            def real(each: Real) -> Real:
                return getattr(getattr(each, self._name), name)(*inputs, **options)

            if options.get("expand") or name in ("get_dummies", "partition", "rpartition"):
                return self._several(name, real)
            return self._recorded(name, real)

        return method

    def _recorded(self, name: str, real: Callable[[Any], Any]) -> Any:
        trace = self._column.trace
        found = real(self._column.shadow)
        if isinstance(found, pd.DataFrame):
            return self._several(name, real)
        return self._column.like(trace.apply(f".{self._name}.{name}", real, (self._column,)))

    def _several(self, name: str, real: Callable[[Any], Any]) -> Frame:
        """Record a method that makes a frame; its width must not depend on the rows."""
        trace, shadow = self._column.trace, real(self._column.shadow)
        parts = {}
        for place, label in enumerate(shadow.columns):

            def one(each: Real, place: int = place) -> Real:
                frame = real(each)
                missing = pd.Series(np.nan, index=each.index, dtype=object)
                return frame.iloc[:, place] if place < frame.shape[1] else missing

            parts[label] = self._column.like(
                trace.apply(f".{self._name}.{name}", one, (self._column,))
            )
        made = Frame(trace, [each.expression for each in parts.values()], shadow)
        return made


class Dates:
    """A stand-in for ``Series.dt``.

    Parameters
    ----------
    column : Column
        The column of dates, of differences of dates, or of categories that became dates.
    """

    def __init__(self, column: Column) -> None:
        self._column = column

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        column = self._column
        accessor = column.shadow.dt
        if name == "isocalendar":
            return lambda: _Calendar(column)
        member = getattr(accessor, name)
        if column.expression.kind == "category":
            if not callable(member):
                return self._tabulated(name, lambda each: getattr(each.dt, name))
            return lambda *inputs, **options: self._tabulated(
                name, lambda each: getattr(each.dt, name)(*inputs, **options)
            )
        if callable(member):
            return lambda *inputs, **options: part_of(column, name, *inputs, **options)
        return part_of(column, name)

    def _tabulated(self, name: str, real: Callable[[Any], Any]) -> Any:
        pair = self._column.trace.apply(f".dt.{name}", real, (self._column,))
        return self._column.like(pair)


class _Calendar:
    """A stand-in for the frame of ``Series.dt.isocalendar()``."""

    def __init__(self, column: Column) -> None:
        self._column = column

    def __getattr__(self, name: str) -> Any:
        if name not in ("year", "week", "day"):
            raise AttributeError(name)
        if self._column.expression.kind == "category":
            real = lambda each: each.dt.isocalendar()[name].astype(float)  # noqa: E731
            return self._column.like(
                self._column.trace.apply(f".dt.isocalendar().{name}", real, (self._column,))
            )
        return part_of(self._column, f"iso_{name}")

    __getitem__ = __getattr__


class Places:
    """A stand-in for ``loc`` and ``iloc`` of a frame or a series.

    Parameters
    ----------
    owner : Frame or Column
        What is picked from.
    by : str
        "loc" or "iloc".
    """

    def __init__(self, owner: Any, by: str) -> None:
        self._owner, self._by = owner, by

    def __getitem__(self, key: Any) -> Any:
        owner = self._owner
        if isinstance(owner, Frame) and isinstance(key, tuple) and len(key) == 2:
            rows, columns = key
            if isinstance(rows, slice) and rows == slice(None):
                picked = getattr(owner.shadow, self._by)[:, columns]
                if isinstance(picked, pd.Series):
                    return owner.part(picked.name)
                return owner.pick(picked)
            if isinstance(rows, Value) and isinstance(columns, str):
                # Assigned to a column, pandas aligns it: missing where the test fails.
                return choose(owner.trace, rows, owner.part(columns), np.nan)
        return owner.trace.refuse("rows are picked out", f"use np.where, and {ROW_WISE}")

    def __setitem__(self, key: Any, value: Any) -> None:
        owner = self._owner
        if isinstance(owner, Column):
            owner[key] = value
            return
        rows, columns = key if isinstance(key, tuple) else (key, list(owner.shadow.columns))
        if self._by == "iloc" and not isinstance(rows, slice):
            owner.trace.refuse("rows are set by their place", "use a condition: X.loc[test, name]")
        if self._by == "iloc":
            columns = owner.shadow.columns[columns]
        if isinstance(columns, slice):
            columns = list(owner.shadow.loc[:, columns].columns)
        names = list(columns) if isinstance(columns, (list, pd.Index)) else [columns]
        for name in names:
            one = value.part(name) if isinstance(value, Frame) else value
            if isinstance(rows, slice) and rows == slice(None):
                owner[name] = one
            elif isinstance(rows, Value):
                before = owner.part(name) if name in owner else np.nan
                owner[name] = choose(owner.trace, rows, one, before)
            else:
                owner.trace.refuse("rows are set by their names", "use a condition")


ACCESSORS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "at": lambda owner: Places(owner, "loc"),
    "cat": lambda owner: Texts(owner, "cat"),
    "dt": Dates,
    "iloc": lambda owner: Places(owner, "iloc"),
    "loc": lambda owner: Places(owner, "loc"),
    "str": lambda owner: Texts(owner, "str"),
}
