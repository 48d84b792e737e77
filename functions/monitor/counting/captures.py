"""Captures: predictions are read line by line, and their features encoded as the model saw them."""

import gzip
import zlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from math import nan
from typing import Any, Final, cast

import numpy as np
from pydantic_core import from_json

from functions.monitor.counting.predictions import NO_ROW, digest, row_name
from sklambda.arrays import FloatMatrix, FloatVector, IntVector
from sklambda.codec.codec import Codec
from sklambda.codec.row_warnings import RowWarningCode
from sklambda.errors import RowsInvalid
from sklambda.signature import Feature, Signature, Target
from sklambda.sketch.layout import MODES, ROLES, Role
from sklambda.sketch.sketch import Mode
from sklambda.storage import Storage, Stored

CHUNK_SIZE: Final = 25_000
"""How many predictions are held as Python objects at a time."""

_DAMAGED: Final = (gzip.BadGzipFile, EOFError, zlib.error)
_CAPTURE: Final = b'"capture"'

_NUMBER_TYPES: Final = frozenset((int, float, type(None)))
"""The types of numbers in JSON; their bounds were checked when they were scored."""

_MAX_CODE: Final = 2**31
"""More than any feature has codes."""

type Heading = tuple[Role, Mode]
"""Who predicted, and how features were captured."""

type LabelReader = Callable[[object], list[int]]
"""Reads the positions of the labels of a prediction."""

type Row = Mapping[str, Any]
type FeatureGroup = tuple[tuple[str, ...], list[Row], IntVector]
"""The names of the captured features, the rows with just these, and their positions."""


@dataclass(slots=True)
class Chunk:
    """Captured predictions of one heading, each list [n].

    Attributes
    ----------
    ids : list of int
        Digests of the prediction ids.
    rows : list of mapping
        The captured features.
    scores : list of list of float
        None for a score that is not finite.
    labels : list of list of int
        The position of the label of each target.
    times : list of float
        When each was made, in seconds since 1970; NaN where unknown.
    named : list of int
        Digests of the client's row ids, `NO_ROW` where there is none.
    coerced : dict of str to int
        How many values of a feature had their type converted.
    """

    ids: list[int] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    scores: list[list[float | None]] = field(default_factory=list)
    labels: list[list[int]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    named: list[int] = field(default_factory=list)
    coerced: dict[str, int] = field(default_factory=dict)

    def count_coerced(self, warnings: Iterable[Mapping[str, str]]) -> None:
        """Count the values whose type was converted, by the warnings of a prediction."""
        for warning in warnings:
            if warning["code"] == RowWarningCode.COERCED:
                name = warning["feature"]
                self.coerced[name] = self.coerced.get(name, 0) + 1


class Captures:
    """Reader of captures that reads each prediction once.

    Parameters
    ----------
    target : Target
        The target of the model.
    model_id : str
        The id of the package. A challenger may be any package if its features are raw: the bins
        of another package do not fit this baseline.
    exclude : mapping of str to iterable of int
        For each role the digests of predictions to leave out.

    Attributes
    ----------
    unreadable : int
        How many objects, lines and predictions were damaged.
    others : int
        How many predictions came from other packages.
    damaged : list of str
        The keys of objects that could not be unpacked completely.
    """

    def __init__(
        self, target: Target, model_id: str, exclude: Mapping[Role, Iterable[int]]
    ) -> None:
        self.unreadable = self.others = 0
        self.damaged: list[str] = []
        self._model_id, self._width = model_id, target.width
        self._read_labels = label_reader(target)
        self._ids = {role: set(exclude.get(role, ())) for role in ROLES}
        self._chunks: dict[Heading, Chunk] = {}

    def read(self, storage: Storage, objects: Iterable[Stored]) -> Iterator[tuple[Heading, Chunk]]:
        """Read the predictions of objects, in chunks."""
        for stored in objects:
            for line in self._lines(stored.key, storage.read(stored)):
                yield from self._read_line(line)
        yield from self._chunks.items()
        self._chunks = {}

    def _lines(self, key: str, content: bytes) -> Iterator[bytes]:
        """Unpack the lines of an object; of a damaged one those before the damage."""
        try:
            with gzip.open(BytesIO(content)) as file:
                yield from file
        except _DAMAGED:
            self.unreadable += 1
            self.damaged.append(key)

    def _read_line(self, line: bytes) -> Iterator[tuple[Heading, Chunk]]:
        if _CAPTURE not in line:
            self.unreadable += not _is_other_kind(line)
            return
        try:
            document = from_json(line)
            heading, predictions = self._parse(document)
            time = _time(document)
        except (ValueError, KeyError, TypeError):
            self.unreadable += 1
            return
        if heading is None:
            self.others += len(predictions)
            return
        for prediction in predictions:
            try:
                self._add(heading, prediction, time)
            except (ValueError, KeyError, TypeError):
                self.unreadable += 1
        if heading in self._chunks and len(self._chunks[heading].ids) >= CHUNK_SIZE:
            yield heading, self._chunks.pop(heading)

    def _parse(self, document: Any) -> tuple[Heading | None, list[Any]]:
        """Return the heading and the predictions of a line; None for those of other packages."""
        predictions: list[Any] = list(document["records"])
        role, mode = document["role"], document["mode"]
        is_same_package = document["model"] == self._model_id
        if document["kind"] != "capture":
            return None, []
        if role not in ROLES or mode not in MODES:
            raise ValueError("unknown role or mode")
        if is_same_package or (role == "challenger" and mode == "raw"):
            return cast("Heading", (role, mode)), predictions
        return None, predictions

    def _add(self, heading: Heading, prediction: Any, time: float) -> None:
        identifier = digest(prediction["prediction_id"])
        ids = self._ids[heading[0]]
        if identifier in ids:
            return
        features, labels = prediction["features"], self._read_labels(prediction["label"])
        scores = [None if one is None else float(one) for one in prediction["scores"]]
        if type(features) is not dict or len(scores) != self._width:
            raise ValueError("features must be an object, and scores as many as the target has")
        row = prediction.get("row")
        named = NO_ROW if row is None else digest(row_name(row))
        chunk = self._chunks.setdefault(heading, Chunk())
        if warnings := prediction["warnings"]:
            chunk.count_coerced(warnings)
        ids.add(identifier)
        chunk.ids.append(identifier)
        chunk.rows.append(features)
        chunk.scores.append(scores)
        chunk.labels.append(labels)
        chunk.times.append(time)
        chunk.named.append(named)


def _time(document: Mapping[str, Any]) -> float:
    """Return when the predictions of a line were made, in seconds since 1970; NaN if unknown."""
    time = document.get("time")
    return nan if time is None else datetime.fromisoformat(time).timestamp()


def _is_other_kind(line: bytes) -> bool:
    """Return whether a line is empty or a complete object of another kind, without parsing it."""
    line = line.strip()
    return not line or (line.startswith(b"{") and line.endswith(b"}"))


def label_reader(target: Target) -> LabelReader:
    """Return the function that reads the positions of the labels of a prediction.

    It raises `KeyError` or `TypeError` for an unknown label.
    """
    if target.parts:
        each = [(str(part.name), _positions(part)) for part in target.parts if part.classes]
        return lambda label: [positions[cast("Any", label)[name]] for name, positions in each]
    if not target.classes:
        return lambda label: []
    positions = _positions(target)
    return lambda label: [positions[label]]


def _positions(target: Target) -> dict[object, int]:
    return {label: position for position, label in enumerate(target.classes)}


class CaptureEncoder:
    """Encoder of captured features.

    Parameters
    ----------
    signature : Signature
        The signature of the model.
    mode : {"raw", "binned"}
        How features were captured.
    """

    def __init__(self, signature: Signature, mode: Mode) -> None:
        self._signature, self._mode = signature, mode
        kinds = signature.kinds.items()
        self._numeric = [name for name, kind in kinds if kind in ("number", "integer")]
        self._codec = Codec(signature.replace(features=tuple(map(_lenient, signature.features))))

    def encode(self, names: Collection[str], rows: Sequence[Row]) -> tuple[FloatMatrix, int]:
        """Encode rows with the same captured features.

        Parameters
        ----------
        names : collection of str
            The captured features; all others are NaN.
        rows : sequence of mapping
            The values.

        Returns
        -------
        FloatMatrix
            The matrix that `sklambda.sketch.sketcher.Sketcher.sketch` expects.
        int
            How many rows have a value that the model no longer accepts; it is NaN.
        """
        columns = {
            name: [row[name] for row in rows] if name in names else [None] * len(rows)
            for name in self._signature.names
        }
        return self._binned(columns) if self._mode == "binned" else self._raw(columns)

    def _binned(self, columns: Mapping[str, list[Any]]) -> tuple[FloatMatrix, int]:
        invalid = set[int]()
        for values in columns.values():
            if _as_numbers(values) is None:
                places = [place for place, value in enumerate(values) if not _is_bin(value)]
                invalid.update(places)
                for place in places:
                    values[place] = None
        encoded = [np.array(values, dtype=np.float64) for values in columns.values()]
        return np.stack(encoded, axis=1), len(invalid)

    def _raw(self, columns: Mapping[str, list[Any]]) -> tuple[FloatMatrix, int]:
        try:
            return self._codec.encode_columns(self._with_arrays(columns)), 0
        except RowsInvalid as error:
            for fault in error.faults:
                columns[fault.feature or ""][fault.row] = None
            invalid = len({fault.row for fault in error.faults})
            return self._codec.encode_columns(self._with_arrays(columns)), invalid

    def _with_arrays(self, columns: Mapping[str, list[Any]]) -> dict[str, list[Any] | FloatVector]:
        """Convert the columns of numbers to arrays, which the codec encodes at once."""
        converted: dict[str, list[Any] | FloatVector] = dict(columns)
        for name in self._numeric:
            if (values := _as_numbers(columns[name])) is not None:
                converted[name] = values
        return converted


def _as_numbers(values: list[Any]) -> FloatVector | None:
    """Convert numbers and nulls to an array; return None if there are values of other types."""
    if not _NUMBER_TYPES.issuperset(map(type, values)):
        return None
    try:
        return np.array(values, dtype=np.float64)
    except OverflowError:
        return None


def _is_bin(value: object) -> bool:
    return value is None or (type(value) is int and abs(value) < _MAX_CODE)


def _lenient(feature: Feature) -> Feature:
    return feature.replace(nullable=True, accepts_unseen=feature.kind == "category")


def group_by_features(signature: Signature, rows: Sequence[Row]) -> Iterator[FeatureGroup]:
    """Group rows by the features that were captured; as a rule there is one group."""
    names = rows[0].keys()
    if all(row.keys() == names for row in rows):
        yield _ordered(signature, names), list(rows), np.arange(len(rows))
        return
    groups = defaultdict[frozenset[str], list[int]](list)
    for place, row in enumerate(rows):
        groups[frozenset(row)].append(place)
    for features, places in groups.items():
        yield _ordered(signature, features), [rows[place] for place in places], np.array(places)


def _ordered(signature: Signature, names: Set[str]) -> tuple[str, ...]:
    return tuple(name for name in signature.names if name in names)
