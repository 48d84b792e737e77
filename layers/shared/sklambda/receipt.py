"""What a batch job leaves behind: which rows went where, so that anybody can check it.

Each file is described as its pieces in order; each piece has its length and SHA-256.
"""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

FORMAT: Final = 1


class Entry(BaseModel):
    """A part of the receipt: closed and unchangeable."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(Entry):
    """The input, as it was.

    Attributes
    ----------
    address : str
        What the caller called it.
    bytes : int
        Its length.
    etag : str
        Names its content: S3's, or the SHA-256 of a local file.
    version : str or None
        The version that the bucket keeps it as.
    """

    address: str
    bytes: int
    etag: str
    version: str | None


class Model(Entry):
    """The model package that scored."""

    name: str
    id: str


class Rows(Entry):
    """How many rows were read; each was scored or rejected."""

    read: int
    scored: int
    rejected: int


class Digest(Entry):
    """A piece of a file: its length in bytes and its SHA-256 in hexadecimal."""

    bytes: int
    sha256: str


class File(Entry):
    """A file that was published.

    Attributes
    ----------
    key : str
        Where it is.
    bytes : int
        Its length.
    rows : int
        How many rows it holds; of rejects, how many rows it is about.
    pieces : tuple of Digest
        What it consists of, in order.
    """

    key: str
    bytes: int
    rows: int
    pieces: tuple[Digest, ...]


class Reason(Entry):
    """Why a job failed: a code for programs, a sentence for people."""

    code: str
    detail: str


class Cost(Entry):
    """What a job cost, estimated in US dollars; docs/batch.md has the arithmetic."""

    compute: float
    requests: float
    orchestration: float
    total: float


class Receipt(Entry):
    """What became of a job.

    Attributes
    ----------
    format : int
        The number of this format.
    job : str
        Its id.
    status : {"scored", "failed"}
        How it ended.
    reason : Reason or None
        Why it failed.
    input : Source
        What was scored.
    model : Model
        By what.
    options : dict
        As they were asked.
    rows : Rows or None
        None where the input could not be read to its end.
    scored, rejects : File or None
        What was published.
    parts : int
        In how many parts.
    started, finished : str
        ISO 8601, UTC.
    seconds : float
        How long its parts took, summed up.
    cost : Cost or None
        None on a laptop.
    """

    format: int = FORMAT
    job: str
    status: Literal["scored", "failed"]
    reason: Reason | None = None
    input: Source
    model: Model
    options: dict[str, Any]
    rows: Rows | None = None
    scored: File | None = None
    rejects: File | None = None
    parts: int = 0
    started: str
    finished: str
    seconds: float = 0.0
    cost: Cost | None = None
