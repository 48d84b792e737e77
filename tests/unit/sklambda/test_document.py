"""A document has the members that it names, each as it is annotated, or it is refused."""

import json
from math import isfinite
from typing import Annotated, Any, Literal

import pytest

from sklambda.document import Document
from sklambda.errors import DocumentInvalid


class Inner(Document):
    name: str
    size: int = 1


class Outer(Document):
    kind: Literal["a", "b"]
    inner: Inner
    values: dict[str, bool | int | float | str | None]
    pairs: tuple[tuple[float, str], ...] = ()
    span: tuple[float, float] | tuple[str, str] | None = None
    share: Annotated[float, isfinite] = 0.5

    def validate(self) -> None:
        """Refuse what the test asks to be refused."""
        if self.inner.name == "odd":
            raise DocumentInvalid("an odd one")


WHOLE: dict[str, Any] = {"kind": "a", "inner": {"name": "x"}, "values": {}}


def test_members_are_read_as_they_are_annotated() -> None:
    outer = Outer.of(WHOLE | {"pairs": [[1, "x"]], "span": ["a", "b"], "share": 1})

    assert outer.inner == Inner(name="x", size=1)
    assert (outer.pairs, outer.span) == (((1.0, "x"),), ("a", "b"))
    assert type(outer.share) is type(outer.pairs[0][0]) is float


def test_what_stands_in_json_is_read_again() -> None:
    values: dict[str, bool | int | float | str | None] = {
        "a": True,
        "b": 1,
        "c": 1.0,
        "d": "1",
        "e": None,
    }
    outer = Outer(kind="b", inner=Inner(name="x"), span=(0, 1), values=values)

    again = Outer.parse(json.dumps(outer, default=vars))

    assert again == outer
    assert list(map(type, again.values.values())) == [bool, int, float, str, type(None)]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"kind": "c"}, "kind: must be one of a, b"),
        ({"more": 1}, "more: unknown member"),
        ({"inner": {}}, "inner: name: is required"),
        ({"inner": {"name": 1}}, "inner: name: must be a string"),
        ({"inner": {"name": "x", "size": True}}, "inner: size: must be a whole number"),
        ({"inner": []}, "inner: must be an object"),
        ({"pairs": [[1, "x"], ["1", "x"]]}, "pairs: 1: 0: must be a number"),
        ({"pairs": [[1]]}, "pairs: 0: must have 2 items"),
        ({"span": [1, "b"]}, "span"),
        ({"share": float("nan")}, "share: must be finite"),
        ({"values": {"a": []}}, "values: a"),
        ({"inner": {"name": "odd"}}, "an odd one"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_place(members: dict[str, Any], message: str) -> None:
    with pytest.raises(DocumentInvalid, match=message):
        Outer.of(WHOLE | members)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null"])
def test_what_is_no_json_object_is_refused(content: bytes) -> None:
    with pytest.raises(DocumentInvalid):
        Outer.parse(content)


def test_a_document_does_not_change_and_another_is_made() -> None:
    inner = Inner(name="x")

    with pytest.raises(AttributeError, match="Inner is immutable"):
        inner.name = "y"  # type: ignore[misc]
    assert inner.replace(name="y") == Inner(name="y")
    assert inner.name == "x"


def test_equal_documents_are_one_in_a_set() -> None:
    assert len({Inner(name="x"), Inner(name="x", size=1), Inner(name="x", size=2)}) == 2
