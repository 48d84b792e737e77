"""Rows as tables hold them: a list of records, a list of lists, or columns; with their places.

A table keeps what can be read of it and notes what cannot, so that all faults are told at once.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from functions.predict.http.problems import Locate, pointer
from sklambda.errors import Fault, FaultCode
from sklambda.signature import Signature

type Misfit = tuple[str, str, str]  # pointer, code, detail
type Path = tuple[str | int, ...]

MISFIT: Final = object()
"""Stands for a row that could not be read; the codec takes it for no row."""

NOT_A_FEATURE: Final = "is not a feature of this model"


@dataclass(frozen=True, slots=True)
class Table:
    """What was read of a table.

    Attributes
    ----------
    rows : sequence of mapping
        Feature values by name, or whatever else stood there, which the codec refuses.
    locate : callable
        Points to the place of a fault that the codec finds.
    misfits : sequence of (str, str, str)
        Pointer, code and detail of what could not be read.
    columnar : bool
        Whether the names stand once for all rows: a feature that is absent is a misfit by then.
    coerced : sequence of (int, str)
        The row and feature of each value whose type was changed.
    """

    rows: Sequence[Any]
    locate: Locate
    misfits: Sequence[Misfit] = ()
    columnar: bool = False
    coerced: Sequence[tuple[int, str]] = ()

    def tells_of(self, fault: Fault) -> bool:
        """Tell whether a fault that the codec finds is one of the misfits in other words."""
        absent = self.columnar and fault.code is FaultCode.ABSENT
        return absent or self.rows[fault.row] is MISFIT


def of_records(documents: Sequence[object], signature: Signature, path: Path = ()) -> Table:
    """Read rows that are objects, or lists in the order of the signature.

    SageMaker's ``{"features": […]}`` is such a list too. `path` leads to the documents.
    """
    names = signature.names
    rows: list[Any] = []
    misfits: list[Misfit] = []
    for place, document in enumerate(documents):
        cells, inner = _cells(document)
        if cells is None:
            rows.append(document)
        elif len(cells) == len(names):
            rows.append(dict(zip(names, cells, strict=True)))
        else:
            rows.append(MISFIT)
            misfits.append(_length(len(names), *path, place, *inner))
    return Table(rows, _by_record(documents, signature, path), misfits)


def _cells(document: object) -> tuple[list[object] | None, Path]:
    """Give the values of a row that is a list, and the way to them in the row."""
    if isinstance(document, list):
        return document, ()
    if isinstance(document, dict) and document.keys() == {"features"}:
        inner = document["features"]
        return (inner, ("features",)) if isinstance(inner, list) else (None, ())
    return None, ()


def _by_record(documents: Sequence[object], signature: Signature, path: Path) -> Locate:
    order = {name: place for place, name in enumerate(signature.names)}

    def locate(fault: Fault) -> str:
        cells, inner = _cells(documents[fault.row])
        if cells is None or fault.feature is None:
            return pointer(*path, *fault.place)
        return pointer(*path, fault.row, *inner, order[fault.feature])

    return locate


@dataclass(frozen=True, slots=True)
class Header:
    """The names of a table's columns.

    Attributes
    ----------
    width : int
        How many columns there are.
    places : mapping of str to int
        Where the columns stand that the model takes.
    misfits : sequence of (str, str, str)
        Columns that are strange or there twice, and features without one.
    """

    width: int
    places: Mapping[str, int]
    misfits: Sequence[Misfit]

    @classmethod
    def of(cls, names: Sequence[str], signature: Signature, *path: str) -> "Header":
        """Read the names; `path` leads to them."""
        admitted = {*signature.names, signature.row_id}
        counts = Counter(names)
        strange = [
            (pointer(*path, place), "unknown_feature", NOT_A_FEATURE)
            for place, name in enumerate(names)
            if name not in admitted
        ]
        twice = [
            (pointer(*path, place), "doubled", "stands more than once")
            for place, name in enumerate(names)
            if counts[name] > 1 and name in admitted
        ]
        absent = [
            (pointer(*path), "absent", f"lacks the feature {name!r}")
            for name in signature.names
            if name not in counts
        ]
        places = {name: place for place, name in enumerate(names) if name in admitted}
        return cls(len(names), places, [*strange, *twice, *absent])


def of_lists(lists: Sequence[object], header: Header, path: Path, by_name: bool = False) -> Table:
    """Read rows that are lists below a header; `path` leads to them.

    A value's place is its column's number, or the column's name where `by_name` says so.
    """
    rows: list[Any] = []
    misfits = list(header.misfits)
    for place, cells in enumerate(lists):
        if isinstance(cells, list) and len(cells) == header.width:
            rows.append({name: cells[column] for name, column in header.places.items()})
        else:
            rows.append(MISFIT)
            misfits.append(_length(header.width, *path, place))

    def locate(fault: Fault) -> str:
        name = fault.feature or ""
        return pointer(*path, fault.row, name if by_name else header.places[name])

    return Table(rows, locate, misfits, columnar=True)


def of_columns(columns: Mapping[str, object], signature: Signature, path: Path) -> Table:
    """Read columns by name; `path` leads to them."""
    lists = {name: values for name, values in columns.items() if isinstance(values, list)}
    count = max(map(len, lists.values()), default=0)
    admitted = {*signature.names, signature.row_id}
    misfits: list[Misfit] = []
    whole = {}
    for name in columns:
        if name not in admitted:
            misfits.append((pointer(*path, name), "unknown_feature", NOT_A_FEATURE))
        elif name not in lists:
            misfits.append((pointer(*path, name), "type", "must be a list of one value a row"))
        elif len(lists[name]) < count:
            misfits.append((pointer(*path, name), "length", "has fewer values than another"))
        else:
            whole[name] = lists[name]
    misfits += (
        (pointer(*path, name), "absent", "is required; null says missing")
        for name in signature.names
        if name not in columns
    )
    rows = [dict(zip(whole, values, strict=True)) for values in zip(*whole.values(), strict=True)]
    return Table(rows, lambda fault: pointer(*path, fault.feature or "", fault.row), misfits, True)


def _length(count: int, *place: str | int) -> Misfit:
    return pointer(*place), "length", f"must have {count} values, one for each column"
