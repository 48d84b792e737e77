"""The format and the compression of a file, by its name."""

from typing import Final, Literal

from sklambda.errors import InputRefused

type Format = Literal["csv", "json_lines", "parquet"]
type Compression = Literal["none", "gzip", "zstd"]

FORMATS: Final[dict[str, Format]] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "json_lines",
    ".ndjson": "json_lines",
    ".jsonlines": "json_lines",
    ".parquet": "parquet",
    ".pq": "parquet",
}
COMPRESSIONS: Final[dict[str, Compression]] = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd"}


def format_of(key: str) -> Format:
    """Return the format that a name tells; raises `InputRefused` where it tells none."""
    for suffix in _suffixes(key):
        if suffix in FORMATS:
            return FORMATS[suffix]
    suffixes = ", ".join(FORMATS)
    raise InputRefused(
        "format_unknown", f"the file name must end with one of {suffixes}, or .gz or .zst after it"
    )


def compression_of(key: str) -> Compression:
    """Return the compression that a name tells."""
    return COMPRESSIONS.get(_suffixes(key)[0], "none")


def stem(key: str) -> str:
    """Return a name without the suffixes of its format and compression."""
    folder, slash, name = key.rpartition("/")
    while "." in name[1:]:
        shorter, _, last = name.rpartition(".")
        if f".{last.lower()}" not in FORMATS | COMPRESSIONS:
            break
        name = shorter
    return f"{folder}{slash}{name}"


def _suffixes(key: str) -> list[str]:
    """Return the last two suffixes of a name, the last one first."""
    parts = key.rpartition("/")[2].lower().split(".")[1:]
    return [f".{part}" for part in reversed(parts[-2:])] or [""]
