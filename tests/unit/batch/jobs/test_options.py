"""Options of a job, resolved from the name of its input."""

import pytest

from functions.batch.jobs.options import Options
from sklambda.errors import InputRefused
from sklambda.reading.suffixes import stem


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
def test_the_suffix_names_the_format(key: str, format_: str, compression: str, ending: str) -> None:
    resolved = Options().resolve(key)

    assert (resolved.input_format, resolved.input_compression) == (format_, compression)
    assert (resolved.output_format, resolved.suffix) == (format_, ending)


def test_stated_options_come_before_the_suffix() -> None:
    resolved = Options(input_format="csv", output_format="parquet").resolve("inbox/customers")

    assert (resolved.input_format, resolved.suffix) == ("csv", ".parquet")


@pytest.mark.parametrize("key", ["customers", "inbox/a.xlsx", "a.gz", ".csv/x", ""])
def test_a_name_without_a_known_suffix_is_refused(key: str) -> None:
    with pytest.raises(InputRefused) as refused:
        Options().resolve(key)

    assert refused.value.code == "format_unknown"


def test_parquet_is_not_compressed_as_a_file() -> None:
    with pytest.raises(InputRefused, match="compressed inside, not as a whole"):
        Options().resolve("a.parquet.gz")


@pytest.mark.parametrize(
    ("key", "left"),
    [("inbox/a.csv", "inbox/a"), ("a.v2.csv.gz", "a.v2"), (".csv", ".csv"), ("x.y/a", "x.y/a")],
)
def test_the_stem_has_no_suffix_of_a_format(key: str, left: str) -> None:
    assert stem(key) == left
