"""Captures: read line by line, and their features decoded to the matrix of the model."""

import gzip
import zlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Final, cast

import numpy as np
from pydantic_core import from_json

from functions.monitor.counting.predictions import digest
from sklambda.arrays import FloatMatrix, FloatVector, IntVector
from sklambda.codec.codec import Codec
from sklambda.errors import RowsInvalid
from sklambda.row_warnings import CautionCode
from sklambda.signature import Feature, Signature, Target
from sklambda.sketch.layout import MODES, ROLES, Role
from sklambda.sketch.sketch import Mode
from sklambda.storage import Storage, Stored

CHUNK: Final = 25_000
"""How many records are held as objects of Python at a time."""

_BROKEN: Final = (gzip.BadGzipFile, EOFError, zlib.error)
_KIND: Final = b'"capture"'

_NUMBERS: Final = frozenset((int, float, type(None)))
"""What numbers are in JSON; their bounds were looked at when they were scored."""

_MANY: Final = 2**31
"""More than any feature has codes."""

type Heading = tuple[Role, Mode]
type Labels = Callable[[object], list[int]]
type Row = Mapping[str, Any]

type Alike = tuple[tuple[str, ...], list[Row], IntVector]
"""The names of the recorded features, rows of just these, and their positions among all rows."""


@dataclass(slots=True)
class Chunk:
    """Records of one role and mode, each list [n].

    Attributes
    ----------
    ids : list of int
        Digests of the ids.
    rows : list of mapping
        The recorded features.
    scores : list of list of float
        None where one is no finite number.
    labels : list of list of int
        The position of the label, one a target.
    coerced : dict of str to int
        How many values of a feature had their type changed on the way.
    """

    ids: list[int] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    scores: list[list[float | None]] = field(default_factory=list)
    labels: list[list[int]] = field(default_factory=list)
    coerced: dict[str, int] = field(default_factory=dict)

    def note(self, warnings: Iterable[Mapping[str, str]]) -> None:
        """Count what was changed on the way."""
        for warning in warnings:
            if warning["code"] == CautionCode.COERCED:
                name = warning["feature"]
                self.coerced[name] = self.coerced.get(name, 0) + 1


class Captures:
    """Reads captures, each prediction once.

    Parameters
    ----------
    target : Target
        What the model answers.
    model : str
        The id of the package. Of a challenger any package's answers are read, if their features
        are raw: its own tenths are no tenths of this one.
    known : mapping of str to set of int
        For each role the predictions to leave out.

    Attributes
    ----------
    unreadable : int
        How many objects, lines and records were damaged.
    others : int
        How many predictions were those of other packages.
    damaged : list of str
        The keys of objects that could not be unpacked to their end.
    """

    def __init__(self, target: Target, model: str, known: Mapping[Role, Iterable[int]]) -> None:
        self.unreadable = self.others = 0
        self.damaged: list[str] = []
        self._model, self._width = model, target.width
        self._labels = positions(target)
        self._seen = {role: set(known.get(role, ())) for role in ROLES}
        self._chunks: dict[Heading, Chunk] = {}

    def read(self, records: Storage, objects: Iterable[Stored]) -> Iterator[tuple[Heading, Chunk]]:
        """Give the records in chunks."""
        for stored in objects:
            for line in self._lines(stored.key, records.read(stored)):
                yield from self._line(line)
        yield from self._chunks.items()
        self._chunks = {}

    def _lines(self, key: str, content: bytes) -> Iterator[bytes]:
        """What could be read of a damaged object counts."""
        try:
            with gzip.open(BytesIO(content)) as file:
                yield from file
        except _BROKEN:
            self.unreadable += 1
            self.damaged.append(key)

    def _line(self, line: bytes) -> Iterator[tuple[Heading, Chunk]]:
        if _KIND not in line:
            self.unreadable += not _of_another_kind(line)
            return
        try:
            heading, records = self._opened(from_json(line))
        except (ValueError, KeyError, TypeError):
            self.unreadable += 1
            return
        if heading is None:
            self.others += len(records)
            return
        for record in records:
            try:
                self._keep(heading, record)
            except (ValueError, KeyError, TypeError):
                self.unreadable += 1
        if heading in self._chunks and len(self._chunks[heading].ids) >= CHUNK:
            yield heading, self._chunks.pop(heading)

    def _opened(self, document: Any) -> tuple[Heading | None, list[Any]]:
        records: list[Any] = list(document["records"])
        role, mode, same = document["role"], document["mode"], document["model"] == self._model
        if document["kind"] != "capture":
            return None, []
        if role not in ROLES or mode not in MODES:
            raise ValueError("neither a role nor a mode")
        if same or (role == "challenger" and mode == "raw"):
            return cast("Heading", (role, mode)), records
        return None, records

    def _keep(self, heading: Heading, record: Any) -> None:
        number = digest(record["prediction_id"])
        seen = self._seen[heading[0]]
        if number in seen:
            return
        features, labels = record["features"], self._labels(record["label"])
        scores = [None if one is None else float(one) for one in record["scores"]]
        if type(features) is not dict or len(scores) != self._width:
            raise ValueError("neither features nor scores")
        chunk = self._chunks.setdefault(heading, Chunk())
        if warnings := record["warnings"]:
            chunk.note(warnings)
        seen.add(number)
        chunk.ids.append(number)
        chunk.rows.append(features)
        chunk.scores.append(scores)
        chunk.labels.append(labels)


def _of_another_kind(line: bytes) -> bool:
    """Tell a shadow, and an empty line, from damage, without parsing it."""
    line = line.strip()
    return not line or (line.startswith(b"{") and line.endswith(b"}"))


def positions(target: Target) -> Labels:
    """Make the function that finds the positions of the labels of a record.

    It raises `KeyError` or `TypeError` for what is no label.
    """
    if target.parts:
        each = [(str(part.name), _places(part)) for part in target.parts if part.classes]
        return lambda label: [places[cast("Any", label)[name]] for name, places in each]
    if not target.classes:
        return lambda label: []
    places = _places(target)
    return lambda label: [places[label]]


def _places(target: Target) -> dict[object, int]:
    return {label: place for place, label in enumerate(target.classes)}


class Encoding:
    """Encodes rows as they were captured.

    Parameters
    ----------
    signature : Signature
        Of the model.
    mode : {"raw", "binned"}
        How features were recorded.
    """

    def __init__(self, signature: Signature, mode: Mode) -> None:
        self._signature, self._mode = signature, mode
        kinds = signature.kinds.items()
        self._whole = [name for name, kind in kinds if kind in ("number", "integer")]
        self._codec = Codec(signature.replace(features=tuple(map(_lenient, signature.features))))

    def encode(self, names: Collection[str], rows: Sequence[Row]) -> tuple[FloatMatrix, int]:
        """Encode rows of the same features.

        Parameters
        ----------
        names : collection of str
            What is recorded of them; all other features are NaN.
        rows : sequence of mapping
            The features.

        Returns
        -------
        FloatMatrix
            As `sklambda.sketch.sketcher.Sketcher.sketch` takes it.
        int
            How many rows have a value that the model does not admit; it is NaN.
        """
        columns = {
            name: [row[name] for row in rows] if name in names else [None] * len(rows)
            for name in self._signature.names
        }
        return self._binned(columns) if self._mode == "binned" else self._raw(columns)

    def _binned(self, columns: Mapping[str, list[Any]]) -> tuple[FloatMatrix, int]:
        refused = set[int]()
        for values in columns.values():
            if _numbers(values) is None:
                odd = [place for place, value in enumerate(values) if not _is_bin(value)]
                refused.update(odd)
                for place in odd:
                    values[place] = None
        encoded = [np.array(values, dtype=np.float64) for values in columns.values()]
        return np.stack(encoded, axis=1), len(refused)

    def _raw(self, columns: Mapping[str, list[Any]]) -> tuple[FloatMatrix, int]:
        try:
            return self._codec.encode_columns(self._plain(columns)), 0
        except RowsInvalid as invalid:
            for fault in invalid.faults:
                columns[fault.feature or ""][fault.row] = None
            refused = len({fault.row for fault in invalid.faults})
            return self._codec.encode_columns(self._plain(columns)), refused

    def _plain(self, columns: Mapping[str, list[Any]]) -> dict[str, list[Any] | FloatVector]:
        """Take numbers whole, as far as they are some."""
        taken: dict[str, list[Any] | FloatVector] = dict(columns)
        for name in self._whole:
            if (values := _numbers(columns[name])) is not None:
                taken[name] = values
        return taken


def _numbers(values: list[Any]) -> FloatVector | None:
    """Take numbers and nulls; None where there is something else among them."""
    if not _NUMBERS.issuperset(map(type, values)):
        return None
    try:
        return np.array(values, dtype=np.float64)
    except OverflowError:
        return None


def _is_bin(value: object) -> bool:
    return value is None or (type(value) is int and abs(value) < _MANY)


def _lenient(feature: Feature) -> Feature:
    return feature.replace(nullable=True, accepts_unseen=feature.kind == "category")


def alike(signature: Signature, rows: Sequence[Row]) -> Iterator[Alike]:
    """Put rows together that have the same features recorded: all of them, as a rule."""
    kept = rows[0].keys()
    if all(row.keys() == kept for row in rows):
        yield _ordered(signature, kept), list(rows), np.arange(len(rows))
        return
    groups = defaultdict[frozenset[str], list[int]](list)
    for place, row in enumerate(rows):
        groups[frozenset(row)].append(place)
    for names, places in groups.items():
        yield _ordered(signature, names), [rows[place] for place in places], np.array(places)


def _ordered(signature: Signature, names: Set[str]) -> tuple[str, ...]:
    return tuple(name for name in signature.names if name in names)
