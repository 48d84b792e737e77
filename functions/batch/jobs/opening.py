"""Opens jobs: finds the input, computes the job's id, and sniffs the layout."""

from dataclasses import replace
from math import ceil
from typing import Final

from functions.batch.formats.layout import Layout, sniff
from functions.batch.jobs.context import Context
from functions.batch.jobs.cutting import Cutter, ParquetCutter, TextCutter
from functions.batch.jobs.job import MAX_PARTS, WORK, Input, Job, Outline, job_id
from functions.batch.jobs.options import Options, ResolvedOptions
from functions.batch.jobs.sources import Source, open_source
from sklambda.errors import InputRefused
from sklambda.reading import sniffing
from sklambda.storage import Storage, Stored

_EXPLANATION_FACTOR: Final = 16
"""An explained row takes at least so many times as long, so parts are that much shorter."""


def outline_job(
    context: Context,
    address: str,
    options: Options,
    scored: str = "scored/",
    rejects: str = "rejects/",
) -> Outline:
    """Find an input and return the outline of its job, without reading the input.

    Raises
    ------
    InputRefused
        The input does not exist.
    """
    storage, key = context.open_input(address)
    stored = storage.find(key)
    if stored is None:
        raise InputRefused("input_absent", "there is no object at the address of the input")
    model = context.predictor.package.manifest.id
    return Outline(
        id=job_id(stored, address, model, options.model_dump_json(), scored),
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
        started=context.timestamp(),
    )


def open_job(context: Context, outline: Outline) -> Job:
    """Read the layout of a job's input, and store the job for all its workers.

    Raises
    ------
    InputRefused
        The input is not a table of the model's features.
    ObjectReplaced
        The input was replaced.
    """
    if (stored := find_job(context, outline.id)) is not None:
        return stored
    resolved = outline.options.resolve(outline.input.key)
    factor = _EXPLANATION_FACTOR if resolved.explain else 1
    job = Job(
        **dict(outline),
        resolved=resolved,
        layout=_layout(context, outline, resolved),
        part_bytes=max(resolved.part_bytes // factor, ceil(outline.input.bytes / (MAX_PARTS - 1))),
    )
    content = job.model_dump_json(by_alias=True).encode()
    if context.storage.create(_key(job.id), content):
        return job
    return find_job(context, outline.id) or job


def find_job(context: Context, job_id: str) -> Job | None:
    """Return a job that was opened and is not over, or None."""
    stored = context.storage.find(_key(job_id))
    if stored is None:
        return None
    return Job.model_validate_json(context.storage.read(stored))


def open_cutter(context: Context, job: Job) -> Cutter:
    """Open the input of a job, to be cut into parts."""
    if job.layout.format == "parquet":
        storage, stored = _find_input(context, job.input)
        return ParquetCutter(storage, stored, job.part_bytes, context.folder)
    source = _source(context, job.input, job.resolved, job.layout.encoding)
    return TextCutter(source, job.layout, job.part_bytes)


def _key(job_id: str) -> str:
    return f"{WORK}{job_id}/job.json"


def _layout(context: Context, outline: Outline, resolved: ResolvedOptions) -> Layout:
    signature = context.predictor.package.signature
    if resolved.input_format == "parquet":
        storage, stored = _find_input(context, outline.input)
        return ParquetCutter.layout(storage, stored, signature, context.folder)
    head, _ = _source(context, outline.input, resolved).read(0, sniffing.HEAD)
    encoding = "utf-8"
    if resolved.input_format == "csv":
        encoding = sniffing.encoding_of(head, signature.reading)
    if encoding != "utf-8":
        head, _ = _source(context, outline.input, resolved, encoding).read(0, sniffing.HEAD)
    layout = sniff(head, resolved.input_format, resolved.delimiter, signature)
    return replace(layout, encoding=encoding)


def _source(
    context: Context, input_: Input, resolved: ResolvedOptions, encoding: str = "utf-8"
) -> Source:
    storage, stored = _find_input(context, input_)
    return open_source(storage, stored, resolved.input_compression, encoding)


def _find_input(context: Context, input_: Input) -> tuple[Storage, Stored]:
    """Return the input as the job found it; reading it fails if it was replaced."""
    storage, key = context.open_input(input_.address)
    return storage, Stored(key, input_.bytes, input_.etag, input_.version, input_.modified)
