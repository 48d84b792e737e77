"""Recorded features, back to the matrix that the model saw."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from typing import Any, Final

import numpy as np

from sklambda.arrays import FloatMatrix, FloatVector, IntVector
from sklambda.codec.codec import Codec
from sklambda.errors import RowsInvalid
from sklambda.signature import Feature, Signature
from sklambda.sketch.sketch import Mode

type Row = Mapping[str, Any]
type Alike = tuple[tuple[str, ...], list[Row], IntVector]
"""The names of the recorded features, rows of just these, and their positions among all rows."""

_NUMBERS: Final = frozenset((int, float, type(None)))
"""What numbers are in JSON; their bounds were looked at when they were scored."""

_MANY: Final = 2**31
"""More than any feature has codes."""


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
