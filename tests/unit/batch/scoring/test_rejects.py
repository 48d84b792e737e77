"""Rejects say where and why, and the value only to who asks."""

import json

from functions.batch.formats.reading import Reject
from functions.batch.scoring import rejects

MALFORMED = Reject(0, None, "malformed", "has 3 cells, not 4", "a,b,c")
TYPE = Reject(4, "tenure", "type", "must be a number", "vïer\n")
NULL = Reject(4, "city", "null", "must not be null", None)


def test_rows_are_numbered_from_the_beginning_of_the_input() -> None:
    content = rejects.write([TYPE], first=101, show=False)

    assert content == (
        b'{"row": 105, "column": "tenure", "code": "type", "detail": "must be a number"}\n'
    )


def test_all_faults_stand_in_the_order_of_the_rows() -> None:
    content = rejects.write([TYPE, NULL, MALFORMED], first=1, show=False)

    found = [json.loads(line) for line in content.splitlines()]
    assert [(each["row"], each["column"]) for each in found] == [
        (1, None),
        (5, "tenure"),
        (5, "city"),
    ]


def test_values_are_shown_to_who_asks_for_them() -> None:
    content = rejects.write([TYPE, NULL], first=1, show=True)

    assert [json.loads(line)["value"] for line in content.splitlines()] == ["vïer\n", None]
    assert content.count(b"\n") == 2


def test_nothing_is_said_where_nothing_is_wrong() -> None:
    assert rejects.write([], first=1, show=True) == b""
