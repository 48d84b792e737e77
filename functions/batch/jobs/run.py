"""A job done by one process: part after part, from wherever it was left."""

from collections.abc import Callable
from time import monotonic
from typing import Final

from functions.batch.jobs import opening, progress, publishing
from functions.batch.jobs.context import Workshop
from functions.batch.jobs.job import Done, Job, Outline
from functions.batch.jobs.progress import Report
from functions.batch.jobs.worker import Worker
from sklambda.errors import InputRefused, ObjectReplaced
from sklambda.receipt import Receipt

type Remaining = Callable[[], float]
"""Gives the seconds that are left."""

_MARGIN: Final = 20.0
"""Seconds kept for joining the parts, or for handing the job on."""


def run(
    workshop: Workshop,
    begun: Outline,
    remaining: Remaining = lambda: float("inf"),
    report: Report = lambda part: None,
) -> Receipt | None:
    """Do a job, or as much of it as there is time for.

    Parameters
    ----------
    workshop : Workshop
        Where, and with what.
    begun : Outline
        The job; however much of it was done before is not done again.
    remaining : callable
        Gives the seconds that are left.
    report : callable
        Told of each part that is done.

    Returns
    -------
    Receipt or None
        None if there was no time for all of it; it goes on when it is run again.

    Raises
    ------
    ObjectReplaced
        The input is no longer what it was when the job began: another job's matter.
    """
    if (receipt := publishing.settled(workshop, begun)) is not None:
        return receipt
    try:
        job = opening.opened(workshop, begun)
        finished = _parts(workshop, job, remaining, report)
        return None if finished is None else publishing.published(workshop, job, finished)
    except InputRefused as refused:
        return publishing.failed(workshop, begun, refused)
    except (ObjectReplaced, RuntimeError):
        # Whoever was faster removes what is needed no more, also from under this one.
        if (receipt := publishing.settled(workshop, begun)) is None:
            raise
        publishing.tidy(workshop, begun)
        return receipt


def is_late(remaining: Remaining, slowest: float = 0.0) -> bool:
    """Tell whether there is no time for another part, the slowest of which took so many seconds."""
    return remaining() < 2 * slowest + _MARGIN


def _parts(workshop: Workshop, job: Job, remaining: Remaining, report: Report) -> list[Done] | None:
    finished = progress.leading(progress.done(workshop, job))
    worker, slowest = Worker(workshop, job), 0.0
    for one in finished:
        report(one.part)
    while not (finished and finished[-1].part.last):
        if is_late(remaining, slowest):
            return None
        started = monotonic()
        finished.append(worker.after(finished[-1] if finished else None))
        slowest = max(slowest, monotonic() - started)
        report(finished[-1].part)
    return finished
