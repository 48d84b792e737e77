"""Scores the parts of a job, each once, and counts them for the monitor."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import Final

from functions.batch.formats.parquet_footer import MAGIC
from functions.batch.jobs import fit, opening
from functions.batch.jobs.context import Context
from functions.batch.jobs.cutting import part_after
from functions.batch.jobs.job import Job, ObjectRange, Part, PartResult
from functions.batch.jobs.progress import results_folder
from functions.batch.scoring.scorer import ScoredSlice, Scorer
from sklambda.arrays import FloatMatrix
from sklambda.decision import label_positions
from sklambda.signature import Signature
from sklambda.sketch import layout
from sklambda.sketch.baseline import Baseline
from sklambda.sketch.sketch import Sketch
from sklambda.sketch.sketcher import Sketcher
from sklambda.storage import Storage

_DIGITS: Final = 12
_CHUNK: Final = 2**20
_PARQUET_TAIL: Final = 8
"""The end of a Parquet file: the length of its footer, and the magic bytes."""


class Worker:
    """Scores the parts of a job.

    Parameters
    ----------
    context : Context
        The dependencies of the job.
    job : Job
        The job.
    """

    def __init__(self, context: Context, job: Job) -> None:
        self._context, self._job = context, job
        self._cutter = opening.open_cutter(context, job)
        self._sketches = _sketches(context, job)
        self._scorer = Scorer(
            context.predictor,
            job.layout,
            job.resolved.output,
            context.folder,
            *([self._sketches.count] if self._sketches else []),
        )

    def score_next(self, before: Part | None) -> PartResult:
        """Score the part that follows another; the first if it is None."""
        return self.score(part_after(self._cutter, before))

    def score(self, part: Part) -> PartResult:
        """Score a part, or return the result that another process has stored.

        Raises
        ------
        InputRefused, ObjectReplaced
            The input cannot be read.
        RuntimeError
            Another process has ended the job.
        """
        key = f"{results_folder(self._job)}{part.name}.json"
        if (stored := self._context.storage.find(key)) is None:
            result = self._score(part)
            if self._context.storage.create(key, result.model_dump_json().encode()):
                return result
            stored = self._context.storage.find(key)
        if stored is None:
            raise RuntimeError(f"the result of a part was removed: the job {self._job.id} is over")
        return PartResult.model_validate_json(self._context.storage.read(stored))

    def _score(self, part: Part) -> PartResult:
        started = perf_counter()
        scored = self._scorer.score(self._cutter.read(part))
        if self._sketches is not None:
            self._sketches.store(part)
        try:
            return PartResult(
                part=part,
                rejected=scored.rejected,
                scored=self._store_scored(part, scored),
                rejects=self._store_rejects(part, scored.rejects),
                seconds=perf_counter() - started,
                warnings=fit.by_feature(scored.warnings),
                trials=tuple(scored.trials),
            )
        finally:
            scored.output.unlink()

    def _store_scored(self, part: Part, scored: ScoredSlice) -> ObjectRange:
        start, stop = self._piece_of_output(scored.output)
        digest = _file_digest(scored.output, start, stop)
        key = f"{self._job.work}scored/{part.name}-{digest[:_DIGITS]}"
        return self._store(key, scored.output, start, stop, digest)

    def _piece_of_output(self, output: Path) -> tuple[int, int]:
        """Return the range that becomes a piece: of Parquet without magic bytes and footer."""
        size = output.stat().st_size
        if self._job.resolved.output_format != "parquet":
            return 0, size
        with output.open("rb") as content:
            content.seek(size - _PARQUET_TAIL)
            footer = int.from_bytes(content.read(_PARQUET_TAIL)[:4], "little")
        return len(MAGIC), size - _PARQUET_TAIL - footer

    def _store_rejects(self, part: Part, content: bytes) -> ObjectRange | None:
        if not content:
            return None
        digest = sha256(content).hexdigest()
        key = f"{self._job.work}rejects/{part.name}-{digest[:_DIGITS]}"
        return self._store(key, content, 0, len(content), digest)

    def _store(
        self, key: str, content: Path | bytes, start: int, stop: int, digest: str
    ) -> ObjectRange:
        storage = self._context.storage
        storage.create(key, content)
        if (stored := storage.find(key)) is None:
            raise RuntimeError(f"the output of a part was removed: the job {self._job.id} is over")
        return ObjectRange.of(stored, start, stop, digest)


class Sketches:
    """Counts the parts of a job into the hour in which it started; stores no row.

    Parameters
    ----------
    storage : Storage
        Where the monitor reads sketches.
    job : Job
        The job.
    signature : Signature
        Of the model.
    baseline : Baseline
        Its rulers define the bins.
    redacted : collection of str
        Features that are not counted.
    """

    def __init__(
        self,
        storage: Storage,
        job: Job,
        signature: Signature,
        baseline: Baseline,
        redacted: Collection[str] = (),
    ) -> None:
        self._storage, self._job, self._target = storage, job, signature.target
        self._sketcher = Sketcher(signature, baseline, without=redacted)
        self._sketch: Sketch | None = None

    def count(
        self, X: FloatMatrix, scores: FloatMatrix, coerced: Sequence[tuple[int, str]]
    ) -> None:
        """Count the scored rows of a part, [N, K], with their scores, [N, C]."""
        labels = label_positions(self._target, scores)
        counts = Counter(name for _, name in coerced)
        self._sketch = self._sketcher.sketch(X, scores, labels, counts)

    def store(self, part: Part) -> None:
        """Store the sketch of a part; storing it again writes the same object."""
        if self._sketch is None:
            return
        started = datetime.fromisoformat(self._job.started)
        key = layout.batch_sketch_key(self._job.model, "raw", started, self._job.id, part.name)
        self._storage.put({key: self._sketch.json()})
        self._sketch = None


def _sketches(context: Context, job: Job) -> Sketches | None:
    package = context.predictor.package
    if context.sketches is None or package.baseline is None:
        return None
    return Sketches(context.sketches, job, package.signature, package.baseline, context.redacted)


def _file_digest(path: Path, start: int, stop: int) -> str:
    digest = sha256()
    with path.open("rb") as content:
        content.seek(start)
        for position in range(start, stop, _CHUNK):
            digest.update(content.read(min(_CHUNK, stop - position)))
    return digest.hexdigest()
