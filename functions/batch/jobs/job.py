"""A job: one input scored by one model with one set of options, and the parts of it.

Everything here is stored as JSON, so that any process can continue a job.
"""

from datetime import datetime
from hashlib import sha256
from typing import Final, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from functions.batch.formats.layout import Layout
from functions.batch.jobs.options import Options, ResolvedOptions
from functions.batch.scoring.trials import Trial
from sklambda.reading.suffixes import stem
from sklambda.storage import Extent, Stored

INBOX: Final = "inbox/"
JOBS: Final = "jobs/"
WORK: Final = "work/"
MAX_PARTS: Final = 10_000
"""S3's limit of parts in one upload; a name of `_PART_DIGITS` digits can count as many."""

_PART_DIGITS: Final = 5
_ID_DIGITS: Final = 16
_ID_DIGITS_IN_NAMES: Final = 8


class FrozenModel(BaseModel):
    """Base of JSON documents: no unknown members, immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Input(FrozenModel):
    """The input, as it was when the job started.

    Attributes
    ----------
    address : str
        Its address, as the caller wrote it.
    key : str
        Its key in its storage.
    bytes : int
        Its length.
    etag : str
        Identifies its content; another content is not read.
    version : str or None
        Its version in a versioned bucket.
    modified : datetime
        When it was written.
    """

    address: str
    key: str
    bytes: int
    etag: str
    version: str | None
    modified: datetime


class Outline(FrozenModel):
    """A job before its input is opened.

    Attributes
    ----------
    id : str
        The same for the same input, model and options.
    input : Input
        The input.
    model : str
        Id of the model package.
    options : Options
        The options of the request.
    scored, rejects : str
        The folders of the scored file and of the rejects.
    started : str
        When the job was started, ISO 8601.
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
        """Key of the receipt; once it exists, the job is over."""
        return f"{JOBS}{self.id}.json"

    @property
    def work(self) -> str:
        """Folder of the objects that are removed once the job is over."""
        return f"{WORK}{self.id}/"

    @property
    def rejects_key(self) -> str:
        """Key of the rejects."""
        return f"{self.rejects}{self._name}.jsonl"

    @property
    def _name(self) -> str:
        name = stem(self.input.key).removeprefix(INBOX)
        halves = self.id[:_ID_DIGITS], self.id[_ID_DIGITS:]
        return "-".join((name, *(half[:_ID_DIGITS_IN_NAMES] for half in halves)))


class Job(Outline):
    """A job whose input was opened.

    Attributes
    ----------
    resolved : ResolvedOptions
        The options, complete; ``asked`` in JSON.
    layout : Layout
        How the input is laid out.
    part_bytes : int
        Length of a part.
    """

    resolved: ResolvedOptions = Field(
        validation_alias=AliasChoices("resolved", "asked"), serialization_alias="asked"
    )
    layout: Layout
    part_bytes: int

    @property
    def scored_key(self) -> str:
        """Key of the scored file."""
        return f"{self.scored}{self._name}{self.resolved.suffix}"


class Part(FrozenModel):
    """A part of a job: consecutive records of its input.

    Attributes
    ----------
    index : int
        Its place among the parts, from 0.
    start, stop : int
        Its range: bytes of the decompressed input, or rows of Parquet.
    first : int
        Number of its first record in the whole input, from 1.
    records : int
        Number of records.
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


class ObjectRange(FrozenModel):
    """A range of an object, which becomes a piece of a published file.

    Attributes
    ----------
    key, size, etag, version
        The object, as it was written.
    start, stop : int
        The range, in bytes.
    sha256 : str
        Digest of the range, in hexadecimal.
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
        """The range, for `Storage.join`."""
        stored = Stored(self.key, self.size, self.etag, self.version)
        return Extent(stored, self.start, self.stop)


class PartResult(FrozenModel):
    """The result of a part, and the proof that it is done.

    Attributes
    ----------
    part : Part
        The part.
    rejected : int
        Number of rejected records; the others were scored.
    scored : ObjectRange
        The scored records.
    rejects : ObjectRange or None
        The rejects.
    seconds : float
        How long it took.
    warnings : dict or None
        Number of scored records by feature and by the code of a warning; None in a result of a
        version that did not count them.
    trials : tuple of Trial
        Of values that training did not have.
    """

    part: Part
    rejected: int
    scored: ObjectRange
    rejects: ObjectRange | None
    seconds: float
    warnings: dict[str, dict[str, int]] | None = None
    trials: tuple[Trial, ...] = ()


def job_id(stored: Stored, address: str, *settings: str) -> str:
    """Return the id of a job.

    The same content under the same address, scored by the same model with the same options into
    the same folder, is the same job. The first half is the id of the input alone, so that a list
    of receipts shows which inputs were scored.
    """
    return input_id(stored, address) + _digest(*settings)


def input_id(stored: Stored, address: str) -> str:
    """Return the id of an input: a digest of its address and content."""
    return _digest(address, stored.etag)


def input_id_of(receipt: Stored) -> str:
    """Return the id of the input of a receipt, from the receipt's key."""
    return receipt.key.removeprefix(JOBS)[:_ID_DIGITS]


def _digest(*texts: str) -> str:
    return sha256("\n".join(texts).encode()).hexdigest()[:_ID_DIGITS]
