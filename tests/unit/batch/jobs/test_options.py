"""What is asked of a job, and what its input's name tells."""

import pytest

from functions.batch.jobs.options import Options, stem
from sklambda.errors import InputRefused


@pytest.mark.parametrize(
    ("key", "format_", "compression", "ending"),
    [
        ("inbox/a.csv", "csv", "none", ".csv"),
        ("a.TSV", "csv", "none", ".csv"),
        ("a.csv.gz", "csv", "gzip", ".csv.gz"),
        ("a.b.jsonl.zst", "json_lines", "zstd", ".jsonl.zst"),
        ("a.ndjson", "json_lines", "none", ".jsonl"),
        ("inbox/x.y/a.parquet", "parquet", "none", ".parquet"),
    ],
)
def test_the_name_tells_the_format(key: str, format_: str, compression: str, ending: str) -> None:
    settled = Options().settled(key)

    assert (settled.input_format, settled.input_compression) == (format_, compression)
    assert (settled.output_format, settled.ending) == (format_, ending)


def test_what_is_stated_comes_before_the_name() -> None:
    settled = Options(input_format="csv", output_format="parquet").settled("inbox/customers")

    assert (settled.input_format, settled.ending) == ("csv", ".parquet")


@pytest.mark.parametrize("key", ["customers", "inbox/a.xlsx", "a.gz", ".csv/x", ""])
def test_a_name_that_tells_nothing_is_refused(key: str) -> None:
    with pytest.raises(InputRefused) as refused:
        Options().settled(key)

    assert refused.value.code == "format_unknown"


def test_parquet_is_not_compressed_as_a_file() -> None:
    with pytest.raises(InputRefused, match="compressed inside"):
        Options().settled("a.parquet.gz")


@pytest.mark.parametrize(
    ("key", "left"),
    [("inbox/a.csv", "inbox/a"), ("a.v2.csv.gz", "a.v2"), (".csv", ".csv"), ("x.y/a", "x.y/a")],
)
def test_the_stem_lacks_what_tells_the_format(key: str, left: str) -> None:
    assert stem(key) == left
