"""What may be asked of a job, beside which file it is about."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from functions.batch.formats.layout import Answering, Compression, Format
from sklambda.errors import InputRefused

_SUFFIXES: Final[dict[str, Format]] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "json_lines",
    ".ndjson": "json_lines",
    ".jsonlines": "json_lines",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_COMPRESSED: Final[dict[str, Compression]] = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd"}
_ENDINGS: Final[dict[Format, str]] = {
    "csv": ".csv",
    "json_lines": ".jsonl",
    "parquet": ".parquet",
}
_ENDINGS_COMPRESSED: Final[dict[Compression, str]] = {"none": "", "gzip": ".gz", "zstd": ".zst"}


class Options(BaseModel):
    """What may be asked of a job.

    Attributes
    ----------
    input_format, input_compression : optional
        How the input is written; else its name tells.
    delimiter : str, optional
        What stands between the cells of CSV; else the header tells.
    output_format, output_compression : optional
        How the scored file is written; else as the input.
    keep : "all", "none" or tuple of str
        Which columns of the input the scored file repeats; the row's id always.
    explain : bool
        Whether the scores are explained.
    show_values : bool
        Whether rejects show the values that were refused.
    tolerance : float
        The share of the rows that may be rejected before the job fails.
    part_bytes : int
        How many bytes of the input, decompressed, are scored at a time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    input_format: Format | None = None
    input_compression: Compression | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1, pattern=r"[^\r\n\"]")] | None = None
    output_format: Format | None = None
    output_compression: Compression | None = None
    keep: Literal["all", "none"] | tuple[str, ...] = "all"
    explain: bool = False
    show_values: bool = False
    tolerance: Annotated[float, Field(ge=0, le=1)] = 0.05
    part_bytes: Annotated[int, Field(ge=1024, le=32 * 2**20)] = 16 * 2**20

    def settled(self, key: str) -> "Settled":
        """Settle what was left to the name of the input.

        Raises
        ------
        InputRefused
            The name tells no format, or what is asked does not go together.
        """
        compression = self.input_compression or _compression(key)
        format_ = self.input_format or _format(key)
        if format_ == "parquet" and compression != "none":
            raise InputRefused("parquet_compressed", "Parquet is compressed inside, not as a file")
        output = self.output_format or format_
        fallback = "zstd" if output == "parquet" else compression
        return Settled(
            **self.model_dump(
                exclude={
                    "input_format",
                    "input_compression",
                    "output_format",
                    "output_compression",
                }
            ),
            input_format=format_,
            input_compression=compression,
            output_format=output,
            output_compression=self.output_compression or fallback,
        )


class Settled(Options):
    """What is asked of a job, with nothing left open."""

    input_format: Format
    input_compression: Compression
    output_format: Format
    output_compression: Compression

    @property
    def answering(self) -> Answering:
        """What the scored file is to hold."""
        return Answering(
            self.output_format,
            self.output_compression,
            self.keep,
            self.explain,
            self.show_values,
        )

    @property
    def ending(self) -> str:
        """What the scored file's name ends with."""
        if self.output_format == "parquet":
            return _ENDINGS["parquet"]
        return _ENDINGS[self.output_format] + _ENDINGS_COMPRESSED[self.output_compression]


def _format(key: str) -> Format:
    for suffix in _suffixes(key):
        if suffix in _SUFFIXES:
            return _SUFFIXES[suffix]
    known = ", ".join(_SUFFIXES)
    raise InputRefused("format_unknown", f"the name must end with one of {known}, or .gz or .zst")


def _compression(key: str) -> Compression:
    return _COMPRESSED.get(_suffixes(key)[0], "none")


def _suffixes(key: str) -> list[str]:
    """Give the last two suffixes of a name, the last one first."""
    parts = key.rpartition("/")[2].lower().split(".")[1:]
    return [f".{part}" for part in reversed(parts[-2:])] or [""]


def stem(key: str) -> str:
    """Give a name without what tells its format."""
    folder, slash, name = key.rpartition("/")
    while "." in name[1:]:
        shorter, _, last = name.rpartition(".")
        if f".{last.lower()}" not in _SUFFIXES | _COMPRESSED:
            break
        name = shorter
    return f"{folder}{slash}{name}"
