"""A part of a job: which records it holds, and the proof that it is done."""

from typing import Final, Self

from pydantic import BaseModel, ConfigDict

from sklambda.storage import Extent, Stored

_DIGITS: Final = 5
MOST_PARTS: Final = 10_000
"""As many as S3 joins in one upload, and as one name of `_DIGITS` digits tells apart."""


class Frozen(BaseModel):
    """Base of what is kept as JSON: closed and unchangeable."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Part(Frozen):
    """Some of the records of an input.

    Attributes
    ----------
    index : int
        Its place among the parts, from 0.
    start, stop : int
        Where it begins and ends: bytes of the decompressed input, or rows of Parquet.
    first : int
        The number of its first record in the whole input, from 1.
    records : int
        How many records it holds.
    last : bool
        Whether the input ends with it.
    """

    index: int
    start: int
    stop: int
    first: int
    records: int
    last: bool

    @property
    def name(self) -> str:
        """Its place, in digits that sort."""
        return f"{self.index:0{_DIGITS}}"


class Piece(Frozen):
    """A range of an object that becomes a piece of a published file.

    Attributes
    ----------
    key, size, etag, version
        The object, as it was written.
    start, stop : int
        The range, in bytes.
    sha256 : str
        Of the range, in hexadecimal.
    """

    key: str
    size: int
    etag: str
    version: str | None
    start: int
    stop: int
    sha256: str

    @classmethod
    def of(cls, stored: Stored, start: int, stop: int, sha256: str) -> Self:
        """Describe a range of an object."""
        return cls(
            key=stored.key,
            size=stored.size,
            etag=stored.etag,
            version=stored.version,
            start=start,
            stop=stop,
            sha256=sha256,
        )

    @property
    def extent(self) -> Extent:
        """The range, as a storage joins it."""
        stored = Stored(self.key, self.size, self.etag, self.version)
        return Extent(stored, self.start, self.stop)


class Done(Frozen):
    """What became of a part.

    Attributes
    ----------
    part : Part
        Which.
    rejected : int
        How many of its records were rejected; the others were scored.
    scored : Piece
        The scored records.
    rejects : Piece or None
        What was wrong with the others.
    seconds : float
        How long it took.
    """

    part: Part
    rejected: int
    scored: Piece
    rejects: Piece | None
    seconds: float
