"""Written Parquet has types, and the same ones in each piece."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from duckdb import DuckDBPyConnection

from functions.batch.formats.layout import Layout
from functions.batch.scoring.columns import OutputColumn, prediction_columns
from sklambda.errors import InputRefused
from sklambda.signature import Target
from tests.support.output_tables import (
    LINE,
    LINES,
    WARNINGS,
    Write,
    fill,
    fill_texts,
    from_parquet,
    json_output_columns,
    output_columns,
)


def test_features_of_a_line_have_types_in_parquet(con: DuckDBPyConnection, write: Write) -> None:
    fill(con, [(LINE,), ('{"age": null}',)], "line VARCHAR")

    content = write(output_columns(0.25, 0.5), "parquet", LINES)

    found = from_parquet(con, content, "id, age, typeof(age), typeof(id)")
    assert found == [("7", None), (3.0, None), ("DOUBLE",) * 2, ("VARCHAR",) * 2]


def test_parquet_keeps_types_and_json_has_no_infinity(
    con: DuckDBPyConnection, write: Write
) -> None:
    layout = Layout("parquet", ("id", "age"))
    fill(con, [(7, np.inf), (8, 0.1)], "id INTEGER, age DOUBLE")

    lines = write(json_output_columns(0.25, 0.5), "json_lines", layout).splitlines()
    found = from_parquet(
        con, write(output_columns(0.25, 0.5), "parquet", layout), "typeof(id), age"
    )

    assert [json.loads(line)["age"] for line in lines] == [None, 0.1]
    assert found == [("INTEGER",) * 2, (np.inf, 0.1)]


@pytest.mark.parametrize("bad", [[], [0, 1, 2]])
def test_parquet_has_the_same_schema_whatever_it_holds(
    con: DuckDBPyConnection, write: Write, tmp_path: Path, bad: list[int]
) -> None:
    fill_texts(con)
    odd = OutputColumn("warnings", ("warnings",), "VARCHAR", np.array(["x", "", "y"], dtype=object))
    usual = write([*output_columns(0.25, 0.75, np.nan)[:-1], odd], "parquet")
    other = write(output_columns(*[0.5] * (3 - len(bad))), "parquet", bad=bad, compression="zstd")

    assert _schema(con, tmp_path, other) == _schema(con, tmp_path, usual)


def _schema(con: DuckDBPyConnection, folder: Path, content: bytes) -> list[Any]:
    path = folder / "schema.parquet"
    path.write_bytes(content)
    return con.execute(f"SELECT * EXCLUDE file_name FROM parquet_schema('{path}')").fetchall()


def test_classes_that_differ_in_case_are_none_of_parquet(
    con: DuckDBPyConnection, write: Write
) -> None:
    fill_texts(con)
    target = Target(task="binary", classes=("No", "no"))
    columns = [*prediction_columns(target, np.zeros((3, 2))), WARNINGS]

    assert b"probability_No,probability_no" in write(columns, target=target)
    with pytest.raises(
        InputRefused, match="differ by more than case, got probability_No and probability_no"
    ):
        write(columns, "parquet", target=target)
