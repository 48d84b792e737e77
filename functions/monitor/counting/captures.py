"""What was captured, object by object and line by line."""

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from io import BytesIO
from typing import Any, Final, cast

from pydantic_core import from_json

from sklambda.row_warnings import CautionCode
from sklambda.signature import Target
from sklambda.sketch.layout import MODES, ROLES, Role
from sklambda.sketch.sketch import Mode
from sklambda.storage import Storage, Stored

_BYTES: Final = 8


def digest(prediction_id: str) -> int:
    """Name a prediction by 64 bits: that any two of a million are equal has a chance of 3e-8."""
    return int.from_bytes(blake2b(str.encode(prediction_id), digest_size=_BYTES).digest())


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


type Labels = Callable[[object], list[int]]
type Truth = Callable[[object], list[float]]


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


def truth(target: Target) -> Truth:
    """Make the function that reads an outcome: the position of the class, or the value.

    It raises `KeyError` for what is none of this model.
    """
    if target.task != "regression":
        find = positions(target)
        return lambda outcome: [float(place) for place in find(outcome)]
    if len(target.outputs) == 1:
        return lambda outcome: [float(cast("Any", outcome))]
    names = target.outputs
    return lambda outcome: [float(cast("Any", outcome)[name]) for name in names]


def _places(target: Target) -> dict[object, int]:
    return {label: place for place, label in enumerate(target.classes)}


CHUNK: Final = 25_000
"""How many records are held as objects of Python at a time."""

_BROKEN: Final = (gzip.BadGzipFile, EOFError, zlib.error)
_KIND: Final = b'"capture"'

type Heading = tuple[Role, Mode]


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
