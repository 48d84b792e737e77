"""The steps of a job that many functions work at: what the state machine calls."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from functions.batch.jobs import opening, planning, progress, publishing
from functions.batch.jobs.context import Workshop
from functions.batch.jobs.job import JOBS, Done, Job, Outline, Part
from functions.batch.jobs.run import Remaining, is_late
from functions.batch.jobs.worker import Worker
from sklambda.errors import InputRefused, SklambdaError
from sklambda.receipt import Receipt

type Json = dict[str, Any]


class ModelChanged(SklambdaError):
    """A job was begun by another model than the one that is here now."""


class JobOver(SklambdaError):
    """There is no such job, or it has ended."""


class Steps:
    """The steps of jobs.

    Parameters
    ----------
    workshop : Workshop
        Where, and with what.
    """

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        # A warm function scores part after part of the same job.
        self._worker = lru_cache(maxsize=1)(self._new_worker)

    def plan(self, job_id: str, remaining: Remaining) -> Receipt | Sequence[Part] | None:
        """Cut a job into parts; gives None if there was no time for all of it.

        Where the input cannot be read the job has failed, and its receipt is given.
        """
        job = self.job(job_id)
        try:
            return planning.plan(self._workshop, job, remaining)
        except InputRefused as refused:
            return publishing.failed(self._workshop, job, refused)

    def score(self, job_id: str, part: Part) -> Done:
        """Score a part of a job, unless it was."""
        return self._worker(job_id).do(part)

    def assemble(self, job_id: str, remaining: Remaining) -> Receipt | None:
        """Publish a job; parts that were given up on the way are scored here.

        Gives None if there was no time for all of them.
        """
        # The answer of the call that has ended it may have been lost.
        if (receipt := publishing.receipt_at(self._workshop, f"{JOBS}{job_id}.json")) is not None:
            return receipt
        job = self.job(job_id)
        parts = planning.planned(self._workshop, job) or []
        finished = progress.done(self._workshop, job)
        for part in progress.missing(parts, finished):
            if is_late(remaining, max((one.seconds for one in finished), default=0.0)):
                return None
            finished.append(self.score(job_id, part))
        finished.sort(key=lambda one: one.part.index)
        return publishing.published(self._workshop, job, finished, distributed=True)

    def job(self, job_id: str) -> Job:
        """Give a job that was opened.

        Raises
        ------
        JobOver
            There is none of this name.
        ModelChanged
            Another model has begun it; the next sweep begins it anew.
        """
        job = opening.resumed(self._workshop, job_id)
        if job is None:
            raise JobOver(f"there is no job {job_id}, or it has ended")
        if job.model != self._workshop.predictor.package.manifest.id:
            raise ModelChanged(f"{job_id} was begun by another model")
        return job

    def begin(self, begun: Outline) -> Receipt | None:
        """Open a job for the state machine; gives its receipt if it is over by that."""
        if (receipt := publishing.settled(self._workshop, begun)) is not None:
            return receipt
        try:
            opening.opened(self._workshop, begun)
        except InputRefused as refused:
            return publishing.failed(self._workshop, begun, refused)
        return None

    def _new_worker(self, job_id: str) -> Worker:
        return Worker(self._workshop, self.job(job_id))
