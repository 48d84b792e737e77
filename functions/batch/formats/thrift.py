"""Thrift's compact protocol, one level at a time.

A struct is read into fields whose values stay bytes, so that unknown fields are written again
unchanged. The protocol:
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

_MAX_DEPTH: Final = 32
_MAX_VARINT: Final = 10
_LONG_LIST: Final = 15


class ThriftInvalid(Exception):
    """Bytes that violate the protocol."""


class WireType(IntEnum):
    """Type of a value, as the header of its field holds it."""

    TRUE = 1
    FALSE = 2
    BYTE = 3
    I16 = 4
    I32 = 5
    I64 = 6
    DOUBLE = 7
    BINARY = 8
    LIST = 9
    SET = 10
    MAP = 11
    STRUCT = 12
    UUID = 13


_FIXED: Final[dict[int, int]] = {WireType.BYTE: 1, WireType.DOUBLE: 8, WireType.UUID: 16}
_VARINTS: Final = frozenset(map(int, (WireType.I16, WireType.I32, WireType.I64)))
_BOOLEANS: Final = frozenset(map(int, (WireType.TRUE, WireType.FALSE)))


@dataclass(frozen=True, slots=True)
class Value:
    """Value of a field: its type and its bytes."""

    kind: int
    content: bytes


Struct = dict[int, Value]
"""The fields of a struct by their ids, in order."""


def integer(number: int) -> Value:
    """Return an integer of 64 bits as a value."""
    return Value(WireType.I64, _varint(number << 1 if number >= 0 else (-number << 1) - 1))


def to_int(value: Value | None) -> int:
    """Read an integer; 0 if it is absent.

    Raises
    ------
    ThriftInvalid
        The value is not an integer.
    """
    if value is None:
        return 0
    if value.kind not in _VARINTS:
        raise ThriftInvalid("expected an integer")
    return _unzigzagged(_varint_at(value.content, 0)[0])


def to_struct(content: bytes) -> Struct:
    """Read the fields of a struct.

    Raises
    ------
    ThriftInvalid
        The bytes are not a struct, or continue after it.
    """
    try:
        fields, end = _fields(content, 0)
    except IndexError as error:
        raise ThriftInvalid("it is truncated") from error
    if end != len(content):
        raise ThriftInvalid("it continues after the struct")
    return fields


def to_structs(value: Value | None) -> Iterator[Struct]:
    """Read the structs of a list; none if it is absent.

    Raises
    ------
    ThriftInvalid
        The value is not a list of structs.
    """
    if value is None:
        return
    if value.kind != WireType.LIST:
        raise ThriftInvalid("expected a list")
    kind, count, at = _list_at(value.content, 0)
    if count and kind != WireType.STRUCT:
        raise ThriftInvalid("expected a list of structs")
    for _ in range(count):
        fields, at = _fields(value.content, at)
        yield fields


def from_struct(fields: Struct) -> bytes:
    """Write a struct."""
    content, before = bytearray(), 0
    for name, value in fields.items():
        if 0 < name - before <= _LONG_LIST:
            content.append((name - before) << 4 | value.kind)
        else:
            content.append(value.kind)
            content += integer(name).content
        content += value.content
        before = name
    content.append(0)
    return bytes(content)


def from_structs(structs: Iterable[bytes], count: int) -> Value:
    """Write a list of structs."""
    short = count < _LONG_LIST
    header = bytes([count << 4 | WireType.STRUCT]) if short else b"\xfc" + _varint(count)
    return Value(WireType.LIST, b"".join([header, *structs]))


def _varint(number: int) -> bytes:
    content = bytearray()
    while number > 0x7F:
        content.append(number & 0x7F | 0x80)
        number >>= 7
    content.append(number)
    return bytes(content)


def _fields(content: bytes, at: int) -> tuple[Struct, int]:
    fields, name = Struct(), 0
    while header := content[at]:
        kind, step, at = header & 0x0F, header >> 4, at + 1
        if step:
            name += step
        else:
            zigzag, at = _varint_at(content, at)
            name = _unzigzagged(zigzag)
        start, at = at, at if kind in _BOOLEANS else _end(content, at, kind, 1)
        fields[name] = Value(kind, content[start:at])
    return fields, at + 1


def _end(content: bytes, at: int, kind: int, depth: int) -> int:
    """Return the end of a value; its bytes are untrusted input."""
    if kind in _VARINTS:
        return _varint_end(content, at)
    if kind == WireType.BINARY:
        size, at = _varint_at(content, at)
        return at + size
    if depth > _MAX_DEPTH:
        raise ThriftInvalid("it is nested too deeply")
    if kind == WireType.STRUCT:
        return _struct_end(content, at, depth)
    if kind in (WireType.LIST, WireType.SET):
        kind, count, at = _list_at(content, at)
        return _many_end(content, at, (kind,), count, depth)
    if kind == WireType.MAP:
        count, at = _varint_at(content, at)
        kinds = (content[at] >> 4, content[at] & 0x0F) if count else ()
        return _many_end(content, at + bool(count), kinds, count, depth)
    if kind in _FIXED:
        return at + _FIXED[kind]
    raise ThriftInvalid("it has an unknown type")


def _struct_end(content: bytes, at: int, depth: int) -> int:
    while header := content[at]:
        at += 1
        if header < 0x10:
            at = _varint_end(content, at)
        kind = header & 0x0F
        if kind in _VARINTS:  # as in _end, here for speed: most fields are integers
            while content[at] > 0x7F:
                at += 1
            at += 1
        elif kind not in _BOOLEANS:
            at = _end(content, at, kind, depth + 1)
    return at + 1


def _many_end(content: bytes, at: int, kinds: tuple[int, ...], count: int, depth: int) -> int:
    """Return the end of the elements of a list or pairs of a map; each takes a byte or more."""
    if count > len(content) - at:
        raise ThriftInvalid("it is truncated")
    for _ in range(count):
        for kind in kinds:
            at = at + 1 if kind in _BOOLEANS else _end(content, at, kind, depth + 1)
    return at


def _list_at(content: bytes, at: int) -> tuple[int, int, int]:
    """Read the header of a list: type, count and position of its elements."""
    header, at = content[at], at + 1
    count = header >> 4
    if count == _LONG_LIST:
        count, at = _varint_at(content, at)
    return header & 0x0F, count, at


def _varint_at(content: bytes, at: int) -> tuple[int, int]:
    if (number := content[at]) < 0x80:
        return number, at + 1
    end, number = _varint_end(content, at), 0
    if end - at > _MAX_VARINT:
        raise ThriftInvalid("it has an integer that is too long")
    for byte in reversed(content[at:end]):
        number = number << 7 | byte & 0x7F
    return number, end


def _varint_end(content: bytes, at: int) -> int:
    while content[at] > 0x7F:
        at += 1
    return at + 1


def _unzigzagged(number: int) -> int:
    return (number >> 1) ^ -(number & 1)
