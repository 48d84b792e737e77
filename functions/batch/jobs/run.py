"""Runs a job in one process: part after part, from where an earlier run stopped."""

from collections.abc import Callable
from time import monotonic
from typing import Final

from functions.batch.jobs import opening, progress, publishing
from functions.batch.jobs.context import Context
from functions.batch.jobs.job import Job, Outline, PartResult
from functions.batch.jobs.progress import Report
from functions.batch.jobs.worker import Worker
from sklambda.errors import InputRefused, ObjectReplaced
from sklambda.storage.receipt import Receipt

type Remaining = Callable[[], float]
"""Returns the seconds that are left."""

_MARGIN: Final = 20.0
"""Seconds for joining the parts, or for calling the function again."""


def run(
    context: Context,
    outline: Outline,
    remaining: Remaining = lambda: float("inf"),
    report: Report = lambda part: None,
) -> Receipt | None:
    """Run a job, as far as time allows.

    Parameters
    ----------
    context : Context
        The dependencies of the job.
    outline : Outline
        The job; parts that are done are not scored again.
    remaining : callable
        Returns the seconds that are left.
    report : callable
        Called with each part that is done.

    Returns
    -------
    Receipt or None
        None if time ran out; another run continues.

    Raises
    ------
    ObjectReplaced
        The input was replaced after the job started; its new content is another job.
    """
    if (receipt := publishing.find_receipt(context, outline.receipt)) is not None:
        return receipt
    try:
        job = opening.open_job(context, outline)
        results = _score_parts(context, job, remaining, report)
        return None if results is None else publishing.publish(context, job, results)
    except InputRefused as refused:
        return publishing.fail(context, outline, refused)
    except (ObjectReplaced, RuntimeError):
        # Another process may have ended the job and removed its work, which this one needs.
        if (receipt := publishing.find_receipt(context, outline.receipt)) is None:
            raise
        publishing.remove_work(context, outline)
        return receipt


def is_out_of_time(remaining: Remaining, slowest: float = 0.0) -> bool:
    """Check whether there is no time for another part; `slowest` is the longest so far, in s."""
    return remaining() < 2 * slowest + _MARGIN


def _score_parts(
    context: Context, job: Job, remaining: Remaining, report: Report
) -> list[PartResult] | None:
    results = progress.without_gap(progress.read_results(context, job))
    worker, slowest = Worker(context, job), 0.0
    for result in results:
        report(result.part)
    while not (results and results[-1].part.last):
        if is_out_of_time(remaining, slowest):
            return None
        started = monotonic()
        results.append(worker.score_next(results[-1].part if results else None))
        slowest = max(slowest, monotonic() - started)
        report(results[-1].part)
    return results
