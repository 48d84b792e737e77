"""Handles the requests of the function: each becomes work on a job."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import singledispatchmethod
from typing import Any, Final

from functions.batch import events
from functions.batch.events import (
    Assemble,
    Continue,
    EventRefused,
    Plan,
    Request,
    Score,
    ScorePart,
    Sweep,
)
from functions.batch.jobs import opening
from functions.batch.jobs.context import Context
from functions.batch.jobs.job import INBOX, JOBS, WORK, Outline, input_id, input_id_of
from functions.batch.jobs.options import Options
from functions.batch.jobs.planning import plan_key
from functions.batch.jobs.run import Remaining, run
from functions.batch.steps import JobOver, Steps
from sklambda.errors import InputRefused, SklambdaError
from sklambda.storage.receipt import Receipt

type Json = dict[str, Any]

_RESERVED: Final = (INBOX, JOBS, WORK)


class JobStuck(SklambdaError):
    """A job was continued and made no progress."""


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Callbacks to AWS.

    Attributes
    ----------
    invoke : callable
        Invokes the function itself with an event, asynchronously.
    distribute : callable or None
        Starts the state machine with the id of a job.
    distribute_above : int
        The length of an input in bytes above which its job is distributed.
    """

    invoke: Callable[[Json], None]
    distribute: Callable[[str], None] | None = None
    distribute_above: int = 2**30


class Service:
    """Handles the events of the function.

    Parameters
    ----------
    context : Context
        The dependencies of a job.
    bucket : str
        The bucket of the context's storage.
    defaults : Options
        Options that a request does not state.
    callbacks : Callbacks
        Callbacks to AWS.
    on_receipt : callable
        Called with each receipt.
    """

    def __init__(
        self,
        context: Context,
        bucket: str,
        defaults: Options,
        callbacks: Callbacks,
        on_receipt: Callable[[Receipt], None] = lambda receipt: None,
    ) -> None:
        self._context, self._bucket, self._defaults = context, bucket, defaults
        self._callbacks, self._on_receipt = callbacks, on_receipt
        self._steps = Steps(context)

    def handle(self, event: Mapping[str, Any], remaining: Remaining) -> Json:
        """Handle the requests of an event; most events hold one.

        Raises
        ------
        EventRefused
            The event is unsupported or invalid.
        InputRefused
            The input does not exist.
        """
        answers = [self._handle(request, remaining) for request in events.parse(event)]
        return answers[0] if len(answers) == 1 else {"answers": answers}

    @singledispatchmethod
    def _handle(self, request: Request, remaining: Remaining) -> Json:
        raise NotImplementedError

    @_handle.register
    def _(self, request: Score, remaining: Remaining) -> Json:
        outline = self._outline(request)
        if self._is_distributed(outline):
            return self._distribute(outline)
        return self._run(outline, remaining, after=-1)

    @_handle.register
    def _(self, request: Continue, remaining: Remaining) -> Json:
        try:
            return self._run(self._steps.job(request.job), remaining, request.after)
        except JobOver:
            return {"job": request.job, "status": "over"}

    @_handle.register
    def _(self, request: Sweep, remaining: Remaining) -> Json:
        started = 0
        for address in self._unscored(request.sweep):
            self._callbacks.invoke({"input": address})
            started += 1
        return {"status": "swept", "begun": started}

    @_handle.register
    def _(self, request: Plan, remaining: Remaining) -> Json:
        plan = self._steps.plan(request.job, remaining)
        if plan is None:
            return {"job": request.job, "status": "planning"}
        if isinstance(plan, Receipt):
            return self._end(plan)
        manifest = {"bucket": self._bucket, "key": plan_key(request.job)}
        return {"job": request.job, "status": "planned", "parts": len(plan), "manifest": manifest}

    @_handle.register
    def _(self, request: ScorePart, remaining: Remaining) -> Json:
        result = self._steps.score(request.job, request.part)
        return {"records": result.part.records, "rejected": result.rejected}

    @_handle.register
    def _(self, request: Assemble, remaining: Remaining) -> Json:
        receipt = self._steps.assemble(request.job, remaining)
        if receipt is None:
            return {"job": request.job, "status": "assembling"}
        return self._end(receipt)

    def _outline(self, request: Score) -> Outline:
        stated = request.model_dump(exclude_unset=True, exclude={"input", "output"})
        options = Options.model_validate(self._defaults.model_dump() | stated)
        folders = self._folders(request.output)
        return opening.outline_job(self._context, request.input, options, *folders)

    def _folders(self, output: str | None) -> tuple[str, ...]:
        if output is None:
            return ()
        bucket, _, folder = output.removeprefix("s3://").partition("/")
        if bucket != self._bucket:
            raise EventRefused("the output must be in the bucket of the function")
        if folder.startswith(_RESERVED):
            raise EventRefused(f"the output must not be below {', '.join(_RESERVED)}")
        return folder, f"{folder}rejects/"

    def _unscored(self, prefix: str) -> Iterator[str]:
        """Yield the addresses of inputs that no model has scored yet, with any options."""
        scored = {input_id_of(receipt) for receipt in self._context.storage.list(JOBS)}
        for stored in self._context.storage.list(prefix):
            address = f"s3://{self._bucket}/{stored.key}"
            if not stored.key.endswith("/") and input_id(stored, address) not in scored:
                yield address

    def _is_distributed(self, outline: Outline) -> bool:
        large = outline.input.bytes > self._callbacks.distribute_above
        if self._callbacks.distribute is None or not large:
            return False
        try:
            resolved = outline.options.resolve(outline.input.key)
        except InputRefused:
            return False  # running the job writes the receipt of the refusal
        # A compressed file can only be read from its beginning.
        return resolved.input_compression == "none"

    def _distribute(self, outline: Outline) -> Json:
        if (receipt := self._steps.open(outline)) is not None:
            return self._end(receipt)
        assert self._callbacks.distribute is not None
        self._callbacks.distribute(outline.id)
        receipt_address = self._address(outline.receipt)
        return {"job": outline.id, "status": "distributed", "receipt": receipt_address}

    def _run(self, outline: Outline, remaining: Remaining, after: int) -> Json:
        done: list[int] = []
        receipt = run(self._context, outline, remaining, lambda part: done.append(part.index))
        if receipt is not None:
            return self._end(receipt)
        if len(done) <= after:
            raise JobStuck(
                f"the job {outline.id} made no progress: {after} parts were done, now {len(done)}"
            )
        self._callbacks.invoke({"step": "continue", "job": outline.id, "after": len(done)})
        receipt_address = self._address(outline.receipt)
        return {"job": outline.id, "status": "continued", "receipt": receipt_address}

    def _end(self, receipt: Receipt) -> Json:
        self._on_receipt(receipt)
        summary = receipt.model_dump(mode="json", include={"job", "status", "reason", "rows"})
        return summary | {"receipt": self._address(f"{JOBS}{receipt.job}.json")}

    def _address(self, key: str) -> str:
        return f"s3://{self._bucket}/{key}"
