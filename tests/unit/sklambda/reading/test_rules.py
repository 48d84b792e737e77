"""Which rules contradict each other."""

from typing import Any

import pytest

from sklambda.errors import DocumentInvalid
from sklambda.reading.rules import Reading


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"delimiter": "ab"}, "delimiter must be one ASCII character"),
        ({"delimiter": "§"}, "delimiter must be one ASCII character"),
        ({"quote": "\n"}, "quote must be one ASCII character"),
        ({"delimiter": '"'}, "must be different"),
        ({"escape": '"'}, "must be different"),
        ({"decimal": ";"}, "decimal must be '.' or ','"),
        ({"decimal": ",", "thousands": ","}, "thousands must be one of"),
        ({"thousands": "x"}, "thousands must be one of"),
        ({"skip": -1}, "skip must be at least 0"),
        ({"true": ["ja"], "false": ["ja"]}, "spelt differently"),
        ({"names": ["a", "a"]}, "names must be different"),
        ({"units": [" "]}, "units must be signs or words"),
        ({"units": ["5"]}, "units must be signs or words"),
        ({"encoding": "klingon"}, "encoding must be one that Python knows"),
        ({"zone": "Europe/Berlin"}, "zone must be UTC or an offset"),
        ({"zone": "+25:00"}, "zone must be UTC or an offset"),
        ({"dates": {"x": "ISO"}}, "must be a format such as"),
        ({"colour": "red"}, "unknown member"),
    ],
)
def test_what_no_file_can_follow_is_refused(members: dict[str, Any], message: str) -> None:
    with pytest.raises(DocumentInvalid, match=message):
        Reading.of(members)


def test_rules_are_read_again_as_they_were_written() -> None:
    reading = Reading(delimiter=";", missing=("?",), dates={"x": "%d.%m.%Y"}, zone="+01:00")

    assert Reading.of({**vars(reading), "missing": ["?"]}) == reading
