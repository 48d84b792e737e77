"""A job begun: its input found, named and looked into."""

from math import ceil
from typing import Final

from functions.batch.formats import sniffing
from functions.batch.formats.layout import Layout
from functions.batch.jobs.context import Workshop
from functions.batch.jobs.cutting import Groups, Texts
from functions.batch.jobs.job import MOST_PARTS, WORK, Input, Job, Outline, identify
from functions.batch.jobs.options import Options, Settled
from functions.batch.jobs.sources import Source, source
from sklambda.errors import InputRefused
from sklambda.storage import Storage, Stored

type Intake = Texts | Groups

_EXPLAINED: Final = 16
"""A row that is explained takes so much longer, at least, that its parts are that much shorter."""


def outline(
    workshop: Workshop,
    address: str,
    options: Options,
    scored: str = "scored/",
    rejects: str = "rejects/",
) -> Outline:
    """Find an input and name the job; nothing of it is read.

    Raises
    ------
    InputRefused
        There is no such input.
    """
    storage, key = workshop.open(address)
    stored = storage.find(key)
    if stored is None:
        raise InputRefused("input_absent", "there is nothing at the address of the input")
    model = workshop.predictor.package.manifest.id
    return Outline(
        id=identify(stored, address, model, options.model_dump_json(), scored),
        input=Input(
            address=address,
            key=key,
            bytes=stored.size,
            etag=stored.etag,
            version=stored.version,
            modified=stored.modified,
        ),
        model=model,
        options=options,
        scored=scored,
        rejects=rejects,
        started=workshop.moment(),
    )


def opened(workshop: Workshop, begun: Outline) -> Job:
    """Look into the input of a job, and keep what was found for whoever works on it.

    Raises
    ------
    InputRefused
        The input is no table of the model's features.
    ObjectReplaced
        It is no longer what it was when it was found.
    """
    if (kept := resumed(workshop, begun.id)) is not None:
        return kept
    asked = begun.options.settled(begun.input.key)
    shorter = _EXPLAINED if asked.explain else 1
    job = Job(
        **dict(begun),
        asked=asked,
        layout=_layout(workshop, begun, asked),
        part_bytes=max(asked.part_bytes // shorter, ceil(begun.input.bytes / (MOST_PARTS - 1))),
    )
    content = job.model_dump_json().encode()
    if workshop.storage.create(_key(job.id), content):
        return job
    return resumed(workshop, begun.id) or job


def resumed(workshop: Workshop, job_id: str) -> Job | None:
    """Give a job that was opened before and is not over; None if there is none."""
    stored = workshop.storage.find(_key(job_id))
    if stored is None:
        return None
    return Job.model_validate_json(workshop.storage.read(stored))


def _key(job_id: str) -> str:
    return f"{WORK}{job_id}/job.json"


def _layout(workshop: Workshop, begun: Outline, asked: Settled) -> Layout:
    signature = workshop.predictor.package.signature
    if asked.input_format == "parquet":
        storage, stored = _stored(workshop, begun.input)
        return Groups.layout(storage, stored, signature, workshop.folder)
    head, _ = _source(workshop, begun.input, asked).read(0, sniffing.HEAD)
    return sniffing.found(head, asked.input_format, asked.delimiter, signature)


def intake(workshop: Workshop, job: Job) -> Intake:
    """Open the input of a job, to be cut into parts."""
    if job.layout.format == "parquet":
        storage, stored = _stored(workshop, job.input)
        return Groups(storage, stored, job.part_bytes, workshop.folder)
    return Texts(_source(workshop, job.input, job.asked), job.layout, job.part_bytes)


def _source(workshop: Workshop, given: Input, asked: Settled) -> Source:
    storage, stored = _stored(workshop, given)
    return source(storage, stored, asked.input_compression)


def _stored(workshop: Workshop, given: Input) -> tuple[Storage, Stored]:
    """Give the input as the job found it: if it is another by now, it cannot be read."""
    storage, key = workshop.open(given.address)
    return storage, Stored(key, given.bytes, given.etag, given.version, given.modified)
