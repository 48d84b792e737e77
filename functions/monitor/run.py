"""A run of the monitor: from an event to the report, the metrics, the message and the events.

An event may arrive twice: its report is written again, and its notifications are sent once.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from functions.monitor import notify
from functions.monitor.alarms.diagnosis import Diagnosis, LogLines, diagnose
from functions.monitor.alarms.traffic import Traffic
from functions.monitor.events import Alarm, RunRequest
from functions.monitor.notify import Event, Message
from functions.monitor.report import files
from functions.monitor.results import Results
from functions.monitor.state import Deployment, State, claim, release
from sklambda.policy.retraining import Signals, parse_time, recommend
from sklambda.policy.watching import RetrainingPolicy
from sklambda.storage import Storage
from sklambda.storage.objects import ANY

_MEDIA_TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "prom": "text/plain; charset=utf-8",
}

type Json = dict[str, Any]
type Period = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Ports:
    """The inputs and outputs of a run, as functions.

    Attributes
    ----------
    judge : callable
        Judges the window that ends with a time, as of a moment.
    traffic : callable
        Reads the traffic of a period, as of a moment; None if it is not measured.
    log_lines : callable
        Reads the lines of requests in the hour before a moment.
    deployment : callable
        Reads the deployed version; None if it is not known.
    send : callable
        Sends a message to people.
    publish : callable
        Publishes events for programs.
    write_metrics : callable
        Writes the metrics of a run.
    address : callable
        Returns the address at which a person opens the object of a key.
    """

    judge: Callable[[datetime, datetime], Results]
    traffic: Callable[[Period, datetime], Traffic | None]
    log_lines: Callable[[datetime], LogLines]
    deployment: Callable[[], Deployment | None]
    send: Callable[[Message], None]
    publish: Callable[[Sequence[Event]], None]
    write_metrics: Callable[[Results], None]
    address: Callable[[str], str]


class Monitor:
    """The monitor of a model.

    Parameters
    ----------
    storage : Storage
        Stores reports and the state.
    model_id : str
        The id of the package.
    policy : RetrainingPolicy
        When to retrain.
    ports : Ports
        The inputs and outputs.
    """

    def __init__(
        self, storage: Storage, model_id: str, policy: RetrainingPolicy, ports: Ports
    ) -> None:
        self._storage, self._model_id = storage, model_id
        self._policy, self._ports = policy, ports

    def run(self, request: RunRequest) -> Json:
        """Judge a window, write its report, and notify of new findings."""
        state = State.read(self._storage, self._model_id)
        results, signals = self._judge(request, state)
        if request.alarm is not None:
            return self._explain(request, request.alarm, results, state)
        is_past = state.is_past(results.window.stop)
        stored = self._stored_diagnosis(results)
        self._write_report(replace(results, diagnosis=stored), latest=not is_past)
        return _response(results, not is_past and self._notify(results, signals, state))

    def _judge(self, request: RunRequest, state: State) -> tuple[Results, Signals]:
        results = self._ports.judge(request.until, request.at)
        period = parse_time(results.window.start), parse_time(results.window.stop)
        results = replace(results, traffic=self._ports.traffic(period, request.at))
        signals = Signals.of_report(json.loads(files.json(results)))
        stop = signals.stop
        # A repeated window is decided as the first time, without its own earlier request.
        called = state.called if state.called and parse_time(state.called) < period[1] else ""
        decision = recommend(self._policy, signals, state.signals_before(stop), called)
        return replace(results, retrain=decision.retrain, held=decision.held), signals

    def _explain(self, request: RunRequest, alarm: Alarm, results: Results, state: State) -> Json:
        """Explain an alarm; the findings of the window are notified by its own run."""
        deployments = state.with_deployment(self._ports.deployment()).deployments
        diagnosis = diagnose(alarm, self._ports.log_lines(request.at), deployments)
        results = replace(results, diagnosis=diagnosis)
        self._write_report(results, latest=not state.is_past(results.window.stop))
        is_notified = self._once(f"alarm-{alarm.id}", lambda: self._send(results))
        return _response(results, is_notified)

    def _notify(self, results: Results, signals: Signals, state: State) -> bool:
        def notify() -> None:
            reported = self._notify_new(results, state.reported(signals))
            called = results.window.stop if results.retrain else state.called
            after = state.replace(told=reported, called=called).with_window(signals, self._policy)
            after = after.with_deployment(self._ports.deployment())
            after.write(self._storage, self._model_id)

        return self._once(f"window-{results.window.stop}", notify)

    def _notify_new(self, results: Results, reported: dict[str, str]) -> dict[str, str]:
        """Send the findings that are not reported yet; return those that are reported then."""
        findings, is_healthy = notify.finding_ids(results), notify.is_healthy(results)
        new = set(findings) - reported.keys()
        if new or (is_healthy and reported):
            self._send(results, recovered=is_healthy)
        address = self._ports.address(_page(results))
        self._ports.publish(list(notify.events(results, new, address)))
        self._ports.write_metrics(results)
        return {} if is_healthy else reported | dict.fromkeys(findings, results.window.stop)

    def _send(self, results: Results, recovered: bool = False) -> None:
        address = self._ports.address(_page(results))
        self._ports.send(notify.message(results, address, recovered))

    def _once(self, name: str, action: Callable[[], None]) -> bool:
        """Act unless an earlier run did; a failure releases the claim."""
        claimed = claim(self._storage, self._model_id, name)
        if claimed is None:
            return False
        try:
            action()
        except Exception:
            release(self._storage, [claimed])
            raise
        return True

    def _write_report(self, results: Results, latest: bool) -> None:
        by_type: dict[str, dict[str, bytes]] = defaultdict(dict)
        for key, content in files.files(results).items():
            if latest or not key.startswith(files.LATEST):
                by_type[_MEDIA_TYPES.get(key.rpartition(".")[2], ANY)][key] = content
        for media_type, objects in by_type.items():
            self._storage.put(objects, media_type)

    def _stored_diagnosis(self, results: Results) -> Diagnosis | None:
        """Return the diagnosis of an alarm in the same window, which stays in the report."""
        stored = self._storage.find(_page(results, "json"))
        document = json.loads(self._storage.read(stored))["diagnosis"] if stored else None
        if document is None:
            return None
        classes = {name: [tuple(one) for one in document[name]] for name in ("slowest", "failing")}
        return Diagnosis(**document | classes)


def _response(results: Results, is_notified: bool) -> Json:
    return {
        "window": results.window.stop,
        "state": results.state,
        "retrain": list(results.retrain),
        "held": list(results.held),
        "report": _page(results),
        "told": is_notified,
    }


def _page(results: Results, kind: str = "html") -> str:
    return f"reports/{results.model_id}/{results.window.stop}.{kind}"
