"""JSON bodies, read strictly.

A member that occurs twice in one object is refused: parsers keep the last and say nothing, and
another reader of the same body may keep the first.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import pydantic_core

from functions.predict.http import problems
from functions.predict.http.problems import BodyFault, ProblemRaised, pointer

type Refuse = Callable[[str], ProblemRaised]
"""Returns the problem of a body, from what is wrong with it."""

type Path = tuple[str | int, ...]
"""Members and positions that lead to a place of a document."""

_MARK: Final = b"\xef\xbb\xbf"
_WIDE_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_ESCAPED: Final = b"\\u003"
"""The start of an escaped colon."""


def parse_json(content: bytes, inf_nan: bool = False) -> Any:
    """Parse JSON in UTF-8, with NaN and Infinity only if the dialect allows them.

    A byte order mark is skipped. Raises the problem of invalid JSON, and that of duplicate members.
    """
    try:
        document = pydantic_core.from_json(content, allow_inf_nan=inf_nan)
    except ValueError:
        # Marks and other encodings are looked for where there is something wrong, not each time.
        content = utf8(content, problems.not_json)
        try:
            document = pydantic_core.from_json(content, allow_inf_nan=inf_nan)
        except ValueError as error:
            raise problems.not_json(str(error)) from None
    _require_each_once(document, content)
    return document


def parse_text(text: str, *place: str | int) -> Any:
    """Parse JSON that is a text at a place of another document.

    Raises ValueError for another text, and the problem of duplicate members.
    """
    content = text.encode("utf-8", "surrogatepass")
    document = pydantic_core.from_json(content, allow_inf_nan=False)
    _require_each_once(document, content, place)
    return document


def utf8(content: bytes, refuse: Refuse) -> bytes:
    """Return a text without its byte order mark; raises the problem of UTF-16 and UTF-32."""
    if content.startswith(_MARK):
        return content[len(_MARK) :]
    if content.startswith(_WIDE_MARKS) or b"\0" in content[:4]:
        raise refuse("expected UTF-8, got UTF-16 or UTF-32")
    return content


def _require_each_once(document: object, content: bytes, place: Path = ()) -> None:
    """Raise the problem of duplicate members, of a document at a place of another one.

    Each member has a colon, and a parsed document has each name of an object once: where it
    accounts for all colons of the content, no member was dropped. Parsing again is exact, and takes
    twice as long as the first time, so two counts that are cheap and never too high come first.
    """
    colons = content.count(b":")
    if colons in (_shallow(document), 0):
        return
    if _ESCAPED not in content and colons == _colons(document):
        return
    duplicates = list(_duplicates(content, place))
    if duplicates:
        raise problems.body_invalid(*duplicates)


def _shallow(document: object) -> int:
    """Return the number of members of a document and of the objects just below."""
    if type(document) is not dict:
        return 0
    count = len(document)
    for value in document.values():
        if type(value) is dict:
            count += len(value)
        elif type(value) is list and value and type(value[0]) is dict:
            try:
                count += sum(map(dict.__len__, value))
            except TypeError:  # some other value is no object
                return 0
    return count


def _colons(value: Any) -> int:
    """Return the number of colons of a document as JSON: its members', and those in its texts."""
    count, inner = 0, value
    if type(value) is dict:
        count, inner = len(value) + "".join(value).count(":"), value.values()
    elif type(value) is not list:
        inner = (value,)
    for each in inner:
        if type(each) is str:
            count += each.count(":")
        elif type(each) is dict or type(each) is list:
            count += _colons(each)
    return count


def duplicate(*place: str | int) -> BodyFault:
    """Return the fault of a member that occurs again in its object."""
    return pointer(*place), "doubled", "is a duplicate member"


class _Members(list[tuple[str, Any]]):
    """The members of an object, duplicates included."""


def _duplicates(content: bytes, place: Path) -> Iterator[BodyFault]:
    """Return the faults of members that occur again in their object."""
    import json

    # Numbers are not converted: some have more digits than Python converts.
    document = json.loads(
        content, object_pairs_hook=_Members, parse_int=len, parse_float=len, strict=False
    )
    yield from _repeated(document, place)


def _repeated(value: object, path: Path) -> Iterator[BodyFault]:
    if isinstance(value, _Members):
        seen = set()
        for name, inner in value:
            if name in seen:
                yield duplicate(*path, name)
            seen.add(name)
            yield from _repeated(inner, (*path, name))
    elif isinstance(value, list):
        for k, inner in enumerate(value):
            yield from _repeated(inner, (*path, k))
