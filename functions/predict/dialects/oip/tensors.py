"""Tensors of the Open Inference Protocol: one column of values, in JSON or as bytes."""

import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np

type Values = list[object]

INVALID: Final = object()
"""Stands for a value that does not have the datatype of its tensor; the codec refuses it."""

BYTES: Final = "BYTES"
BOOL: Final = "BOOL"
_BITS: Final = (8, 16, 32, 64)
INTEGERS: Final = {f"INT{bits}": np.dtype(f"<i{bits // 8}") for bits in _BITS} | {
    f"UINT{bits}": np.dtype(f"<u{bits // 8}") for bits in _BITS
}
FLOATS: Final = {f"FP{bits}": np.dtype(f"<f{bits // 8}") for bits in _BITS[1:]}
NUMBERS: Final = (*FLOATS, *INTEGERS)
DATATYPES: Final = (BOOL, *NUMBERS, BYTES)
NARROW: Final = frozenset({"FP16", "FP32"})
"""Datatypes with less precision than the float64 of the model."""

_DTYPES: Final[dict[str, np.dtype[Any]]] = {BOOL: np.dtype(np.bool), **FLOATS, **INTEGERS}
_LENGTH: Final = struct.Struct("<I")


def from_json(datatype: str, data: Iterable[object]) -> Values:
    """Read values from JSON; null means missing in any datatype."""
    fits = _CHECKS[datatype]
    return [value if value is None or fits(value) else INVALID for value in data]


def from_bytes(datatype: str, content: bytes, count: int) -> Values | None:
    """Read `count` little-endian values; None where the length of the bytes does not match."""
    if datatype == BYTES:
        return _texts(content, count)
    dtype = _DTYPES[datatype]
    if len(content) != count * dtype.itemsize:
        return None
    if datatype == BOOL:
        return [bool(byte) if byte in (0, 1) else INVALID for byte in content]
    values: Values = np.frombuffer(content, dtype).tolist()
    return values


def to_bytes(datatype: str, values: Sequence[Any]) -> bytes:
    """Write little-endian values; each text has its length before it."""
    if datatype == BYTES:
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
        return INVALID


def _is_integer(dtype: np.dtype[Any]) -> Callable[[object], bool]:
    least, greatest = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)

    def fits(value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        return least <= value <= greatest and value == int(value)

    return fits


def _is_float(dtype: np.dtype[Any]) -> Callable[[object], bool]:
    greatest = float(np.finfo(dtype).max)

    def fits(value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        return abs(value) <= greatest or value != value or abs(value) == np.inf

    return fits


_CHECKS: Final[dict[str, Callable[[object], bool]]] = {
    BOOL: lambda value: isinstance(value, bool),
    BYTES: lambda value: isinstance(value, str),
    **{name: _is_integer(dtype) for name, dtype in INTEGERS.items()},
    **{name: _is_float(dtype) for name, dtype in FLOATS.items()},
}
