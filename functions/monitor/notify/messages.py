"""Whom is told what: the message that a person reads, and the events that programs do."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import to_json

from functions.monitor.drift.verdict import Verdict
from functions.monitor.report import summary
from functions.monitor.results import Results

SOURCE: Final = "sklambda.monitor"

_MOST_VERDICTS: Final = 50
"""How many verdicts an event has at most, the first by impact: EventBridge takes 256 kB."""

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """What SNS sends.

    Attributes
    ----------
    subject : str
        At most 100 ASCII characters.
    text : str
        Plain sentences, then where the report is.
    """

    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Happening:
    """What EventBridge is told.

    Attributes
    ----------
    name : str
        ``sklambda.drift``, ``sklambda.performance`` or ``sklambda.retrain``.
    evidence : dict
        What shows it.
    """

    name: str
    evidence: Json

    def entry(self, bus: str) -> Json:
        """Give it as `PutEvents` takes it."""
        detail = to_json(self.evidence, inf_nan_mode="null").decode()
        return {
            "Source": SOURCE,
            "DetailType": self.name,
            "Detail": detail,
            "EventBusName": bus,
        }


def message(results: Results, report: str, well_again: bool = False) -> Message:
    """Write the message of a run; `report` says where it is."""
    begin = ["What was reported before is over.", ""] if well_again else []
    lines = [
        *begin,
        *summary.summary(results),
        "",
        f"Report: {report}",
        f"Window: {results.window.start} to {results.window.stop}, "
        f"{results.window.rows} predictions",
        f"Model: {results.model}, package {results.model_id}",
    ]
    return Message(summary.headline(results), "\n".join(lines))


def items(results: Results) -> tuple[str, ...]:
    """Name what there is to be told, so that one thing is told once; figures are left out."""
    return tuple(dict.fromkeys(_items(results)))


def is_well(results: Results) -> bool:
    """Whether there is nothing to tell, and enough was seen to say so."""
    return results.state == "stable" and not items(results)


def _items(results: Results) -> Iterator[str]:
    if results.state == "no_data":
        yield "no data"
    yield from (f"drift: {one.name}: {one.check}" for one in _changed(results))
    for one in results.performance:
        yield from (f"performance: {one.target}: {name}" for name in one.dropped)
        if one.concept is not None and one.concept.alarm:
            yield f"performance: {one.target}: concept"
    if results.retrain:
        yield f"retrain: {results.window.stop}"


def happenings(results: Results, fresh: set[str], report: str) -> Iterator[Happening]:
    """Give the events of a run, one for each kind of which something has come anew."""
    window = {"start": results.window.start, "stop": results.window.stop}
    about = {
        "model": {"name": results.model, "id": results.model_id},
        "window": window | {"rows": results.window.rows},
        "report": report,
    }
    kinds = {item.partition(":")[0] for item in fresh}
    if "drift" in kinds:
        changed = _changed(results)[:_MOST_VERDICTS]
        yield Happening("sklambda.drift", about | {"changes": [_plain(one) for one in changed]})
    performance = [_plain(one) for one in results.performance]
    if "performance" in kinds:
        yield Happening("sklambda.performance", about | {"performance": performance})
    if "retrain" in kinds:
        evidence = {"reasons": results.retrain, "performance": performance}
        yield Happening("sklambda.retrain", about | evidence)


def _changed(results: Results) -> list[Verdict]:
    """Give what has changed since training."""
    for comparison in results.comparisons[:1]:
        findings = comparison.findings
        return [one for one in (*findings.features, *findings.predictions) if one.changed]
    return []


def _plain(found: object) -> Json:
    plain: Json = json.loads(to_json(found, inf_nan_mode="null", fallback=vars))
    return plain
