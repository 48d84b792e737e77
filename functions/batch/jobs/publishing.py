"""Publishes a job: one scored file, one file of rejects, and then the receipt, which ends it."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final

from functions.batch.formats import parquet_join
from functions.batch.jobs import fit, progress
from functions.batch.jobs.context import Context
from functions.batch.jobs.job import Job, ObjectRange, Outline, PartResult
from sklambda import storage
from sklambda.errors import InputRefused
from sklambda.storage import Extent
from sklambda.storage.objects import length
from sklambda.storage.receipt import Digest, File, Model, Reason, Receipt, Rows, Source, Warned

_MEDIA_TYPES: Final[dict[str, str]] = {
    "csv": "text/csv; charset=utf-8",
    "json_lines": "application/jsonlines",
    "parquet": "application/vnd.apache.parquet",
}
_COMPRESSED_TYPES: Final[dict[str, str]] = {"gzip": "application/gzip", "zstd": "application/zstd"}


def find_receipt(context: Context, key: str) -> Receipt | None:
    """Return the receipt at a key; None if the job is not over."""
    stored = context.storage.find(key)
    if stored is None:
        return None
    return Receipt.model_validate_json(context.storage.read(stored))


def publish(
    context: Context, job: Job, results: Sequence[PartResult], distributed: bool = False
) -> Receipt:
    """Publish the results of all parts; return the receipt, also of a job that failed.

    Raises
    ------
    RuntimeError
        Parts are missing: the job is not at its end, or another process has just ended it.
    """
    if not progress.is_complete(results):
        raise RuntimeError(f"parts of the job {job.id} are missing")
    rows = _rows(results)
    rejects = _join_rejects(context, job, results, rows)
    package = context.predictor.package
    warnings = fit.add_up(results, rows.scored, package.signature, package.baseline)
    seconds = round(sum(result.seconds for result in results), 3)
    rates, parts = context.rates, len(results)
    members = {
        "rows": rows,
        "rejects": rejects,
        "warnings": warnings,
        "parts": parts,
        "seconds": seconds,
        "cost": rates and rates.cost(seconds, parts, distributed),
    }
    reason = _failure(context, job, results, rows, warnings or ())
    if reason is not None:
        return _finish(context, job, status="failed", reason=reason, **members)
    scored = _join_scored(context, job, results, rows)
    return _finish(context, job, status="scored", scored=scored, **members)


def _failure(
    context: Context,
    job: Job,
    results: Sequence[PartResult],
    rows: Rows,
    warnings: Sequence[Warned],
) -> Reason | None:
    """Return why the scored file of a job is not published; None if it is."""
    if rows.rejected > job.resolved.tolerance * rows.read:
        share = f"{rows.rejected} of {rows.read} rows were rejected"
        detail = f"{share}, more than the tolerance of {job.resolved.tolerance:.2%}"
        return Reason(code="too_many_rejects", detail=detail + fit.describe_results(results))
    unfit = fit.unfit(warnings, job.resolved, context.predictor.package.signature)
    if unfit:
        return Reason(code=fit.UNFIT, detail=fit.describe_unfit(unfit, rows.scored))
    return None


def fail(context: Context, outline: Outline, refused: InputRefused) -> Receipt:
    """End a job whose input cannot be scored; only the receipt is published."""
    reason = Reason(code=refused.code, detail=refused.detail)
    return _finish(context, outline, status="failed", reason=reason)


def remove_work(context: Context, outline: Outline) -> None:
    """Remove the objects that are not needed once a job is over."""
    context.storage.remove(stored.key for stored in context.storage.list(outline.work))


def _rows(results: Sequence[PartResult]) -> Rows:
    read = sum(result.part.records for result in results)
    rejected = sum(result.rejected for result in results)
    return Rows(read=read, scored=read - rejected, rejected=rejected)


def _join_rejects(
    context: Context, job: Job, results: Sequence[PartResult], rows: Rows
) -> File | None:
    ranges = [result.rejects for result in results if result.rejects is not None]
    if not ranges:
        return None
    extents = [each.extent for each in ranges]
    context.storage.join(job.rejects_key, extents, _MEDIA_TYPES["json_lines"])
    digests = [Digest(bytes=each.stop - each.start, sha256=each.sha256) for each in ranges]
    return _file(job.rejects_key, rows.rejected, digests)


def _join_scored(context: Context, job: Job, results: Sequence[PartResult], rows: Rows) -> File:
    ranges = [result.scored for result in results]
    pieces: list[storage.Piece] = [each.extent for each in ranges]
    if job.resolved.output_format == "parquet":
        files = [each.extent.stored for each in ranges]
        pieces = parquet_join.pieces(context.storage, files)
    context.storage.join(job.scored_key, pieces, _media_type(job))
    return _file(job.scored_key, rows.scored, _digests(pieces, ranges))


def _media_type(job: Job) -> str:
    plain = _MEDIA_TYPES[job.resolved.output_format]
    return _COMPRESSED_TYPES.get(job.resolved.output_compression, plain)


def _digests(pieces: Sequence[storage.Piece], ranges: Sequence[ObjectRange]) -> list[Digest]:
    """Return the digests of pieces; ranges of objects were digested when they were written."""
    by_key: Mapping[str, str] = {each.key: each.sha256 for each in ranges}
    return [
        Digest(
            bytes=length(piece),
            sha256=by_key[piece.stored.key]
            if isinstance(piece, Extent)
            else sha256(piece).hexdigest(),
        )
        for piece in pieces
    ]


def _file(key: str, rows: int, digests: Sequence[Digest]) -> File:
    size = sum(digest.bytes for digest in digests)
    return File(key=key, bytes=size, rows=rows, pieces=tuple(digests))


def _finish(context: Context, outline: Outline, **members: object) -> Receipt:
    """Write the receipt, unless another process has, and remove the work in progress."""
    manifest = context.predictor.package.manifest
    receipt = Receipt.model_validate(
        {
            "job": outline.id,
            "input": Source(
                address=outline.input.address,
                bytes=outline.input.bytes,
                etag=outline.input.etag,
                version=outline.input.version,
            ),
            "model": Model(name=manifest.name, id=outline.model),
            "options": outline.options.model_dump(mode="json"),
            "started": outline.started,
            "finished": context.timestamp(),
            **members,
        }
    )
    content = (receipt.model_dump_json(indent=2) + "\n").encode()
    if not context.storage.create(outline.receipt, content, "application/json"):
        receipt = find_receipt(context, outline.receipt) or receipt
    remove_work(context, outline)
    return receipt
