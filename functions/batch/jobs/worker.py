"""Scores the parts of a job, each once, whoever begins it."""

from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import Final

from functions.batch.formats.parquet_footer import MAGIC
from functions.batch.jobs import opening
from functions.batch.jobs.context import Workshop
from functions.batch.jobs.job import Done, Job, Part, Piece
from functions.batch.jobs.sketches import Sketches
from functions.batch.scoring.scorer import Scored, Scorer

_DIGITS: Final = 12
_CHUNK: Final = 2**20
_TAIL: Final = 8
"""The end of a Parquet file: how long its footer is, and the magic bytes."""


class Worker:
    """Scores the parts of a job.

    Parameters
    ----------
    workshop : Workshop
        Where, and with what.
    job : Job
        Whose parts.
    """

    def __init__(self, workshop: Workshop, job: Job) -> None:
        self._workshop, self._job = workshop, job
        self._intake = opening.intake(workshop, job)
        self._sketches = _sketches(workshop, job)
        self._scorer = Scorer(
            workshop.predictor,
            job.layout,
            job.asked.answering,
            workshop.folder,
            *([self._sketches.look] if self._sketches else []),
        )

    def after(self, before: Done | None) -> Done:
        """Score the part that follows another; the first, if there is none."""
        if before is None:
            return self.do(self._intake.following(0, self._intake.start, 1))
        part = before.part
        following = self._intake.following(part.index + 1, part.stop, part.first + part.records)
        return self.do(following)

    def do(self, part: Part) -> Done:
        """Score a part, unless it was; gives what became of it, whoever did it.

        Raises
        ------
        InputRefused, ObjectReplaced
            The input cannot be read.
        """
        key = done_key(self._job, part)
        if (kept := self._workshop.storage.find(key)) is None:
            done = self._scored(part)
            if self._workshop.storage.create(key, done.model_dump_json().encode()):
                return done
            kept = self._workshop.storage.find(key)
        if kept is None:
            raise RuntimeError("what was kept of a part is gone: the job is over")
        return Done.model_validate_json(self._workshop.storage.read(kept))

    def _scored(self, part: Part) -> Done:
        started = perf_counter()
        scored = self._scorer.score(self._intake.slice(part))
        if self._sketches is not None:
            self._sketches.keep(part)
        try:
            return Done(
                part=part,
                rejected=scored.rejected,
                scored=self._publish_scored(part, scored),
                rejects=self._publish_rejects(part, scored.rejects),
                seconds=perf_counter() - started,
            )
        finally:
            scored.output.unlink()

    def _publish_scored(self, part: Part, scored: Scored) -> Piece:
        span = self._span(scored.output)
        digest = _digest(scored.output, *span)
        key = f"{self._job.work}scored/{part.name}-{digest[:_DIGITS]}"
        return self._published(key, scored.output, span, digest)

    def _span(self, output: Path) -> tuple[int, int]:
        """Tell which bytes become a piece of the whole: of Parquet, all but its ends."""
        size = output.stat().st_size
        if self._job.asked.output_format != "parquet":
            return 0, size
        with output.open("rb") as content:
            content.seek(size - _TAIL)
            footer = int.from_bytes(content.read(_TAIL)[:4], "little")
        return len(MAGIC), size - _TAIL - footer

    def _published(
        self, key: str, content: Path | bytes, span: tuple[int, int], digest: str
    ) -> Piece:
        storage = self._workshop.storage
        storage.create(key, content)
        if (stored := storage.find(key)) is None:
            raise RuntimeError("what was written of a part is gone: the job is over")
        return Piece.of(stored, *span, digest)

    def _publish_rejects(self, part: Part, content: bytes) -> Piece | None:
        if not content:
            return None
        digest = sha256(content).hexdigest()
        key = f"{self._job.work}rejects/{part.name}-{digest[:_DIGITS]}"
        return self._published(key, content, (0, len(content)), digest)


def _sketches(workshop: Workshop, job: Job) -> Sketches | None:
    package = workshop.predictor.package
    if workshop.records is None or package.baseline is None:
        return None
    return Sketches(workshop.records, job, package.signature, package.baseline, workshop.redacted)


def _digest(path: Path, start: int, stop: int) -> str:
    digest = sha256()
    with path.open("rb") as content:
        content.seek(start)
        for position in range(start, stop, _CHUNK):
            digest.update(content.read(min(_CHUNK, stop - position)))
    return digest.hexdigest()


def done_key(job: Job, part: Part) -> str:
    """Give the key of the proof that a part is done."""
    return f"{job.work}done/{part.name}.json"
