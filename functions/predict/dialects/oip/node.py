"""A JSON document of the protocol and the bytes after it, read with all their faults."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

from functions.predict.http.problems import BodyFault, pointer


@dataclass(slots=True)
class BinaryData:
    """The bytes after the JSON document, read from the front."""

    content: bytes
    start: int = 0

    def read(self, size: int) -> bytes:
        """Return the next bytes; fewer at the end."""
        part = self.content[self.start : self.start + size]
        self.start += size
        return part

    @property
    def any(self) -> bool:
        """Whether bytes are left."""
        return self.start < len(self.content)


class Node(NamedTuple):  # a request has hundreds, and a tuple is made in half the time
    """One value of a JSON document, which collects the faults of the whole document.

    Attributes
    ----------
    value : object
        The JSON value; None where it is absent.
    path : tuple of str or int
        Its path in the document.
    faults : list of (str, str, str)
        JSON Pointer, code and detail of the faults of the document.
    """

    value: Any
    path: tuple[str | int, ...]
    faults: list[BodyFault]

    def fault(self, code: str, detail: str) -> None:
        """Note a fault of this value."""
        self.faults.append((pointer(*self.path), code, detail))

    def at(self, member: str) -> "Node":
        """Return a member of an object; it is absent in any other value."""
        value = self.value.get(member) if isinstance(self.value, dict) else None
        return Node(value, (*self.path, member), self.faults)

    def require_object(self, members: Collection[str] | None = None) -> None:
        """Check that this is an object, without any other than the named members."""
        if not isinstance(self.value, dict):
            self.fault("type", "must be an object")
        elif members is not None:
            for name in self.value:
                if name not in members:
                    self.at(name).fault("unknown_member", "is an unknown member")

    def require_object_or_absent(self) -> None:
        """Check that this is an object or absent."""
        if self.value is not None:
            self.require_object()

    def items(self) -> list["Node"]:
        """Return the items of a list; a fault for any other value."""
        if not isinstance(self.value, list):
            self.fault("type", "must be a list of objects")
            return []
        return [Node(item, (*self.path, i), self.faults) for i, item in enumerate(self.value)]

    def string(self) -> str | None:
        """Return a string, or None where it is absent; a fault for any other value."""
        if self.value is not None and not isinstance(self.value, str):
            self.fault("type", "must be a string")
            return None
        return self.value

    def one_of(self, choices: Collection[str], code: str, detail: str | None = None) -> str | None:
        """Return one of the choices; a fault for any other value."""
        if isinstance(self.value, str) and self.value in choices:
            return self.value
        self.fault(code, detail or f"must be {' or '.join(choices)}")
        return None

    def flag(self, default: bool) -> bool:
        """Return a boolean, or the default where it is absent; a fault for any other value."""
        if self.value is not None and not isinstance(self.value, bool):
            self.fault("type", "must be true or false")
        return self.value if isinstance(self.value, bool) else default
