"""Scored files hold the scores to the bit, and pieces of them are one file."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import zstandard
from duckdb import DuckDBPyConnection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.batch.formats.layout import Layout
from functions.batch.scoring.columns import prediction_columns
from sklambda.errors import InputRefused
from sklambda.reading.suffixes import Compression, Format
from tests.conftest import REPOSITORY
from tests.support.output_tables import (
    NO_WARNINGS,
    REGRESSION,
    ROWS,
    WARNINGS,
    Write,
    cells_of,
    fill,
    fill_texts,
    from_parquet,
    json_output_columns,
    output_columns,
)

ODD = (0.0, -0.0, 5e-324, 1e-300, 2.2250738585072014e-308, 1.7976931348623157e308, 1e16, 0.1)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.floats() | st.sampled_from(ODD), max_size=20))
def test_numbers_are_written_to_the_bit(
    values: list[float], con: DuckDBPyConnection, write: Write
) -> None:
    fill_texts(con, [(str(place), "1", "B") for place in range(len(values))])
    scores = np.array(values, dtype=np.float64).reshape(-1, 1)
    columns = [*prediction_columns(REGRESSION, scores), WARNINGS]
    as_json = [*prediction_columns(REGRESSION, scores), NO_WARNINGS]

    in_csv = [row[3] for row in cells_of(write(columns, header=False, target=REGRESSION))]
    in_json = [
        json.loads(line)["values"]["y"]
        for line in write(as_json, "json_lines", target=REGRESSION).splitlines()
    ]
    (in_parquet,) = from_parquet(con, write(columns, "parquet", target=REGRESSION), "value") or [()]

    bits = [value.hex() if np.isfinite(value) else None for value in values]
    assert [float(text).hex() if text else None for text in in_csv] == bits
    assert [value if value is None else float(value).hex() for value in in_json] == bits
    assert [
        value.hex() if value is not None and np.isfinite(value) else None for value in in_parquet
    ] == bits


def test_csv_holds_input_columns_then_output_columns(con: DuckDBPyConnection, write: Write) -> None:
    fill_texts(con)

    content = write(output_columns(0.25, 0.75, 0.5))

    assert content == (
        b"id,age,city,label,score,probability_no,probability_yes,warnings\n"
        b"a,1,B,no,0.25,0.75,0.25,\n"
        b'b,2.50,"say ""B"", or\nnot",yes,0.75,0.25,0.75,\n'
        b'c,,"",no,0.5,0.5,0.5,\n'
    )


def test_rows_that_were_refused_are_left_out(con: DuckDBPyConnection, write: Write) -> None:
    fill_texts(con)

    cells = cells_of(write(output_columns(0.25, 0.75), bad=[1]))

    assert [(row[0], row[4]) for row in cells] == [("id", "score"), ("a", "0.25"), ("c", "0.75")]


def test_order_is_kept_where_rows_are_many(con: DuckDBPyConnection, write: Write) -> None:
    rows = 300_000
    con.execute(
        "CREATE TABLE records AS SELECT i AS \"#\", i::VARCHAR AS id, 'x' AS age, 'y' AS city "
        f"FROM range({rows}) t(i)"
    )
    bad = np.arange(0, rows, 3)
    good = np.setdiff1d(np.arange(rows), bad)

    cells = cells_of(write(output_columns(*(good / rows)), bad=bad, header=False))

    assert [int(row[0]) for row in cells] == good.tolist()
    assert [float(row[4]) for row in cells] == (good / rows).tolist()


def test_output_names_that_the_input_has_get_a_prefix(
    con: DuckDBPyConnection, write: Write
) -> None:
    fill(con, [("a", "1")], "id VARCHAR, Score VARCHAR")

    header, _ = cells_of(write(output_columns(0.25), layout=Layout("csv", ("id", "Score"))))

    assert header[2:4] == ["predicted_label", "predicted_score"]


@pytest.mark.parametrize(
    ("keep", "names"), [("none", ["id"]), (("city",), ["id", "city"]), (("id",), ["id"])]
)
def test_the_row_id_and_requested_columns_are_repeated(
    con: DuckDBPyConnection, write: Write, keep: str | tuple[str, ...], names: list[str]
) -> None:
    fill_texts(con, ROWS[:1])

    header, _ = cells_of(write(output_columns(0.25), keep=keep))

    assert header[: header.index("label")] == names


def test_a_column_to_keep_must_exist(con: DuckDBPyConnection, write: Write) -> None:
    fill_texts(con)

    with pytest.raises(InputRefused, match="the input has no column 'town' to keep"):
        write(output_columns(0.25), keep=("town",))


@pytest.mark.parametrize("into", ["csv", "json_lines"])
@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_pieces_one_after_the_other_are_the_file(
    con: DuckDBPyConnection, write: Write, into: Format, compression: Compression
) -> None:
    answer = output_columns if into == "csv" else json_output_columns
    fill_texts(con)
    whole = write(answer(0.25, 0.75, 0.5), into)

    fill_texts(con, [])
    pieces = write(answer(), into, compression=compression)
    for place, score in enumerate((0.25, 0.75, 0.5)):
        fill_texts(con, [ROWS[place]])
        pieces += write(answer(score), into, compression=compression, header=False)
    fill_texts(con, [])
    pieces += write(answer(), into, compression=compression, header=False)

    assert _unpacked(pieces, compression) == whole


def _unpacked(content: bytes, compression: Compression) -> bytes:
    if compression == "gzip":
        return gzip.decompress(content)
    if compression == "zstd":
        reader = zstandard.ZstdDecompressor().stream_reader(content, read_across_frames=True)
        return reader.read()
    return content


SCRIPT = """
import sys
from pathlib import Path
import numpy as np
from functions.batch.scoring.columns import OutputColumn, prediction_columns
from functions.batch.formats.sql import connect
from functions.batch.formats.layout import Layout
from functions.batch.formats.layout import OutputOptions
from functions.batch.scoring.writer import Writer
from sklambda.signature import Feature, Signature, Target

folder, into, compression = Path(sys.argv[1]), *sys.argv[2:]
target = Target(task="binary", classes=("no", "yes"))
signature = Signature(features=(Feature(name="age", kind="number", nullable=True),), target=target)
scores = np.random.default_rng(0).random((50_000, 2))
texts = np.array(["age:missing", ""] * 25_000, dtype=object)
warnings = OutputColumn("warnings", ("warnings",), "VARCHAR", texts)
columns = [*prediction_columns(target, scores), warnings]
con = connect(folder)
con.execute("CREATE TABLE records AS SELECT i AS \\"#\\", i % 99 AS age FROM range(50000) t(i)")
writer = Writer(Layout("parquet", ("age",)), OutputOptions(into, compression), signature, columns)
writer.write(con, np.ones(50_000, dtype=bool), columns, folder / "piece", True)
"""


@pytest.mark.parametrize(
    ("into", "compression"), [("csv", "gzip"), ("csv", "zstd"), ("parquet", "zstd")]
)
def test_each_process_writes_the_same_bytes(tmp_path: Path, into: str, compression: str) -> None:
    pieces = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        command = [sys.executable, "-c", SCRIPT, str(folder), into, compression]
        subprocess.run(command, check=True, env={"PYTHONHASHSEED": seed, "PYTHONPATH": _PATH})
        pieces.append((folder / "piece").read_bytes())

    assert pieces[0] == pieces[1]


_PATH = f"{REPOSITORY}:{REPOSITORY / 'layers/shared'}"


def test_only_the_piece_is_left(con: DuckDBPyConnection, write: Write, tmp_path: Path) -> None:
    fill_texts(con)

    write(output_columns(0.25, 0.75, 0.5), compression="gzip")

    assert [each.name for each in tmp_path.iterdir()] == ["piece"]
