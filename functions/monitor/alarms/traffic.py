"""Traffic: the requests and latencies that CloudWatch counted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Final, Protocol

_DAY: Final = 86_400
"""The longest period of a CloudWatch statistic, in seconds."""

_FIVE_MINUTES: Final = 300
_STATISTICS: Final = {
    "requests": ("requests", "Sum"),
    "problems": ("problems", "Sum"),
    "p50": ("latency", "p50"),
    "p99": ("latency", "p99"),
}
type Json = dict[str, Any]
type Series = list[tuple[datetime, float]]


@dataclass(frozen=True, slots=True)
class Traffic:
    """The traffic of a window; None for a statistic that CloudWatch does not have.

    Attributes
    ----------
    requests, problems : int or None
        The number of requests, and of those that were refused or failed.
    p50, p99 : float or None
        The latency in milliseconds.
    minutes_since : float or None
        Minutes since the last prediction.
    """

    requests: int | None = None
    problems: int | None = None
    p50: float | None = None
    p99: float | None = None
    minutes_since: float | None = None


class MetricsClient(Protocol):
    """The method that is used of a boto3 client of CloudWatch."""

    def get_metric_data(self, **parameters: Any) -> Any:
        """Read metrics."""


def read_traffic(
    client: MetricsClient,
    namespace: str,
    model: str,
    window: tuple[datetime, datetime],
    at: datetime,
) -> Traffic:
    """Read the traffic of a window.

    Parameters
    ----------
    client : MetricsClient
        A client of CloudWatch.
    namespace, model : str
        The namespace and the dimension of the metrics, ``docs/observability.md``.
    window : tuple of datetime
        Its start and stop. Percentiles cannot be summed: those of more than a day are the median of
        the daily medians and the greatest daily p99.
    at : datetime
        The time of the run.
    """
    start, stop = window
    period = min(_DAY, int((stop - start).total_seconds()))
    queries = [
        _query(name, namespace, model, metric, statistic, period)
        for name, (metric, statistic) in _STATISTICS.items()
    ]
    statistics = _read(client, queries, start, stop)
    recent = [_query("rows", namespace, model, "rows", "Sum", _FIVE_MINUTES)]
    rows = _read(client, recent, start, at)["rows"]
    return Traffic(
        requests=_total(statistics["requests"]),
        # With requests and without problems CloudWatch has no value.
        problems=_total(statistics["problems"]) or (0 if statistics["requests"] else None),
        p50=median(_values(statistics["p50"])) if statistics["p50"] else None,
        p99=max(_values(statistics["p99"]), default=None),
        minutes_since=_minutes_since(rows, at),
    )


def _query(name: str, namespace: str, model: str, metric: str, statistic: str, period: int) -> Json:
    dimensions = [{"Name": "model", "Value": model}]
    described = {"Namespace": namespace, "MetricName": metric, "Dimensions": dimensions}
    return {"Id": name, "MetricStat": {"Metric": described, "Period": period, "Stat": statistic}}


def _read(
    client: MetricsClient, queries: Sequence[Json], start: datetime, stop: datetime
) -> Mapping[str, Series]:
    series: dict[str, Series] = {query["Id"]: [] for query in queries}
    for page in _pages(client, queries, start, stop):
        for one in page["MetricDataResults"]:
            series[one["Id"]] += zip(one["Timestamps"], one["Values"], strict=True)
    return series


def _pages(
    client: MetricsClient, queries: Sequence[Json], start: datetime, stop: datetime
) -> Iterator[Json]:
    token: dict[str, str] = {}
    while True:
        page = client.get_metric_data(
            MetricDataQueries=queries, StartTime=start, EndTime=stop, **token
        )
        yield page
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}


def _values(series: Series) -> list[float]:
    return [value for _, value in series]


def _total(series: Series) -> int | None:
    return round(sum(_values(series))) if series else None


def _minutes_since(series: Series, at: datetime) -> float | None:
    """Return the minutes since the end of the last five minutes with a prediction."""
    times = [time for time, value in series if value > 0]
    if not times:
        return None
    last = max(times) + timedelta(seconds=_FIVE_MINUTES)
    return max(0.0, (at - last).total_seconds() / 60)
