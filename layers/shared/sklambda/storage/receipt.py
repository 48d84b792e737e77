"""The receipt of a batch job: its input, its files and what became of each row.

A file is described by its pieces in order, each with its length and SHA-256.
"""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

FORMAT: Final = 1


class Entry(BaseModel):
    """Base of the parts of a receipt: immutable, without further members."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(Entry):
    """The input of a job.

    Attributes
    ----------
    address : str
        The address that the caller gave.
    bytes : int
        Its length.
    etag : str
        The ETag of S3, or the SHA-256 of a local file.
    version : str or None
        The version of the object, in a bucket with versions.
    """

    address: str
    bytes: int
    etag: str
    version: str | None


class Model(Entry):
    """The model package that scored the rows."""

    name: str
    id: str


class Rows(Entry):
    """The numbers of rows; each row that was read was scored or rejected."""

    read: int
    scored: int
    rejected: int


class Digest(Entry):
    """The length in bytes and the SHA-256, in hexadecimal, of a piece of a file."""

    bytes: int
    sha256: str


class File(Entry):
    """A published file.

    Attributes
    ----------
    key : str
        The key of its object.
    bytes : int
        Its length.
    rows : int
        The number of rows in it; of rejects, the number of rejected rows.
    pieces : tuple of Digest
        Its pieces in order.
    """

    key: str
    bytes: int
    rows: int
    pieces: tuple[Digest, ...]


class Reason(Entry):
    """The reason of a failure: a code for programs, a sentence for people."""

    code: str
    detail: str


class Cost(Entry):
    """The estimated cost of a job in US dollars; ``docs/batch.md`` has the arithmetic."""

    compute: float
    requests: float
    orchestration: float
    total: float


class Match(Entry):
    """A change after which most values of a feature would be as in training.

    Attributes
    ----------
    change : str
        The change, as ``leading_blanks`` or ``divided_by_1000``.
    rows : int
        The number of rows whose value would fit.
    """

    change: str
    rows: int


class Warned(Entry):
    """The scored rows with one warning.

    Attributes
    ----------
    feature : str
        The feature.
    code : str
        The warning: ``missing``, ``unseen_category``, ``out_of_range`` or ``coerced``.
    rows : int
        The number of scored rows with it.
    share : float
        Their share of the scored rows.
    expected : float or None
        The share that the training data lead to expect; None where it is unknown.
    match : Match or None
        What would help.
    """

    feature: str
    code: str
    rows: int
    share: float
    expected: float | None = None
    match: Match | None = None


class Receipt(Entry):
    """The receipt of a job.

    Attributes
    ----------
    format : int
        The number of this format.
    job : str
        Its id.
    status : {"scored", "failed"}
        The outcome.
    reason : Reason or None
        The reason of a failure.
    input : Source
        The input.
    model : Model
        The package that scored it.
    options : dict
        The options of the request.
    rows : Rows or None
        The numbers of rows; None where the input could not be read to its end.
    scored, rejects : File or None
        The published files.
    warnings : tuple of Warned or None
        The warnings by feature and code, in the order of the features; None where they were not
        counted.
    parts : int
        The number of parts.
    started, finished : str
        ISO 8601, UTC.
    seconds : float
        The time of all parts, added up.
    cost : Cost or None
        The cost in AWS; None on a laptop.
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
    warnings: tuple[Warned, ...] | None = None
    parts: int = 0
    started: str
    finished: str
    seconds: float = 0.0
    cost: Cost | None = None
