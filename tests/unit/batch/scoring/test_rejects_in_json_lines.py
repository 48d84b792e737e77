"""Rejects hold place and reason, and the refused value only on request."""

import json

from functions.batch.formats.slices import Reject
from functions.batch.scoring.scorer import rejects_to_json_lines

MALFORMED = Reject(0, None, "malformed", "has 3 cells, not 4", "a,b,c")
TYPE = Reject(4, "tenure", "type", "must be a number", "vïer\n")
NULL = Reject(4, "city", "null", "must not be null", None)


def test_rows_are_numbered_from_the_beginning_of_the_input() -> None:
    content = rejects_to_json_lines([TYPE], first=101, show_values=False)

    assert content == (
        b'{"row": 105, "column": "tenure", "code": "type", "detail": "must be a number"}\n'
    )


def test_all_faults_stand_in_the_order_of_the_rows() -> None:
    content = rejects_to_json_lines([TYPE, NULL, MALFORMED], first=1, show_values=False)

    found = [json.loads(line) for line in content.splitlines()]
    assert [(each["row"], each["column"]) for each in found] == [
        (1, None),
        (5, "tenure"),
        (5, "city"),
    ]


def test_values_are_written_on_request() -> None:
    content = rejects_to_json_lines([TYPE, NULL], first=1, show_values=True)

    assert [json.loads(line)["value"] for line in content.splitlines()] == ["vïer\n", None]
    assert content.count(b"\n") == 2


def test_no_reject_is_no_line() -> None:
    assert rejects_to_json_lines([], first=1, show_values=True) == b""
