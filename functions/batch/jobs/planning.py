"""A job cut into parts beforehand, for many workers at once."""

from typing import Final

from pydantic import TypeAdapter

from functions.batch.jobs import opening
from functions.batch.jobs.context import Workshop
from functions.batch.jobs.job import WORK, Job, Part
from functions.batch.jobs.opening import Intake
from functions.batch.jobs.run import Remaining, is_late

_PARTS: Final = TypeAdapter(list[Part])
_AT_ONCE: Final = 200
"""Parts after which the plan so far is kept."""


def plan(workshop: Workshop, job: Job, remaining: Remaining) -> list[Part] | None:
    """Cut a job into parts, or as many as there is time for.

    The whole input is read: only so is it known where records end in CSV, whose cells may hold
    line ends, and which number each record has. One batch of parts is in memory.

    Returns
    -------
    list of Part or None
        None if there was no time for all; it goes on when it is called again.
    """
    if (whole := planned(workshop, job)) is not None:
        return whole
    parts = [part for batch in _batches(workshop, job) for part in batch]
    cutter = opening.intake(workshop, job)
    while not (parts and parts[-1].last):
        if is_late(remaining):
            return None
        batch = _batch(cutter, parts[-1] if parts else None, remaining)
        key = f"{job.work}plan/{batch[0].name}.json"
        workshop.storage.create(key, _PARTS.dump_json(batch))
        parts += batch
    workshop.storage.create(plan_key(job.id), _PARTS.dump_json(parts), "application/json")
    return parts


def planned(workshop: Workshop, job: Job) -> list[Part] | None:
    """Give the parts of a job whose plan is whole."""
    stored = workshop.storage.find(plan_key(job.id))
    return None if stored is None else _PARTS.validate_json(workshop.storage.read(stored))


def plan_key(job_id: str) -> str:
    """Give the key of the plan: a JSON list of parts, as a distributed map reads it."""
    return f"{WORK}{job_id}/plan.json"


def _batches(workshop: Workshop, job: Job) -> list[list[Part]]:
    storage = workshop.storage
    kept = storage.list(f"{job.work}plan/")
    return [_PARTS.validate_json(storage.read(stored)) for stored in kept]


def _batch(cutter: Intake, before: Part | None, remaining: Remaining) -> list[Part]:
    batch: list[Part] = []
    while len(batch) < _AT_ONCE and not (before is not None and before.last):
        before = _following(cutter, before)
        batch.append(before)
        if is_late(remaining):
            break
    return batch


def _following(cutter: Intake, before: Part | None) -> Part:
    if before is None:
        return cutter.following(0, cutter.start, 1)
    return cutter.following(before.index + 1, before.stop, before.first + before.records)
