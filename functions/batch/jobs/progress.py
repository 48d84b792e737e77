"""The progress of a job: the results of its parts so far."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Final

from functions.batch.jobs.context import Context
from functions.batch.jobs.job import Job, Part, PartResult

type Report = Callable[[Part], None]
"""Called with each part that is done."""

_THREADS: Final = 10


def results_folder(job: Job) -> str:
    """Return the folder of the results of parts."""
    return f"{job.work}done/"


def read_results(context: Context, job: Job) -> list[PartResult]:
    """Read the results of the parts that are done, in their order."""
    storage = context.storage
    with ThreadPoolExecutor(_THREADS) as pool:
        contents = pool.map(storage.read, storage.list(results_folder(job)))
        return [PartResult.model_validate_json(content) for content in contents]


def without_gap(results: Sequence[PartResult]) -> list[PartResult]:
    """Return the results from the first part up to the first gap."""
    return [result for place, result in enumerate(results) if result.part.index == place]


def missing_parts(plan: Sequence[Part], results: Sequence[PartResult]) -> Iterator[Part]:
    """Yield the parts of a plan that have no result."""
    done = {result.part.index for result in results}
    yield from (part for part in plan if part.index not in done)


def is_complete(results: Sequence[PartResult]) -> bool:
    """Check that the parts cover the input: each begins where the one before it ends."""
    if not results or not results[-1].part.last:
        return False
    parts = [result.part for result in results]
    return parts[0].index == 0 and all(
        after.start == before.stop
        and after.index == before.index + 1
        and after.first == before.first + before.records
        and not before.last
        for before, after in pairwise(parts)
    )
