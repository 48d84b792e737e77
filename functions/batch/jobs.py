"""A job: one input scored by one model as was asked, however often it is begun."""

from datetime import datetime
from hashlib import sha256
from typing import Final

from functions.batch.layout import Layout
from functions.batch.options import Options, Settled, stem
from functions.batch.parts import Frozen
from sklambda.storage import Stored

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
