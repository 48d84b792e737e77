"""A JSON document that is walked through, with a note of everything that is wrong in it."""

from collections.abc import Collection
from typing import Any, NamedTuple

from functions.predict.http.problems import pointer

type Faults = list[tuple[str, str, str]]


class Node(NamedTuple):  # a request has hundreds, and a tuple is made in half the time
    """One value of a document.

    Attributes
    ----------
    value : object
        As JSON has it; None where it is absent.
    path : tuple of str or int
        Where it stands.
    faults : list of (str, str, str)
        What is wrong, in the whole document: (pointer, code, detail).
    """

    value: Any
    path: tuple[str | int, ...]
    faults: Faults

    def wrong(self, code: str, detail: str) -> None:
        """Note that something is wrong here."""
        self.faults.append((pointer(*self.path), code, detail))

    def at(self, member: str) -> "Node":
        """Go to a member of an object; of anything else it is absent."""
        value = self.value.get(member) if isinstance(self.value, dict) else None
        return Node(value, (*self.path, member), self.faults)

    def expect_object(self, members: Collection[str] | None = None) -> None:
        """Note it if this is no object, and each member of it that is not among `members`."""
        if not isinstance(self.value, dict):
            self.wrong("type", "must be an object")
        elif members is not None:
            for name in self.value:
                if name not in members:
                    self.at(name).wrong("unknown_member", "is not a member here")

    def expect_object_if_any(self, members: Collection[str] | None = None) -> None:
        """Do so unless it is absent."""
        if self.value is not None:
            self.expect_object(members)

    def items(self) -> list["Node"]:
        """Take the items of a list; notes it if this is none."""
        if not isinstance(self.value, list):
            self.wrong("type", "must be a list of objects")
            return []
        return [Node(item, (*self.path, i), self.faults) for i, item in enumerate(self.value)]

    def string(self) -> str | None:
        """Take a string that may be absent; notes it if this is none."""
        if self.value is not None and not isinstance(self.value, str):
            self.wrong("type", "must be a string")
            return None
        return self.value

    def one_of(self, choices: Collection[str], code: str, detail: str | None = None) -> str | None:
        """Take one of some strings; notes the code and the detail if this is none."""
        if isinstance(self.value, str) and self.value in choices:
            return self.value
        self.wrong(code, detail or f"must be {' or '.join(choices)}")
        return None

    def flag(self, default: bool) -> bool:
        """Take a boolean that may be absent; notes it if this is none."""
        if self.value is not None and not isinstance(self.value, bool):
            self.wrong("type", "must be true or false")
        return self.value if isinstance(self.value, bool) else default
