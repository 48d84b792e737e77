"""A run of the monitor from an event to its report, metrics, messages and events.

A run may come twice. Its report is written again, as it was; whom it tells something is told once.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from functions.monitor.alarms.diagnosis import Diagnosis, Lines, diagnose
from functions.monitor.alarms.traffic import Traffic
from functions.monitor.events import Alarm, Look
from functions.monitor.notify import messages
from functions.monitor.notify.messages import Happening, Message
from functions.monitor.report import files
from functions.monitor.results import Results
from functions.monitor.state import Deployment, State, claim, release
from sklambda.policy.retraining import Signals, decide, moment
from sklambda.policy.watching import RetrainingPolicy
from sklambda.storage import Storage
from sklambda.storage.objects import ANY

_MEDIA_TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "prom": "text/plain; charset=utf-8",
}

type Json = dict[str, Any]
type Window = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Outside:
    """What a run asks of the world, and tells it.

    Attributes
    ----------
    judge : callable
        Judges the window that ends with a time, as of a moment.
    traffic : callable
        Says how the service did in a window, as of a moment; None where nobody counts.
    lines : callable
        Gives the lines of requests of the hour before a moment.
    deployment : callable
        Describes what is deployed; None where nobody knows.
    send : callable
        Sends people a message.
    publish : callable
        Tells programs what has happened.
    count : callable
        Writes the metrics of a run.
    address : callable
        Says where a person finds the object at a key.
    """

    judge: Callable[[datetime, datetime], Results]
    traffic: Callable[[Window, datetime], Traffic | None]
    lines: Callable[[datetime], Lines]
    deployment: Callable[[], Deployment | None]
    send: Callable[[Message], None]
    publish: Callable[[Sequence[Happening]], None]
    count: Callable[[Results], None]
    address: Callable[[str], str]


class Monitor:
    """Does what an event asks for.

    Parameters
    ----------
    records : Storage
        Where reports go, and what is remembered.
    model_id : str
        The id of the package.
    policy : RetrainingPolicy
        When to retrain.
    outside : Outside
        The world.
    """

    def __init__(
        self, records: Storage, model_id: str, policy: RetrainingPolicy, outside: Outside
    ) -> None:
        self._records, self._id = records, model_id
        self._policy, self._outside = policy, outside

    def run(self, look: Look) -> Json:
        """Judge a window, write its report, and tell what is new."""
        state = State.read(self._records, self._id)
        results, signals = self._judged(look, state)
        if look.alarm is not None:
            return self._explain(look, look.alarm, results, state)
        kept = replace(results, diagnosis=self._kept_diagnosis(results))
        is_past = state.is_past(results.window.stop)
        self._report(kept, latest=not is_past)
        return self._answer(results, not is_past and self._tell(results, signals, state))

    def _judged(self, look: Look, state: State) -> tuple[Results, Signals]:
        results = self._outside.judge(look.until, look.at)
        window = moment(results.window.start), moment(results.window.stop)
        results = replace(results, traffic=self._outside.traffic(window, look.at))
        signals = Signals.of_report(json.loads(files.json(results)))
        stop = signals.stop
        # A window that comes again is decided as it was, without what came of it.
        called = state.called if state.called and moment(state.called) < window[1] else ""
        decision = decide(self._policy, signals, state.before(stop), called)
        return replace(results, retrain=decision.retrain, held=decision.held), signals

    def _explain(self, look: Look, alarm: Alarm, results: Results, state: State) -> Json:
        """Say what an alarm is about; what the window itself shows, its own run tells."""
        deployments = state.with_deployment(self._outside.deployment()).deployments
        found = diagnose(alarm, self._outside.lines(look.at), deployments)
        results = replace(results, diagnosis=found)
        self._report(results, latest=not state.is_past(results.window.stop))
        name = f"alarm-{alarm.id}"
        return self._answer(results, self._once(name, lambda: self._send(results)))

    def _tell(self, results: Results, signals: Signals, state: State) -> bool:
        def tell() -> None:
            told = self._news(results, state.known(signals))
            called = results.window.stop if results.retrain else state.called
            after = state.replace(told=told, called=called)
            after = after.with_window(signals, self._policy)
            after.with_deployment(self._outside.deployment()).write(self._records, self._id)

        return self._once(_name(results), tell)

    def _news(self, results: Results, known: dict[str, str]) -> dict[str, str]:
        """Tell what people do not know; give what they know then."""
        items, well = messages.items(results), messages.is_well(results)
        fresh = set(items) - known.keys()
        if fresh or (well and known):
            self._send(results, well_again=well)
        where = self._outside.address(_page(results))
        self._outside.publish(list(messages.happenings(results, fresh, where)))
        self._outside.count(results)
        return {} if well else known | dict.fromkeys(items, results.window.stop)

    def _send(self, results: Results, well_again: bool = False) -> None:
        where = self._outside.address(_page(results))
        self._outside.send(messages.message(results, where, well_again))

    def _once(self, name: str, act: Callable[[], None]) -> bool:
        """Act unless it was done; what fails may be tried again."""
        taken = claim(self._records, self._id, name)
        if taken is None:
            return False
        try:
            act()
        except Exception:
            release(self._records, [taken])
            raise
        return True

    def _report(self, results: Results, latest: bool) -> None:
        by_type: dict[str, dict[str, bytes]] = defaultdict(dict)
        for key, content in files.files(results).items():
            if latest or not key.startswith(files.LATEST):
                by_type[_MEDIA_TYPES.get(key.rpartition(".")[2], ANY)][key] = content
        for media_type, objects in by_type.items():
            self._records.put(objects, media_type)

    def _kept_diagnosis(self, results: Results) -> Diagnosis | None:
        """Give what an alarm's run has found of the same window, which stays in its report."""
        stored = self._records.find(_page(results, "json"))
        found = json.loads(self._records.read(stored))["diagnosis"] if stored else None
        if found is None:
            return None
        classes = {name: [tuple(one) for one in found[name]] for name in ("slowest", "failing")}
        return Diagnosis(**found | classes)

    def _answer(self, results: Results, told: bool) -> Json:
        return {
            "window": results.window.stop,
            "state": results.state,
            "retrain": list(results.retrain),
            "held": list(results.held),
            "report": _page(results),
            "told": told,
        }


def _name(results: Results) -> str:
    return f"window-{results.window.stop}"


def _page(results: Results, kind: str = "html") -> str:
    return f"reports/{results.model_id}/{results.window.stop}.{kind}"
