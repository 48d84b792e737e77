"""What the function does when it is asked: each call to the job that it is about."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import singledispatchmethod
from typing import Any, Final

from functions.batch import events
from functions.batch.events import (
    Asked,
    Assemble,
    Continue,
    EventRefused,
    Plan,
    Score,
    ScorePart,
    Sweep,
)
from functions.batch.jobs import opening
from functions.batch.jobs.context import Workshop
from functions.batch.jobs.job import INBOX, JOBS, WORK, Outline, input_id, input_id_of
from functions.batch.jobs.options import Options
from functions.batch.jobs.planning import plan_key
from functions.batch.jobs.run import Remaining, run
from functions.batch.steps import JobOver, Steps
from sklambda.errors import InputRefused, SklambdaError
from sklambda.receipt import Receipt

type Json = dict[str, Any]

_TAKEN: Final = (INBOX, JOBS, WORK)


class JobStuck(SklambdaError):
    """A job that was handed on did not get any further."""


@dataclass(frozen=True, slots=True)
class Colleagues:
    """Whom the function can ask to do something.

    Attributes
    ----------
    hand_on : callable
        Calls the function itself with an event, and does not wait.
    distribute : callable or None
        Gives a job's id to the state machine, which has many functions work at it.
    distribute_above : int
        How many bytes an input must have for that.
    """

    hand_on: Callable[[Json], None]
    distribute: Callable[[str], None] | None = None
    distribute_above: int = 2**30


class Service:
    """Answers the calls of the function.

    Parameters
    ----------
    workshop : Workshop
        Where, and with what.
    bucket : str
        The bucket of the workshop's storage.
    defaults : Options
        What is asked where a call says nothing.
    colleagues : Colleagues
        Whom to ask.
    told : callable
        Told of each receipt that is given.
    """

    def __init__(
        self,
        workshop: Workshop,
        bucket: str,
        defaults: Options,
        colleagues: Colleagues,
        told: Callable[[Receipt], None] = lambda receipt: None,
    ) -> None:
        self._workshop, self._bucket, self._defaults = workshop, bucket, defaults
        self._colleagues, self._told = colleagues, told
        self._steps = Steps(workshop)

    def answer(self, event: Mapping[str, Any], remaining: Remaining) -> Json:
        """Do what an event asks for; it names one object, or several.

        Raises
        ------
        EventRefused
            It asks for nothing that there is.
        InputRefused
            There is no such input.
        """
        answers = [self._do(asked, remaining) for asked in events.read(event)]
        return answers[0] if len(answers) == 1 else {"answers": answers}

    @singledispatchmethod
    def _do(self, asked: Asked, remaining: Remaining) -> Json:
        raise NotImplementedError

    @_do.register
    def _(self, asked: Score, remaining: Remaining) -> Json:
        begun = self._outline(asked)
        if self._outgrows_one_function(begun):
            return self._distributed(begun)
        return self._run(begun, remaining, after=-1)

    @_do.register
    def _(self, asked: Continue, remaining: Remaining) -> Json:
        try:
            return self._run(self._steps.job(asked.job), remaining, asked.after)
        except JobOver:
            return {"job": asked.job, "status": "over"}

    @_do.register
    def _(self, asked: Sweep, remaining: Remaining) -> Json:
        begun = 0
        for address in self._unscored(asked.sweep):
            self._colleagues.hand_on({"input": address})
            begun += 1
        return {"status": "swept", "begun": begun}

    @_do.register
    def _(self, asked: Plan, remaining: Remaining) -> Json:
        planned = self._steps.plan(asked.job, remaining)
        if planned is None:
            return {"job": asked.job, "status": "planning"}
        if isinstance(planned, Receipt):
            return self._ended(planned)
        manifest = {"bucket": self._bucket, "key": plan_key(asked.job)}
        return {"job": asked.job, "status": "planned", "parts": len(planned), "manifest": manifest}

    @_do.register
    def _(self, asked: ScorePart, remaining: Remaining) -> Json:
        done = self._steps.score(asked.job, asked.part)
        return {"records": done.part.records, "rejected": done.rejected}

    @_do.register
    def _(self, asked: Assemble, remaining: Remaining) -> Json:
        receipt = self._steps.assemble(asked.job, remaining)
        if receipt is None:
            return {"job": asked.job, "status": "assembling"}
        return self._ended(receipt)

    def _outline(self, asked: Score) -> Outline:
        stated = asked.model_dump(exclude_unset=True, exclude={"input", "output"})
        options = Options.model_validate(self._defaults.model_dump() | stated)
        return opening.outline(self._workshop, asked.input, options, *self._folders(asked.output))

    def _folders(self, output: str | None) -> tuple[str, ...]:
        if output is None:
            return ()
        bucket, _, folder = output.removeprefix("s3://").partition("/")
        if bucket != self._bucket:
            raise EventRefused("the output must be in the function's own bucket")
        if folder.startswith(_TAKEN):
            raise EventRefused(f"the output must not be below {', '.join(_TAKEN)}")
        return folder, f"{folder}rejects/"

    def _unscored(self, prefix: str) -> Iterator[str]:
        """Find what was not scored yet, by whichever model and with whatever options."""
        known = {input_id_of(receipt) for receipt in self._workshop.storage.list(JOBS)}
        for stored in self._workshop.storage.list(prefix):
            address = f"s3://{self._bucket}/{stored.key}"
            if not stored.key.endswith("/") and input_id(stored, address) not in known:
                yield address

    def _outgrows_one_function(self, begun: Outline) -> bool:
        large = begun.input.bytes > self._colleagues.distribute_above
        if self._colleagues.distribute is None or not large:
            return False
        try:
            asked = begun.options.settled(begun.input.key)
        except InputRefused:
            return False  # which the job itself will say
        # What is compressed as a whole can be read from its beginning only.
        return asked.input_compression == "none"

    def _distributed(self, begun: Outline) -> Json:
        if (receipt := self._steps.begin(begun)) is not None:
            return self._ended(receipt)
        assert self._colleagues.distribute is not None
        self._colleagues.distribute(begun.id)
        return {"job": begun.id, "status": "distributed", "receipt": self._address(begun.receipt)}

    def _run(self, begun: Outline, remaining: Remaining, after: int) -> Json:
        finished: list[int] = []
        receipt = run(self._workshop, begun, remaining, lambda part: finished.append(part.index))
        if receipt is not None:
            return self._ended(receipt)
        if len(finished) <= after:
            raise JobStuck(f"{begun.id} is still at part {after}")
        self._colleagues.hand_on({"step": "continue", "job": begun.id, "after": len(finished)})
        return {"job": begun.id, "status": "continued", "receipt": self._address(begun.receipt)}

    def _ended(self, receipt: Receipt) -> Json:
        self._told(receipt)
        summary = receipt.model_dump(mode="json", include={"job", "status", "reason", "rows"})
        return summary | {"receipt": self._address(f"{JOBS}{receipt.job}.json")}

    def _address(self, key: str) -> str:
        return f"s3://{self._bucket}/{key}"
