"""How far a job is: which of its parts are done."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Final

from functions.batch.jobs.context import Workshop
from functions.batch.jobs.job import Done, Job, Part

_AT_ONCE: Final = 10


def done(workshop: Workshop, job: Job) -> list[Done]:
    """Give what became of the parts that are done, in their order."""
    storage = workshop.storage
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        contents = pool.map(storage.read, storage.list(f"{job.work}done/"))
        return [Done.model_validate_json(content) for content in contents]


def leading(finished: Sequence[Done]) -> list[Done]:
    """Give those of the parts done that follow each other without a gap from the first one on."""
    return [one for place, one in enumerate(finished) if one.part.index == place]


def missing(planned: Sequence[Part], finished: Sequence[Done]) -> Iterator[Part]:
    """Give the parts of a plan that are not done."""
    known = {one.part.index for one in finished}
    yield from (part for part in planned if part.index not in known)


def is_whole(finished: Sequence[Done]) -> bool:
    """Tell whether parts are all of an input: each begins where the one before it ends."""
    if not finished or not finished[-1].part.last:
        return False
    parts = [one.part for one in finished]
    return parts[0].index == 0 and all(
        after.start == before.stop
        and after.index == before.index + 1
        and after.first == before.first + before.records
        and not before.last
        for before, after in pairwise(parts)
    )


type Report = Callable[[Part], None]
"""Told of each part that is done."""
