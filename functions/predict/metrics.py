"""One line a request: its metrics as CloudWatch takes them from a log, and what it was.

The embedded metric format is written here rather than by Powertools, whose metrics take ten times
as long; `docs/observability.md` has the figures.
"""

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from math import ceil, isfinite, nan
from time import perf_counter, time
from typing import Any, Final

from pydantic_core import from_json, to_json
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from functions.predict.problems import MEDIA_TYPE
from functions.predict.service import Question, Reply
from sklambda.cautions import CautionCode
from sklambda.predictor import Prediction
from sklambda.telemetry import Write

BINS: Final = 100
"""Into how many parts of equal width probabilities are counted."""

_UNITS: Final = {
    "latency": "Milliseconds",
    "requests": "Count",
    "rows": "Count",
    "problems": "Count",
    "score": "None",
    **{f"warning_{code}": "Count" for code in CautionCode},
}
_PROBLEM: Final = MEDIA_TYPE.encode()
_MOST_VALUES: Final = 100
"""How many values of one metric CloudWatch takes from one line."""

type Json = dict[str, Any]


@dataclass(slots=True)
class _Tally:
    """What is learned of a request while it is answered."""

    request_id: str | None = None
    key_id: str | None = None
    model: str | None = None
    role: str | None = None
    rows: int = 0
    scores: list[float] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    are_probabilities: bool = False
    status: int = 500
    problem: str | None = None


_current: ContextVar[_Tally] = ContextVar("tally")


def listen(question: Question, reply: Reply) -> None:
    """Count an answer for the request that it belongs to; a listener of the service."""
    tally = _current.get(None)
    if tally is None:
        return
    tally.request_id, tally.key_id = question.caller.request_id, question.caller.key_id
    tally.model, tally.role = reply.model.id, reply.model.role
    tally.rows += len(reply.predictions)
    tally.scores += map(_score, reply.predictions)
    tally.are_probabilities = reply.model.signature.target.scores == "probability"
    tally.warnings += [one.code for cautions in reply.cautions for one in cautions]


def _score(prediction: Prediction) -> float:
    """Give the one number that an answer is about, NaN where there is none or several."""
    if prediction.score is not None:
        return prediction.score
    values = prediction.values or {}
    return next(iter(values.values())) if len(values) == 1 else nan


class Metered:
    """An application whose requests are measured.

    Parameters
    ----------
    app : ASGIApp
        The application.
    namespace : str
        Where CloudWatch keeps the metrics.
    name : str
        The name of the model: the metrics' one dimension.
    write : callable
        Writes a line.
    """

    def __init__(self, app: ASGIApp, namespace: str, name: str, write: Write) -> None:
        self._app, self._write = app, write
        self._namespace, self._name = namespace, name
        self._metrics = cache(self._described)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and write its line once the answer is given."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        tally, started = _Tally(), perf_counter()
        _current.set(tally)

        async def watched(message: Message) -> None:
            _watch(tally, message)
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            self._write(self._line(tally, scope, perf_counter() - started))

    def _line(self, tally: _Tally, scope: Scope, seconds: float) -> bytes:
        values = _values(tally, seconds)
        values |= _properties(tally, scope)
        metrics = self._metrics(tuple(name for name in values if name in _UNITS))
        head = b'{"_aws":{"Timestamp":%d,"CloudWatchMetrics":%b},' % (time() * 1000, metrics)
        return head + to_json({"model": self._name, **values})[1:]

    def _described(self, names: tuple[str, ...]) -> bytes:
        """Say which members are metrics; there are few such sets, and each request has one."""
        directives = [self._directive(["model"], names)]
        if "problems" in names:
            directives.append(self._directive(["model", "problem"], ["problems"]))
        return to_json(directives)

    def _directive(self, dimensions: list[str], names: Sequence[str]) -> Json:
        units = [{"Name": name, "Unit": _UNITS[name]} for name in names]
        return {"Namespace": self._namespace, "Dimensions": [dimensions], "Metrics": units}


def _watch(tally: _Tally, message: Message) -> None:
    if message["type"] == "http.response.start":
        tally.status = message["status"]
        if tally.status < 400 and tally.request_id is not None:
            return
        headers = dict(message.get("headers", ()))
        tally.request_id = headers.get(b"x-request-id", b"").decode("latin-1") or None
        if headers.get(b"content-type") == _PROBLEM:
            tally.problem = "unknown"
    elif tally.problem == "unknown":
        tally.problem = _kind(message.get("body", b""))


def _kind(body: bytes) -> str:
    """Read the problem's type: the answer is the one place that every problem comes through."""
    try:
        return str(from_json(body)["type"]).rpartition(":")[2]
    except (ValueError, KeyError, TypeError):
        return "unknown"


def _values(tally: _Tally, seconds: float) -> dict[str, Any]:
    values: dict[str, Any] = {"latency": round(seconds * 1000, 3), "requests": 1}
    if tally.problem is not None:
        values["problems"] = 1
    if tally.rows:
        values["rows"] = tally.rows
        for code in tally.warnings:
            values[f"warning_{code}"] = values.get(f"warning_{code}", 0) + 1
        finite = list(filter(isfinite, tally.scores))
        if finite:
            values["score"] = finite[:: ceil(len(finite) / _MOST_VALUES)]
    return values


def _properties(tally: _Tally, scope: Scope) -> Json:
    properties: Json = {"kind": "request", "status": tally.status, "request_id": tally.request_id}
    route = scope.get("route")
    if route is not None:
        properties["route"] = route.path
    if tally.problem is not None:
        properties["problem"] = tally.problem
    if tally.rows:
        properties |= {"key_id": tally.key_id, "package": tally.model, "role": tally.role}
        if tally.are_probabilities:
            properties["score_bins"] = _bins(tally.scores)
    return properties


def _bins(scores: Sequence[float]) -> dict[int, int]:
    """Count probabilities by part: what estimates performance without labels needs."""
    bins: dict[int, int] = {}
    for score in scores:
        if 0.0 <= score <= 1.0:
            place = min(BINS - 1, int(score * BINS))
            bins[place] = bins.get(place, 0) + 1
    return bins
