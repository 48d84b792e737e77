"""Tensors of the Open Inference Protocol: one column of values, in JSON or as bytes."""

import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np

type Values = list[object]

MISFIT: Final = object()
"""Stands for a value that is none of its tensor's datatype; no feature takes it."""

TEXT: Final = "BYTES"
TRUTH: Final = "BOOL"
_BITS: Final = (8, 16, 32, 64)
WHOLE: Final = {f"INT{bits}": np.dtype(f"<i{bits // 8}") for bits in _BITS} | {
    f"UINT{bits}": np.dtype(f"<u{bits // 8}") for bits in _BITS
}
REAL: Final = {f"FP{bits}": np.dtype(f"<f{bits // 8}") for bits in _BITS[1:]}
NUMERIC: Final = (*REAL, *WHOLE)
DATATYPES: Final = (TRUTH, *NUMERIC, TEXT)
NARROW: Final = frozenset({"FP16", "FP32"})
"""They hold less of a number than the float64 that a model takes."""

_DTYPES: Final[dict[str, np.dtype[Any]]] = {TRUTH: np.dtype(np.bool), **REAL, **WHOLE}
_LENGTH: Final = struct.Struct("<I")


def from_json(datatype: str, data: Iterable[object]) -> Values:
    """Take values as JSON has them; null stands for a missing one of any datatype."""
    fits = _FITS[datatype]
    return [value if value is None or fits(value) else MISFIT for value in data]


def from_bytes(datatype: str, content: bytes, count: int) -> Values | None:
    """Take `count` values, little-endian; None where the bytes are too few or too many."""
    if datatype == TEXT:
        return _texts(content, count)
    dtype = _DTYPES[datatype]
    if len(content) != count * dtype.itemsize:
        return None
    if datatype == TRUTH:
        return [bool(byte) if byte in (0, 1) else MISFIT for byte in content]
    values: Values = np.frombuffer(content, dtype).tolist()
    return values


def to_bytes(datatype: str, values: Sequence[Any]) -> bytes:
    """Write values, little-endian; the length of each text before it."""
    if datatype == TEXT:
        encoded = [value.encode() for value in values]
        return b"".join(_LENGTH.pack(len(text)) + text for text in encoded)
    return np.array(values, dtype=_DTYPES[datatype]).tobytes()


def _texts(content: bytes, count: int) -> Values | None:
    values: Values = []
    start = 0
    for _ in range(count):
        if len(content) < start + _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(content, start)
        start += _LENGTH.size
        values.append(_text(content[start : start + length]))
        start += length
    return values if start == len(content) else None


def _text(content: bytes) -> object:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return MISFIT


def _whole(dtype: np.dtype[Any]) -> Callable[[object], bool]:
    least, greatest = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)

    def fits(value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        return least <= value <= greatest and value == int(value)

    return fits


def _real(dtype: np.dtype[Any]) -> Callable[[object], bool]:
    greatest = float(np.finfo(dtype).max)

    def fits(value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        return abs(value) <= greatest or value != value or abs(value) == np.inf

    return fits


_FITS: Final[dict[str, Callable[[object], bool]]] = {
    TRUTH: lambda value: isinstance(value, bool),
    TEXT: lambda value: isinstance(value, str),
    **{name: _whole(dtype) for name, dtype in WHOLE.items()},
    **{name: _real(dtype) for name, dtype in REAL.items()},
}
