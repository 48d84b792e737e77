"""The options of a job, and how they are resolved from the name of its input."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from functions.batch.formats.layout import OutputOptions
from sklambda.errors import InputRefused
from sklambda.reading.suffixes import Compression, Format, compression_of, format_of

_SUFFIXES: Final[dict[Format, str]] = {
    "csv": ".csv",
    "json_lines": ".jsonl",
    "parquet": ".parquet",
}
_COMPRESSION_SUFFIXES: Final[dict[Compression, str]] = {"none": "", "gzip": ".gz", "zstd": ".zst"}

_MIN_PART_BYTES: Final = 1024
_MAX_PART_BYTES: Final = 32 * 2**20
_EXPECTED: Final = {
    "input_format": "csv, json_lines or parquet",
    "input_compression": "none, gzip or zstd",
    "delimiter": "one character, not a quote or a line end",
    "output_format": "csv, json_lines or parquet",
    "output_compression": "none, gzip or zstd",
    "keep": "all, none or the names of columns",
    "explain": "true or false",
    "show_values": "true or false",
    "tolerance": "between 0 and 1",
    "max_unseen": "between 0 and 1",
    "max_out_of_range": "between 0 and 1",
    "max_missing": "between 0 and 1",
    "part_bytes": f"a whole number between {_MIN_PART_BYTES} and {_MAX_PART_BYTES}",
}


_Share = Annotated[float, Field(ge=0, le=1)]


class Options(BaseModel):
    """The options of a job.

    Attributes
    ----------
    input_format, input_compression : optional
        How the input is written; by default its name decides.
    delimiter : str, optional
        Separates the cells of CSV; by default it is sniffed from the header.
    output_format, output_compression : optional
        How the scored file is written; by default as the input.
    keep : "all", "none" or tuple of str
        Input columns that the scored file repeats; the row id always.
    explain : bool
        Whether the scores are explained.
    show_values : bool
        Whether rejects hold the refused values.
    tolerance : float
        Share of rejected rows above which the job fails.
    max_unseen, max_out_of_range, max_missing : float
        Shares of the scored rows with an unseen category, a number out of range or a missing value
        in one feature above which the job fails; 1 for never.
    part_bytes : int
        Bytes of the input, decompressed, that are scored at a time.
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
    tolerance: _Share = 0.05
    max_unseen: _Share = 0.2
    max_out_of_range: _Share = 0.5
    max_missing: _Share = 0.5
    part_bytes: Annotated[int, Field(ge=_MIN_PART_BYTES, le=_MAX_PART_BYTES)] = 16 * 2**20

    def resolve(self, key: str) -> "ResolvedOptions":
        """Return complete options: what is not stated follows from the name of the input.

        Raises
        ------
        InputRefused
            The name has no known suffix, or the options contradict each other.
        """
        compression = self.input_compression or compression_of(key)
        format_ = self.input_format or format_of(key)
        if format_ == "parquet" and compression != "none":
            raise InputRefused(
                "parquet_compressed",
                "a Parquet file must be compressed inside, not as a whole",
            )
        output = self.output_format or format_
        fallback = "zstd" if output == "parquet" else compression
        return ResolvedOptions(
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


class ResolvedOptions(Options):
    """The options of a job, complete."""

    input_format: Format
    input_compression: Compression
    output_format: Format
    output_compression: Compression

    @property
    def output(self) -> OutputOptions:
        """What the scored file holds."""
        return OutputOptions(
            self.output_format,
            self.output_compression,
            self.keep,
            self.explain,
            self.show_values,
        )

    @property
    def suffix(self) -> str:
        """Suffix of the scored file's name."""
        if self.output_format == "parquet":
            return _SUFFIXES["parquet"]
        return _SUFFIXES[self.output_format] + _COMPRESSION_SUFFIXES[self.output_compression]


def describe_invalid(error: ValidationError, names: Mapping[str, str]) -> str:
    """Return a sentence for each invalid option: its name, what is expected, what was got.

    Parameters
    ----------
    error : ValidationError
        Of `Options`.
    names : mapping of str
        From options to the names under which the caller stated them.
    """
    invalid = {str(fault["loc"][0]): fault["input"] for fault in error.errors()}
    sentences = [
        f"{names[option]} must be {_EXPECTED[option]}, got {value}"
        for option, value in invalid.items()
    ]
    return "; ".join(sorted(sentences))
