"""The steps of a distributed job, which the state machine calls."""

from collections.abc import Sequence
from functools import lru_cache

from functions.batch.jobs import opening, planning, progress, publishing
from functions.batch.jobs.context import Context
from functions.batch.jobs.job import JOBS, Job, Outline, Part, PartResult
from functions.batch.jobs.run import Remaining, is_out_of_time
from functions.batch.jobs.worker import Worker
from sklambda.errors import InputRefused, SklambdaError
from sklambda.storage.receipt import Receipt


class ModelChanged(SklambdaError):
    """A job was started with another model package than the deployed one."""


class JobOver(SklambdaError):
    """A job does not exist, or is over."""


class Steps:
    """The steps of distributed jobs.

    Parameters
    ----------
    context : Context
        The dependencies of a job.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        # A warm function scores part after part of the same job.
        self._worker = lru_cache(maxsize=1)(self._new_worker)

    def open(self, outline: Outline) -> Receipt | None:
        """Open a job for the state machine; return its receipt if it is over already."""
        if (receipt := publishing.find_receipt(self._context, outline.receipt)) is not None:
            return receipt
        try:
            opening.open_job(self._context, outline)
        except InputRefused as refused:
            return publishing.fail(self._context, outline, refused)
        return None

    def plan(self, job_id: str, remaining: Remaining) -> Receipt | Sequence[Part] | None:
        """Cut a job into parts; return None if time ran out.

        If the input cannot be read, the job fails, and its receipt is returned.
        """
        job = self.job(job_id)
        try:
            return planning.plan(self._context, job, remaining)
        except InputRefused as refused:
            return publishing.fail(self._context, job, refused)

    def score(self, job_id: str, part: Part) -> PartResult:
        """Score a part of a job, unless it is done."""
        return self._worker(job_id).score(part)

    def assemble(self, job_id: str, remaining: Remaining) -> Receipt | None:
        """Score the parts on which the Distributed Map gave up, and publish the job.

        Returns None if time ran out.
        """
        # A retry may come after the call that ended the job.
        if (receipt := publishing.find_receipt(self._context, f"{JOBS}{job_id}.json")) is not None:
            return receipt
        job = self.job(job_id)
        plan = planning.find_plan(self._context, job) or []
        results = progress.read_results(self._context, job)
        for part in progress.missing_parts(plan, results):
            slowest = max((result.seconds for result in results), default=0.0)
            if is_out_of_time(remaining, slowest):
                return None
            results.append(self.score(job_id, part))
        results.sort(key=lambda result: result.part.index)
        return publishing.publish(self._context, job, results, distributed=True)

    def job(self, job_id: str) -> Job:
        """Return a job that was opened.

        Raises
        ------
        JobOver
            The job does not exist, or is over.
        ModelChanged
            Another model package started it; the next sweep starts it anew.
        """
        job = opening.find_job(self._context, job_id)
        if job is None:
            raise JobOver(f"the job {job_id} does not exist or is over")
        if job.model != self._context.predictor.package.manifest.id:
            raise ModelChanged(f"the job {job_id} was started with another model package")
        return job

    def _new_worker(self, job_id: str) -> Worker:
        return Worker(self._context, self.job(job_id))
