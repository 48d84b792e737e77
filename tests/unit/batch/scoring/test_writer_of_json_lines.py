"""JSON Lines hold the repeated members of the input, and the output as from /predict."""

import json
from typing import Any

import numpy as np
import pytest
from duckdb import DuckDBPyConnection

from sklambda.reading.suffixes import Format
from tests.support.output_tables import (
    LINE,
    LINES,
    Write,
    cells_of,
    fill,
    fill_texts,
    json_output_columns,
    output_columns,
)


def test_json_lines_hold_input_members_then_the_output_of_predict(
    con: DuckDBPyConnection, write: Write
) -> None:
    fill_texts(con)

    lines = write(json_output_columns(0.25, 0.75, np.nan), "json_lines").splitlines()

    answer = {"score": 0.75, "probabilities": {"no": 0.25, "yes": 0.75}, "warnings": []}
    repeated = {"id": "b", "age": "2.50", "city": 'say "B", or\nnot'}
    assert json.loads(lines[1]) == repeated | {"label": "yes"} | answer
    assert json.loads(lines[2])["score"] is None


def test_lines_are_unchanged_before_the_output(con: DuckDBPyConnection, write: Write) -> None:
    line = '{"age": 1.50, "big": 123456789012345678901, "ü": "\\u0041"} '
    fill(con, [(line,)], "line VARCHAR")

    content = write(json_output_columns(0.25), "json_lines", LINES)

    assert content.decode() == (
        '{"age": 1.50, "big": 123456789012345678901, "ü": "\\u0041","label":"no","score":0.25,'
        '"probabilities":{"no":0.75,"yes":0.25},"warnings":[]}\n'
    )


@pytest.mark.parametrize(
    ("line", "prefix"),
    [
        ('{"label": 1}', "predicted_"),
        ('{"\\u006cabel": 1}', "predicted_"),
        ('{"predicted_label": 1}', ""),
        ('{"predicted_label": 1, "score": 1}', "predicted_predicted_"),
        ('{"label": 1, "predicted_predicted_score": 1}', "predicted_predicted_predicted_"),
        ('{"x": {"label": 1}, "labels": 1, "Label": 1}', ""),
    ],
)
def test_a_line_with_a_member_of_an_output_name_keeps_it(
    con: DuckDBPyConnection, write: Write, line: str, prefix: str
) -> None:
    fill(con, [(line,)], "line VARCHAR")

    found = json.loads(write(json_output_columns(0.25), "json_lines", LINES))

    names = ("label", "score", "probabilities", "warnings")
    assert [*found] == [*json.loads(line), *(prefix + name for name in names)]


@pytest.mark.parametrize(
    ("into", "expected"),
    [
        ("csv", {"id": "7", 'a/b~"c': "[1]", "none": ""}),
        ("json_lines", {"id": 7, 'a/b~"c': [1], "none": None}),
    ],
)
def test_members_of_a_line_become_columns(
    con: DuckDBPyConnection, write: Write, into: Format, expected: dict[str, Any]
) -> None:
    fill(con, [(LINE,)], "line VARCHAR")
    columns = output_columns(0.25) if into == "csv" else json_output_columns(0.25)

    content = write(columns, into, LINES, keep=('a/b~"c', "none"))

    if into == "csv":
        header, cells = cells_of(content)
        found: dict[str, Any] = dict(zip(header, cells, strict=True))
    else:
        found = json.loads(content)
    assert {name: found[name] for name in expected} == expected
