"""The end of a job: one scored file, one of rejects, and the receipt that says so."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final

from functions.batch.formats import parquet_join
from functions.batch.jobs import progress
from functions.batch.jobs.context import Workshop
from functions.batch.jobs.job import Done, Job, Outline, Piece
from sklambda import storage
from sklambda.errors import InputRefused
from sklambda.receipt import Digest, File, Model, Reason, Receipt, Rows, Source
from sklambda.storage import Extent
from sklambda.storage.objects import length

_TYPES: Final[dict[str, str]] = {
    "csv": "text/csv; charset=utf-8",
    "json_lines": "application/jsonlines",
    "parquet": "application/vnd.apache.parquet",
}
_COMPRESSED_TYPES: Final[dict[str, str]] = {"gzip": "application/gzip", "zstd": "application/zstd"}


def settled(workshop: Workshop, begun: Outline) -> Receipt | None:
    """Give the receipt of a job that is over."""
    return receipt_at(workshop, begun.receipt)


def receipt_at(workshop: Workshop, key: str) -> Receipt | None:
    """Give the receipt at a key; None if there is none."""
    stored = workshop.storage.find(key)
    if stored is None:
        return None
    return Receipt.model_validate_json(workshop.storage.read(stored))


def published(
    workshop: Workshop, job: Job, finished: Sequence[Done], distributed: bool = False
) -> Receipt:
    """Publish what became of all parts of a job: the whole of it, or why it failed.

    Raises
    ------
    RuntimeError
        Parts are missing: the job is not at its end, or somebody else has just ended it.
    """
    if not progress.is_whole(finished):
        raise RuntimeError("parts of the job are missing")
    rows = _rows(finished)
    rejects = _published_rejects(workshop, job, finished, rows)
    seconds = round(sum(one.seconds for one in finished), 3)
    rates, parts = workshop.rates, len(finished)
    facts = {
        "rows": rows,
        "rejects": rejects,
        "parts": parts,
        "seconds": seconds,
        "cost": rates and rates.cost(seconds, parts, distributed),
    }
    if rows.rejected > job.asked.tolerance * rows.read:
        share = f"{rows.rejected} of {rows.read} rows were rejected"
        reason = Reason(
            code="too_many_rejects", detail=f"{share}; {job.asked.tolerance:.2%} may be"
        )
        return _ended(workshop, job, status="failed", reason=reason, **facts)
    scored = _published_scored(workshop, job, finished, rows)
    return _ended(workshop, job, status="scored", scored=scored, **facts)


def failed(workshop: Workshop, begun: Outline, refused: InputRefused) -> Receipt:
    """End a job whose input cannot be scored; nothing is published but the receipt."""
    return _ended(
        workshop, begun, status="failed", reason=Reason(code=refused.code, detail=refused.detail)
    )


def tidy(workshop: Workshop, begun: Outline) -> None:
    """Remove what is not needed once a job is over."""
    workshop.storage.remove(one.key for one in workshop.storage.list(begun.work))


def _rows(finished: Sequence[Done]) -> Rows:
    read = sum(one.part.records for one in finished)
    rejected = sum(one.rejected for one in finished)
    return Rows(read=read, scored=read - rejected, rejected=rejected)


def _published_rejects(
    workshop: Workshop, job: Job, finished: Sequence[Done], rows: Rows
) -> File | None:
    pieces = [one.rejects for one in finished if one.rejects is not None]
    if not pieces:
        return None
    extents = [piece.extent for piece in pieces]
    workshop.storage.join(job.rejects_key, extents, _TYPES["json_lines"])
    return _file(job.rejects_key, rows.rejected, [_digest(piece) for piece in pieces])


def _published_scored(workshop: Workshop, job: Job, finished: Sequence[Done], rows: Rows) -> File:
    pieces = [one.scored for one in finished]
    extents: list[storage.Piece] = [piece.extent for piece in pieces]
    if job.asked.output_format == "parquet":
        parts = [piece.extent.stored for piece in pieces]
        extents = parquet_join.pieces(workshop.storage, parts)
    known = {piece.key: piece.sha256 for piece in pieces}
    workshop.storage.join(job.scored_key, extents, _media_type(job))
    return _file(job.scored_key, rows.scored, [_digest_of(extent, known) for extent in extents])


def _media_type(job: Job) -> str:
    plain = _TYPES[job.asked.output_format]
    return _COMPRESSED_TYPES.get(job.asked.output_compression, plain)


def _digest_of(piece: storage.Piece, known: Mapping[str, str]) -> Digest:
    """Give the digest of a piece; what is of an object was digested when it was written."""
    digest = known[piece.stored.key] if isinstance(piece, Extent) else sha256(piece).hexdigest()
    return Digest(bytes=length(piece), sha256=digest)


def _digest(piece: Piece) -> Digest:
    return Digest(bytes=piece.stop - piece.start, sha256=piece.sha256)


def _file(key: str, rows: int, digests: Sequence[Digest]) -> File:
    size = sum(digest.bytes for digest in digests)
    return File(key=key, bytes=size, rows=rows, pieces=tuple(digests))


def _ended(workshop: Workshop, begun: Outline, **facts: object) -> Receipt:
    """Write the receipt, unless somebody was faster, and remove what is needed no more."""
    manifest = workshop.predictor.package.manifest
    receipt = Receipt.model_validate(
        {
            "job": begun.id,
            "input": Source(
                address=begun.input.address,
                bytes=begun.input.bytes,
                etag=begun.input.etag,
                version=begun.input.version,
            ),
            "model": Model(name=manifest.name, id=begun.model),
            "options": begun.options.model_dump(mode="json"),
            "started": begun.started,
            "finished": workshop.moment(),
            **facts,
        }
    )
    content = (receipt.model_dump_json(indent=2) + "\n").encode()
    if not workshop.storage.create(begun.receipt, content, "application/json"):
        receipt = settled(workshop, begun) or receipt
    tidy(workshop, begun)
    return receipt
