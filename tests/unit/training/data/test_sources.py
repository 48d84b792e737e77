"""Where rows come from."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import zstandard

from sklambda.reading.rules import Reading
from training.data import sources
from training.errors import DataError

FRAME = pd.DataFrame({"n": [1.5, 2.5, None], "w": ["a", "b", None], "i": [1, 2, 3]})
CSV = FRAME.to_csv(index=False).encode()
LINES = "\n".join(
    json.dumps({"n": n, "w": w, "i": i})
    for n, w, i in [(1.5, "a", 1), (2.5, "b", 2), (None, None, 3)]
).encode()


def parquet(path: Path) -> None:
    duckdb.from_df(FRAME).write_parquet(str(path))


WRITERS: dict[str, Callable[[Path], object]] = {
    "rows.csv": lambda path: path.write_bytes(CSV),
    "rows.tsv": lambda path: path.write_bytes(CSV.replace(b",", b"\t")),
    "rows.csv.gz": lambda path: path.write_bytes(gzip.compress(CSV)),
    "rows.csv.zst": lambda path: path.write_bytes(zstandard.compress(CSV)),
    "rows.jsonl": lambda path: path.write_bytes(LINES),
    "rows.jsonl.gz": lambda path: path.write_bytes(gzip.compress(LINES)),
    "rows.parquet": parquet,
}


@pytest.mark.parametrize("name", WRITERS)
def test_each_format_has_the_same_rows(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name)

    found = sources.read(name, Reading(), folder=tmp_path)

    pd.testing.assert_frame_equal(found.frame, FRAME)
    assert dict(found.kinds) == {"n": "number", "w": "category", "i": "integer"}


@pytest.mark.parametrize("place", ["parts", "parts/*.csv", "parts/0?.csv"])
def test_several_files_are_one_table_in_the_order_of_their_names(
    tmp_path: Path, place: str
) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/02.csv").write_bytes(b"w,n,i\nz,9,9\n")
    (tmp_path / "parts/01.csv").write_bytes(CSV)
    (tmp_path / "parts/readme.md").write_bytes(b"no rows")

    found = sources.read(place, Reading(), folder=tmp_path)

    assert found.frame["i"].tolist() == [1, 2, 3, 9]
    assert found.description == "CSV, delimiter comma, UTF-8, 2 files"


def test_files_of_other_columns_are_refused(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_bytes(CSV)
    (tmp_path / "2.csv").write_bytes(b"n,w\n1,a\n")

    with pytest.raises(DataError, match=r"2\.csv: its columns or its format are not those of 1"):
        sources.read("*.csv", Reading(), folder=tmp_path)


def test_a_query_reads_files_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(CSV)

    found = sources.of_query("select i, w from 'rows.csv' where i < 3", tmp_path)

    assert found.frame.to_dict("list") == {"i": [1, 2], "w": ["a", "b"]}


def test_a_query_that_duckdb_refuses_says_why(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"`data\.query`: .*nowhere"):
        sources.of_query("select * from nowhere", tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"x,y\n1\n", r"a\.csv: the record of line 2 has 1 cells"),
        ("a.csv", b"1,2\n3,4\n", "where the file has no header"),
        ("a.csv", b"x\n\xe4\n", r"line 2 is not UTF-8: .*data\.read\.encoding"),
        ("a.csv.gz", b"no gzip", "damaged or truncated"),
        ("a.csv.zst", b"no zstd", "damaged or truncated"),
        ("a.jsonl", b"{}\n[1]\n", "line 2 is not a JSON object"),
        ("a.jsonl", b"{\n", "line 1 is not JSON"),
        ("a.parquet", b"PAR1", "not Parquet that DuckDB reads"),
        ("a.docx", b"x", "the file name must end with one of"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(DataError, match=message):
        sources.read(name, Reading(), folder=tmp_path)


@pytest.mark.parametrize("place", ["*.csv", "none.csv"])
def test_a_place_without_files_is_named(tmp_path: Path, place: str) -> None:
    with pytest.raises(DataError, match=r"no file of rows at|cannot read"):
        sources.read(place, Reading(), folder=tmp_path)
