"""A job: one input scored by one model as was asked, however often it is begun."""

from datetime import datetime
from hashlib import sha256
from typing import Final, Self

from pydantic import BaseModel, ConfigDict

from functions.batch.formats.layout import Layout
from functions.batch.jobs.options import Options, Settled, stem
from sklambda.storage import Extent, Stored

_PART_DIGITS: Final = 5
MOST_PARTS: Final = 10_000
"""As many as S3 joins in one upload, and as one name of `_PART_DIGITS` digits tells apart."""


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
        return f"{self.index:0{_PART_DIGITS}}"


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


INBOX: Final = "inbox/"
JOBS: Final = "jobs/"
WORK: Final = "work/"
_DIGITS: Final = 16
_DIGITS_IN_NAMES: Final = 8


class Input(Frozen):
    """What is scored, as it was when the job began.

    Attributes
    ----------
    address : str
        What the caller calls it.
    key : str
        Where it is in its storage.
    bytes : int
        Its length.
    etag : str
        Names its content; it is read only as long as it is this.
    version : str or None
        Names it among those that the bucket keeps under the same key.
    modified : datetime
        When it was written.
    """

    address: str
    key: str
    bytes: int
    etag: str
    version: str | None
    modified: datetime


class Outline(Frozen):
    """What is known of a job before its input is opened.

    Attributes
    ----------
    id : str
        The same for the same input, model and options.
    input : Input
        What is scored.
    model : str
        The id of the package that scores it.
    options : Options
        What is asked.
    scored, rejects : str
        The folders for the scored rows and for what was refused.
    started : str
        When it was first begun, ISO 8601.
    """

    id: str
    input: Input
    model: str
    options: Options
    scored: str
    rejects: str
    started: str

    @property
    def receipt(self) -> str:
        """The key of the receipt: once it is there, the job is over."""
        return f"{JOBS}{self.id}.json"

    @property
    def work(self) -> str:
        """The folder of what is needed only until the job is over."""
        return f"{WORK}{self.id}/"

    @property
    def rejects_key(self) -> str:
        """The key of what was refused."""
        return f"{self.rejects}{self._name}.jsonl"

    @property
    def _name(self) -> str:
        name = stem(self.input.key).removeprefix(INBOX)
        halves = self.id[:_DIGITS], self.id[_DIGITS:]
        return "-".join((name, *(half[:_DIGITS_IN_NAMES] for half in halves)))


class Job(Outline):
    """A job whose input was opened.

    Attributes
    ----------
    asked : Settled
        The options, with nothing left open.
    layout : Layout
        How the input is written.
    part_bytes : int
        How long the parts are.
    """

    asked: Settled
    layout: Layout
    part_bytes: int

    @property
    def scored_key(self) -> str:
        """The key of the scored file."""
        return f"{self.scored}{self._name}{self.asked.ending}"


def identify(stored: Stored, address: str, *asked: str) -> str:
    """Name a job.

    The same content under the same address, scored by the same model with the same options into
    the same folder, is the same job. The first half of the name is that of the input alone, so
    that a list of jobs tells which inputs were scored.
    """
    return input_id(stored, address) + _digest(*asked)


def input_id(stored: Stored, address: str) -> str:
    """Name an input: an address and the content that was there."""
    return _digest(address, stored.etag)


def input_id_of(receipt: Stored) -> str:
    """Tell from a receipt's key which input it is about."""
    return receipt.key.removeprefix(JOBS)[:_DIGITS]


def _digest(*texts: str) -> str:
    return sha256("\n".join(texts).encode()).hexdigest()[:_DIGITS]
