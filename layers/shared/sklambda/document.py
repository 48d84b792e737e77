"""JSON objects with a schema, as the files of a model package hold them.

pydantic would take a third of a cold start for it.
"""

import json
from collections.abc import Callable
from functools import cache
from math import isfinite
from types import UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    Self,
    TypeAliasType,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
)

from sklambda.errors import DocumentInvalid

type Read = Callable[[Any], Any]
"""Returns a value converted to a type, or raises `DocumentInvalid`."""

_ABSENT = object()


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Document:
    """Base of immutable objects without further members; the annotations are the schema.

    A member is converted to its annotation: ``list`` to ``tuple``, ``int`` to ``float``, ``dict``
    to a document. ``Annotated`` adds a function that must be true of the value.

    Raises
    ------
    DocumentInvalid
        A member is absent, unknown or not of its type.
    """

    def __init__(self, **members: Any) -> None:
        kind: Any = type(self)
        readers = _readers(kind)
        for name in members.keys() - readers.keys():
            raise DocumentInvalid(f"{name}: unknown member")
        for name, read in readers.items():
            value = members.get(name, _ABSENT)
            if value is _ABSENT:
                value = getattr(kind, name, _ABSENT)
                if value is _ABSENT:
                    raise DocumentInvalid(f"{name}: is required")
            else:
                value = _at(name, read, value)
            self.__dict__[name] = value
        self.validate()

    @classmethod
    def parse(cls, content: bytes | str) -> Self:
        """Read JSON; raises `DocumentInvalid` where it does not fit the schema."""
        try:
            members = json.loads(content)
        except ValueError as error:
            raise DocumentInvalid("must be JSON") from error
        return cls.of(members)

    @classmethod
    def of(cls, members: object) -> Self:
        """Return a document of members by name."""
        if not isinstance(members, dict):
            raise DocumentInvalid("must be an object")
        return cls(**members)

    def validate(self) -> None:
        """Raise `DocumentInvalid` where members contradict each other."""

    def replace(self, **members: Any) -> Self:
        """Return a copy with other values of some members."""
        return type(self)(**vars(self) | members)

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(vars(self).values()))

    def __repr__(self) -> str:
        members = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({members})"

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")


@cache
def _readers(cls: Any) -> dict[str, Read]:
    return {name: _reader(hint) for name, hint in cls.__annotations__.items()}


def _at(place: object, read: Read, value: object) -> Any:
    try:
        return read(value)
    except DocumentInvalid as error:
        raise DocumentInvalid(f"{place}: {error}") from None


def _reader(hint: Any) -> Read:
    if isinstance(hint, TypeAliasType):
        return _reader(hint.__value__)
    if hint in _PLAIN:
        return _PLAIN[hint]
    if isinstance(hint, type) and issubclass(hint, Document):
        return _document(hint)
    kind, arguments = get_origin(hint), get_args(hint)
    return _COMPOSED[kind](*arguments)


def _document(cls: type[Document]) -> Read:
    return lambda value: value if isinstance(value, cls) else cls.of(value)


def _one_of(*choices: object) -> Read:
    def read(value: Any) -> Any:
        if isinstance(value, str) and value in choices:
            return value
        raise DocumentInvalid(f"must be one of {', '.join(map(str, choices))}")

    return read


def _either(*hints: Any) -> Read:
    readers = [_reader(hint) for hint in hints]
    plain = _PLAIN.keys() & {type(None) if hint is None else hint for hint in hints}

    def read(value: Any) -> Any:
        if type(value) in plain:
            return value
        for one in readers:
            try:
                return one(value)
            except DocumentInvalid as error:
                last = error
        raise last

    return read


def _tuple(*hints: Any) -> Read:
    if hints[-1] is Ellipsis:
        each = _reader(hints[0])
        return lambda value: tuple(_at(at, each, one) for at, one in enumerate(_items(value)))
    readers = [_reader(hint) for hint in hints]

    def read(value: Any) -> Any:
        items = _items(value)
        if len(items) != len(readers):
            raise DocumentInvalid(f"must have {len(readers)} items")
        pairs = zip(readers, items, strict=True)
        return tuple(_at(at, one, item) for at, (one, item) in enumerate(pairs))

    return read


def _items(value: Any) -> list[Any] | tuple[Any, ...]:
    if isinstance(value, list | tuple):
        return value
    raise DocumentInvalid("must be an array")


def _dict(_: Any, hint: Any) -> Read:
    each = _reader(hint)

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise DocumentInvalid("must be an object")
        return {str(key): _at(key, each, one) for key, one in value.items()}

    return read


def _annotated(hint: Any, *conditions: Callable[[Any], bool]) -> Read:
    read_any = _reader(hint)

    def read(value: Any) -> Any:
        found = read_any(value)
        for holds in conditions:
            if not holds(found):
                raise DocumentInvalid(_CONDITIONS[holds])
        return found

    return read


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise DocumentInvalid("must be true or false")


def _integer(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    raise DocumentInvalid("must be a whole number")


def _number(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise DocumentInvalid("must be a number")


def _string(value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    raise DocumentInvalid("must be a string")


def _null(value: Any) -> None:
    if value is not None:
        raise DocumentInvalid("must be null")


_CONDITIONS: dict[Any, str] = {isfinite: "must be finite", len: "must not be empty"}
_PLAIN: dict[Any, Read] = {
    bool: _boolean,
    int: _integer,
    float: _number,
    str: _string,
    type(None): _null,
}
_COMPOSED: dict[Any, Callable[..., Read]] = {
    Annotated: _annotated,
    Literal: _one_of,
    Union: _either,
    UnionType: _either,
    dict: _dict,
    tuple: _tuple,
}
