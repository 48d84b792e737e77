"""Tables of rows as MLflow and SageMaker send them: MLflow's four JSON shapes, and JSON Lines.

A table keeps what could be read and lists what could not, so that all faults are reported at once.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from itertools import islice
from typing import Any, Final

from functions.predict.http import problems
from functions.predict.http.exchange import Limits
from functions.predict.http.json_reader import parse_json, utf8
from functions.predict.http.problems import BodyFault, Locate, ProblemRaised, pointer
from sklambda.errors import Fault, FaultCode
from sklambda.signature import Signature

type Path = tuple[str | int, ...]
type _Reader = Callable[[Any, Signature, Limits, str], Table]

PARAMETERS: Final = "params"
INVALID: Final = object()
"""Stands for a row that could not be read; the codec refuses it as no object."""

_UNKNOWN: Final = "is not a feature of this model"
_PADDED: Final = "is not a feature of this model: the name begins or ends with a blank"
_SPLIT_MEMBERS: Final = ("index", "columns", "data")


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a body, and the faults of its structure.

    Attributes
    ----------
    rows : sequence of mapping
        Feature values by name; any other row is refused by the codec.
    locate : callable
        Returns the JSON Pointer of a fault that the codec finds.
    faults : sequence of (str, str, str)
        JSON Pointer, code and detail of the faults of the table as a whole.
    unread : mapping of int to (str, str, str)
        The fault of each row that could not be read.
    columnar : bool
        Whether one header names the features of all rows: an absent feature is already a fault.
    coerced : sequence of (int, str)
        Row and feature of each value whose type was changed.
    padded : sequence of (int, str)
        Row and feature of each value of a CSV that begins or ends with a blank.
    """

    rows: Sequence[Any]
    locate: Locate
    faults: Sequence[BodyFault] = ()
    unread: Mapping[int, BodyFault] = field(default_factory=dict)
    columnar: bool = False
    coerced: Sequence[tuple[int, str]] = ()
    padded: Sequence[tuple[int, str]] = ()

    def with_faults(self, faults: Sequence[BodyFault]) -> "Table":
        """Return the table with faults of the request around it, first."""
        return replace(self, faults=[*faults, *self.faults]) if faults else self

    def reports(self, fault: Fault) -> bool:
        """Return whether a fault that the codec finds is already among the faults."""
        absent = self.columnar and fault.code is FaultCode.ABSENT
        return absent or self.rows[fault.row] is INVALID


@dataclass(frozen=True, slots=True)
class Header:
    """The column names of a table.

    Attributes
    ----------
    width : int
        Number of columns.
    positions : mapping of str to int
        Positions of the columns that the model uses.
    faults : sequence of (str, str, str)
        Unknown and duplicate columns, and features without a column.
    """

    width: int
    positions: Mapping[str, int]
    faults: Sequence[BodyFault]

    @classmethod
    def of(cls, names: Sequence[str], signature: Signature, *path: str) -> "Header":
        """Read the names, which are at `path` in the body."""
        known = signature.admitted
        counts = Counter(names)
        unknown = [
            (
                pointer(*path, k),
                "unknown_feature",
                _PADDED if name.strip() in known else _UNKNOWN,
            )
            for k, name in enumerate(names)
            if name not in known
        ]
        duplicate = [
            (pointer(*path, k), "doubled", "is a duplicate column")
            for k, name in enumerate(names)
            if counts[name] > 1 and name in known
        ]
        absent = [
            (pointer(*path), "absent", f"must name the feature {name!r}")
            for name in signature.names
            if name not in counts
        ]
        positions = {name: k for k, name in enumerate(names) if name in known}
        return cls(len(names), positions, [*unknown, *duplicate, *absent])


def read_json(
    document: object, signature: Signature, limits: Limits, allowed: Collection[str] = ()
) -> Table:
    """Read the one table of a JSON document; members other than it and "params" are faults.

    `allowed` names the members that may be the table, by default all of MLflow's.

    Raises
    ------
    ProblemRaised
        There is not exactly one table, its shape differs from its name, or it has too many rows.
    """
    if not isinstance(document, dict):
        raise problems.body_invalid(("", "type", "must be an object"))
    unknown: list[BodyFault] = [
        (pointer(name), "unknown_member", "is an unknown member")
        for name in document
        if name not in (allowed or _READERS) and name != PARAMETERS
    ]
    tables = [name for name in allowed or _READERS if name in document]
    if len(tables) != 1:
        detail = f"must contain exactly one of {', '.join(allowed or _READERS)}"
        raise problems.body_invalid(*unknown, ("", "shape", detail))
    [name] = tables
    table = _READERS[name](document[name], signature, limits, name)
    return replace(table, faults=[*unknown, *table.faults])


def read_json_lines(content: bytes, signature: Signature, limits: Limits) -> Table:
    """Read a row from each line that is not blank; a line that is not JSON is a fault."""
    text = BytesIO(utf8(content, problems.not_json))
    lines = list(islice(filter(None, map(bytes.strip, text)), limits.rows + 1))
    limits.require_rows(len(lines))
    if not lines:
        raise _no_rows()
    documents: list[object] = []
    unread: dict[int, BodyFault] = {}
    for k, line in enumerate(lines):
        try:
            documents.append(parse_json(line, inf_nan=True))
        except ProblemRaised as raised:
            documents.append(INVALID)
            unread[k] = _fault_of_line(k, raised)
    table = _from_records(documents, signature)
    return replace(table, unread={**unread, **table.unread})


def _fault_of_line(position: int, raised: ProblemRaised) -> BodyFault:
    duplicates = raised.members.get("errors")
    if not duplicates:
        return pointer(position), "not_json", "is not JSON"
    first = duplicates[0]
    return pointer(position) + first["pointer"], first["code"], first["detail"]


def _read_records(value: Any, signature: Signature, limits: Limits, name: str) -> Table:
    rows = _require_rows(value, limits, name)
    return _from_records(rows, signature, (name,))


def _read_inputs(value: Any, signature: Signature, limits: Limits, name: str) -> Table:
    if not isinstance(value, dict):
        return _read_records(value, signature, limits, name)
    limits.require_rows(max((len(v) for v in value.values() if isinstance(v, list)), default=0))
    table = _from_columns(value, signature, (name,))
    if not table.rows and not table.faults:
        raise _no_rows(name)
    return table


def _read_split(value: Any, signature: Signature, limits: Limits, name: str) -> Table:
    if not isinstance(value, dict):
        raise problems.body_invalid((pointer(name), "type", "must be an object"))
    rows = _require_rows(value.get("data"), limits, name, "data")
    columns = value.get("columns")
    faults: list[BodyFault] = [
        (pointer(name, member), "unknown_member", "is an unknown member of a split table")
        for member in value
        if member not in _SPLIT_MEMBERS
    ]
    if columns is None:
        columns = list(signature.names)
    if not isinstance(columns, list) or not all(isinstance(each, str) for each in columns):
        faults.append((pointer(name, "columns"), "type", "must be a list of strings"))
    if faults:
        raise problems.body_invalid(*faults)
    header = Header.of(columns, signature, name, "columns")
    return from_lists(rows, header, (name, "data"))


_READERS: Final[dict[str, _Reader]] = {
    "dataframe_split": _read_split,
    "dataframe_records": _read_records,
    "instances": _read_records,
    "inputs": _read_inputs,
}
"""The reader of each member that is a table; a request has exactly one of them."""


def _require_rows(value: Any, limits: Limits, *path: str) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise _no_rows(*path)
    limits.require_rows(len(value))
    return value


def _no_rows(*path: str) -> ProblemRaised:
    return problems.body_invalid((pointer(*path), "type", "must contain at least one row"))


def _from_records(documents: Sequence[object], signature: Signature, path: Path = ()) -> Table:
    """Build a table of rows that are objects, or lists in the order of the signature.

    SageMaker's ``{"features": […]}`` is such a list too. The documents are at `path`.
    """
    names = signature.names
    rows: list[Any] = []
    unread: dict[int, BodyFault] = {}
    for k, document in enumerate(documents):
        cells, inner = _cells(document)
        if cells is None:
            rows.append(document)
        elif len(cells) == len(names):
            rows.append(dict(zip(names, cells, strict=True)))
        else:
            rows.append(INVALID)
            unread[k] = _wrong_length(len(names), *path, k, *inner)
    order = {name: k for k, name in enumerate(names)}

    def locate(fault: Fault) -> str:
        cells, inner = _cells(documents[fault.row])
        if cells is None or fault.feature is None:
            return pointer(*path, *fault.place)
        return pointer(*path, fault.row, *inner, order[fault.feature])

    return Table(rows, locate, unread=unread)


def _cells(document: object) -> tuple[list[object] | None, Path]:
    """Return the values of a row that is a list, and their path inside the row."""
    if isinstance(document, list):
        return document, ()
    if isinstance(document, dict) and document.keys() == {"features"}:
        inner = document["features"]
        return (inner, ("features",)) if isinstance(inner, list) else (None, ())
    return None, ()


def from_lists(lists: Sequence[object], header: Header, path: Path, by_name: bool = False) -> Table:
    """Build a table of rows that are lists, in the order of a header; they are at `path`.

    The pointer to a value ends in the position of its column, or in its name with `by_name`.
    """
    rows: list[Any] = []
    unread: dict[int, BodyFault] = {}
    for k, cells in enumerate(lists):
        if isinstance(cells, list) and len(cells) == header.width:
            rows.append({name: cells[column] for name, column in header.positions.items()})
        else:
            rows.append(INVALID)
            unread[k] = _wrong_length(header.width, *path, k)

    def locate(fault: Fault) -> str:
        name = fault.feature or ""
        return pointer(*path, fault.row, name if by_name else header.positions[name])

    return Table(rows, locate, header.faults, unread, columnar=True)


def _from_columns(columns: Mapping[str, object], signature: Signature, path: Path) -> Table:
    """Build a table of columns by name; they are at `path`."""
    lists = {name: values for name, values in columns.items() if isinstance(values, list)}
    count = max(map(len, lists.values()), default=0)
    known = signature.admitted
    faults: list[BodyFault] = []
    complete = {}
    for name in columns:
        if name not in known:
            faults.append((pointer(*path, name), "unknown_feature", _UNKNOWN))
        elif name not in lists:
            faults.append((pointer(*path, name), "type", "must be a list of one value per row"))
        elif len(lists[name]) < count:
            faults.append((pointer(*path, name), "length", "has fewer values than another column"))
        else:
            complete[name] = lists[name]
    faults += (
        (pointer(*path, name), "absent", "is required; null means missing")
        for name in signature.names
        if name not in columns
    )
    values = zip(*complete.values(), strict=True)
    rows = [dict(zip(complete, row, strict=True)) for row in values]

    def locate(fault: Fault) -> str:
        return pointer(*path, fault.feature or "", fault.row)

    return Table(rows, locate, faults, columnar=True)


def _wrong_length(count: int, *path: str | int) -> BodyFault:
    return pointer(*path), "length", f"must have {count} values, one for each column"
