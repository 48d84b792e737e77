"""Plans a job: cuts it into parts beforehand, for many workers at once."""

from typing import Final

from pydantic import TypeAdapter

from functions.batch.jobs import opening
from functions.batch.jobs.context import Context
from functions.batch.jobs.cutting import Cutter, part_after
from functions.batch.jobs.job import WORK, Job, Part
from functions.batch.jobs.run import Remaining, is_out_of_time

_PARTS: Final = TypeAdapter(list[Part])
_BATCH: Final = 200
"""Number of parts after which the plan so far is stored."""


def plan(context: Context, job: Job, remaining: Remaining) -> list[Part] | None:
    """Cut a job into parts, as far as time allows.

    The whole input is read: otherwise the ends of records in CSV, whose cells may hold line ends,
    and the numbers of records are unknown. One batch of parts is in memory at a time.

    Returns
    -------
    list of Part or None
        None if time ran out; another call continues.
    """
    if (complete := find_plan(context, job)) is not None:
        return complete
    parts = [part for batch in _stored_batches(context, job) for part in batch]
    cutter = opening.open_cutter(context, job)
    while not (parts and parts[-1].last):
        if is_out_of_time(remaining):
            return None
        batch = _next_batch(cutter, parts[-1] if parts else None, remaining)
        key = f"{job.work}plan/{batch[0].name}.json"
        context.storage.create(key, _PARTS.dump_json(batch))
        parts += batch
    context.storage.create(plan_key(job.id), _PARTS.dump_json(parts), "application/json")
    return parts


def find_plan(context: Context, job: Job) -> list[Part] | None:
    """Return the complete plan of a job, or None."""
    stored = context.storage.find(plan_key(job.id))
    return None if stored is None else _PARTS.validate_json(context.storage.read(stored))


def plan_key(job_id: str) -> str:
    """Return the key of the plan: a JSON list of parts, as a Distributed Map reads it."""
    return f"{WORK}{job_id}/plan.json"


def _stored_batches(context: Context, job: Job) -> list[list[Part]]:
    storage = context.storage
    batches = storage.list(f"{job.work}plan/")
    return [_PARTS.validate_json(storage.read(stored)) for stored in batches]


def _next_batch(cutter: Cutter, before: Part | None, remaining: Remaining) -> list[Part]:
    batch: list[Part] = []
    while len(batch) < _BATCH and not (before is not None and before.last):
        before = part_after(cutter, before)
        batch.append(before)
        if is_out_of_time(remaining):
            break
    return batch
