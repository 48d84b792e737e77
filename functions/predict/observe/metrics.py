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

from pydantic_core import to_json

from functions.predict.http.answering import Answer
from functions.predict.http.exchange import Request
from functions.predict.http.response import Response
from functions.predict.http.routes import Endpoint
from functions.predict.model import Question, Reply
from sklambda.decision import Prediction
from sklambda.row_warnings import CautionCode
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
_MOST_VALUES: Final = 100
"""How many values of one metric CloudWatch takes from one line."""

type Json = dict[str, Any]


@dataclass(slots=True)
class _Tally:
    """What is learned of a request while it is answered."""

    model: str | None = None
    role: str | None = None
    rows: int = 0
    scores: list[float] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    are_probabilities: bool = False


_current: ContextVar[_Tally] = ContextVar("tally")


def listen(question: Question, reply: Reply) -> None:
    """Count an answer for the request that it belongs to; a listener of the service."""
    tally = _current.get(None)
    if tally is None:
        return
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
    """Answering that is measured.

    Parameters
    ----------
    answer : callable
        The answering.
    namespace : str
        Where CloudWatch keeps the metrics.
    name : str
        The name of the model: the metrics' one dimension.
    write : callable
        Writes a line.
    """

    def __init__(self, answer: Answer, namespace: str, name: str, write: Write) -> None:
        self._answer, self._write = answer, write
        self._namespace, self._name = namespace, name
        self._metrics = cache(self._described)

    def __call__(self, request: Request, endpoint: Endpoint) -> Response:
        """Answer a request by a route, and write its line."""
        tally, started = _Tally(), perf_counter()
        _current.set(tally)
        response = self._answer(request, endpoint)
        self._write(self._line(tally, request, response, perf_counter() - started))
        return response

    def _line(self, tally: _Tally, request: Request, response: Response, seconds: float) -> bytes:
        values = {"latency": round(seconds * 1000, 3), "requests": 1}
        values |= _values(tally, response) | _properties(tally, request, response)
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


def _values(tally: _Tally, response: Response) -> Json:
    values: Json = {}
    if response.problem is not None:
        values["problems"] = 1
    if tally.rows:
        values["rows"] = tally.rows
        for code in tally.warnings:
            values[f"warning_{code}"] = values.get(f"warning_{code}", 0) + 1
        finite = list(filter(isfinite, tally.scores))
        if finite:
            values["score"] = finite[:: ceil(len(finite) / _MOST_VALUES)]
    return values


def _properties(tally: _Tally, request: Request, response: Response) -> Json:
    caller = request.caller
    properties: Json = {"kind": "request", "status": response.status}
    properties["request_id"] = caller.request_id
    if request.route is not None:
        properties["route"] = request.route
    if response.problem is not None:
        properties["problem"] = response.problem
    if tally.rows:
        properties |= {"key_id": caller.key_id, "package": tally.model, "role": tally.role}
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
