"""Metrics of each request as one log line in CloudWatch's embedded metric format.

The format is written here rather than by Powertools, whose metrics take ten times as long;
`docs/observability.md` has the figures.
"""

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from math import ceil, isfinite, nan
from time import perf_counter, time
from typing import Any, Final

from pydantic_core import to_json

from functions.predict.http.dispatch import Dispatch
from functions.predict.http.exchange import Request
from functions.predict.http.response import Response
from functions.predict.http.routes import Endpoint
from functions.predict.model import PredictionRequest, PredictionResponse
from sklambda.codec.row_warnings import RowWarningCode
from sklambda.decision import Prediction
from sklambda.telemetry import Write

BINS: Final = 100
"""Number of bins of equal width in which probabilities are counted."""

CHALLENGER_STAYED: Final = "challenger_stayed"
"""Rows of the challenger's share that it refuses: the champion alone answered."""
CHALLENGER_FAILURES: Final = "challenger_failures"
"""Requests in which the challenger failed; the champion answered."""

_CHALLENGER_REFUSED: Final = "challenger_refused"
_UNITS: Final = {
    "latency": "Milliseconds",
    "requests": "Count",
    "rows": "Count",
    "problems": "Count",
    "score": "None",
    CHALLENGER_STAYED: "Count",
    CHALLENGER_FAILURES: "Count",
    _CHALLENGER_REFUSED: "Count",
    **{f"warning_{code}": "Count" for code in RowWarningCode},
}
_MAX_VALUES: Final = 100
"""Number of values of one metric that CloudWatch accepts in one line."""

type Json = dict[str, Any]


@dataclass(slots=True)
class _Counts:
    """The counts of one request."""

    model: str | None = None
    role: str | None = None
    rows: int = 0
    scores: list[float] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    are_probabilities: bool = False
    challenger: dict[str, int] = field(default_factory=dict)


_current: ContextVar[_Counts] = ContextVar("counts")


def count_predictions(_: PredictionRequest, response: PredictionResponse) -> None:
    """Count predictions for the current request; a listener of the service."""
    counts = _current.get(None)
    if counts is None:
        return
    counts.model, counts.role = response.model.id, response.model.role
    counts.rows += len(response.predictions)
    counts.scores += map(_score, response.predictions)
    counts.are_probabilities = response.model.signature.target.scores == "probability"
    counts.warnings += [each.code for warnings in response.warnings for each in warnings]


def count(metric: str, number: int = 1) -> None:
    """Add to a metric of the challenger in the current request."""
    counts = _current.get(None)
    if counts is not None and number:
        counts.challenger[metric] = counts.challenger.get(metric, 0) + number


def admission_line(namespace: str, name: str, admitted: bool) -> bytes:
    """Return the line of a start: whether the challenger is refused, 1 or 0."""
    values = {"kind": "challenger", "model": name, _CHALLENGER_REFUSED: int(not admitted)}
    directives = [_directive(namespace, ["model"], [_CHALLENGER_REFUSED])]
    stamp = {"Timestamp": int(time() * 1000), "CloudWatchMetrics": directives}
    return to_json({"_aws": stamp, **values})


def _score(prediction: Prediction) -> float:
    """Return the one score or value of a prediction; NaN where it has none or several."""
    if prediction.score is not None:
        return prediction.score
    values = prediction.values or {}
    return next(iter(values.values())) if len(values) == 1 else nan


class MeteredDispatcher:
    """A dispatcher that writes the metrics of each request.

    Parameters
    ----------
    dispatch : callable
        The dispatcher.
    namespace : str
        CloudWatch namespace of the metrics.
    name : str
        Name of the model of requests that name none. The model is the dimension of the metrics.
    write : callable
        Writes a line.
    """

    def __init__(self, dispatch: Dispatch, namespace: str, name: str, write: Write) -> None:
        self._dispatch, self._write = dispatch, write
        self._namespace, self._name = namespace, name
        self._metrics = cache(self._directives)

    def __call__(self, request: Request, endpoint: Endpoint) -> Response:
        """Return the response of an endpoint, and write the metrics of the request."""
        counts, start = _Counts(), perf_counter()
        _current.set(counts)
        response = self._dispatch(request, endpoint)
        self._write(self._line(counts, request, response, perf_counter() - start))
        return response

    def _line(self, counts: _Counts, request: Request, response: Response, seconds: float) -> bytes:
        values = {"latency": round(seconds * 1000, 3), "requests": 1}
        values |= _values(counts, response) | _properties(counts, request, response)
        metrics = self._metrics(tuple(name for name in values if name in _UNITS))
        head = b'{"_aws":{"Timestamp":%d,"CloudWatchMetrics":%b},' % (time() * 1000, metrics)
        return head + to_json({"model": request.model or self._name, **values})[1:]

    def _directives(self, names: tuple[str, ...]) -> bytes:
        """Declare which members are metrics; cached, as there are few such sets."""
        directives = [_directive(self._namespace, ["model"], names)]
        if "problems" in names:
            directives.append(_directive(self._namespace, ["model", "problem"], ["problems"]))
        return to_json(directives)


def _directive(namespace: str, dimensions: list[str], names: Sequence[str]) -> Json:
    units = [{"Name": name, "Unit": _UNITS[name]} for name in names]
    return {"Namespace": namespace, "Dimensions": [dimensions], "Metrics": units}


def _values(counts: _Counts, response: Response) -> Json:
    values: Json = dict(counts.challenger)
    if response.problem is not None:
        values["problems"] = 1
    if counts.rows:
        values["rows"] = counts.rows
        for code in counts.warnings:
            values[f"warning_{code}"] = values.get(f"warning_{code}", 0) + 1
        finite = list(filter(isfinite, counts.scores))
        if finite:
            values["score"] = finite[:: ceil(len(finite) / _MAX_VALUES)]
    return values


def _properties(counts: _Counts, request: Request, response: Response) -> Json:
    caller = request.caller
    properties: Json = {"kind": "request", "status": response.status}
    properties["request_id"] = caller.request_id
    if request.route is not None:
        properties["route"] = request.route
    if response.problem is not None:
        properties["problem"] = response.problem
    if counts.rows:
        properties |= {"key_id": caller.key_id, "package": counts.model, "role": counts.role}
        if counts.are_probabilities:
            properties["score_bins"] = _bins(counts.scores)
    return properties


def _bins(scores: Sequence[float]) -> dict[int, int]:
    """Count probabilities by bin, from which performance is estimated without labels."""
    bins: dict[int, int] = {}
    for score in scores:
        if 0.0 <= score <= 1.0:
            k = min(BINS - 1, int(score * BINS))
            bins[k] = bins.get(k, 0) + 1
    return bins
