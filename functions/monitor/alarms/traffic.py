from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Final, Protocol

_DAY: Final = 86_400
"""The longest period, in seconds, of which CloudWatch gives one figure."""

_FINE: Final = 300
_FIGURES: Final = {
    "requests": ("requests", "Sum"),
    "problems": ("problems", "Sum"),
    "p50": ("latency", "p50"),
    "p99": ("latency", "p99"),
}
type Json = dict[str, Any]
type Series = list[tuple[datetime, float]]


@dataclass(frozen=True, slots=True)
class Traffic:
    """How the service did, by CloudWatch; None where it has no figure.

    Attributes
    ----------
    requests, problems : int or None
        How many requests, and how many of them were refused or failed.
    p50, p99 : float or None
        Milliseconds of a request.
    minutes_since : float or None
        Since the last prediction.
    """

    requests: int | None = None
    problems: int | None = None
    p50: float | None = None
    p99: float | None = None
    minutes_since: float | None = None


class Client(Protocol):
    """What is needed of a boto3 client of CloudWatch."""

    def get_metric_data(self, **asked: Any) -> Any:
        """Read metrics."""


def traffic(
    client: Client, namespace: str, model: str, window: tuple[datetime, datetime], at: datetime
) -> Traffic:
    """Read how the service did in a window.

    Parameters
    ----------
    client : Client
        Of CloudWatch.
    namespace, model : str
        Whose metrics, ``docs/observability.md``.
    window : tuple of datetime
        Its start and stop. The percentiles of one longer than a day are the median of its days'
        medians and the 99th of its worst day, for percentiles cannot be added.
    at : datetime
        As of when the last prediction is looked for.
    """
    start, stop = window
    period = min(_DAY, int((stop - start).total_seconds()))
    queries = [
        _query(name, namespace, model, metric, statistic, period)
        for name, (metric, statistic) in _FIGURES.items()
    ]
    found = _read(client, queries, start, stop)
    recent = [_query("rows", namespace, model, "rows", "Sum", _FINE)]
    rows = _read(client, recent, start, at)["rows"]
    return Traffic(
        requests=_total(found["requests"]),
        # Where there are requests and no problem, CloudWatch has no figure.
        problems=_total(found["problems"]) or (0 if found["requests"] else None),
        p50=median(_values(found["p50"])) if found["p50"] else None,
        p99=max(_values(found["p99"]), default=None),
        minutes_since=_minutes_since(rows, at),
    )


def _query(name: str, namespace: str, model: str, metric: str, statistic: str, period: int) -> Json:
    dimensions = [{"Name": "model", "Value": model}]
    described = {"Namespace": namespace, "MetricName": metric, "Dimensions": dimensions}
    return {"Id": name, "MetricStat": {"Metric": described, "Period": period, "Stat": statistic}}


def _read(
    client: Client, queries: Sequence[Json], start: datetime, stop: datetime
) -> Mapping[str, Series]:
    series: dict[str, Series] = {query["Id"]: [] for query in queries}
    for page in _pages(client, queries, start, stop):
        for one in page["MetricDataResults"]:
            series[one["Id"]] += zip(one["Timestamps"], one["Values"], strict=True)
    return series


def _pages(
    client: Client, queries: Sequence[Json], start: datetime, stop: datetime
) -> Iterator[Json]:
    more: dict[str, str] = {}
    while True:
        page = client.get_metric_data(
            MetricDataQueries=queries, StartTime=start, EndTime=stop, **more
        )
        yield page
        if not page.get("NextToken"):
            return
        more = {"NextToken": page["NextToken"]}


def _values(series: Series) -> list[float]:
    return [value for _, value in series]


def _total(series: Series) -> int | None:
    return round(sum(_values(series))) if series else None


def _minutes_since(series: Series, at: datetime) -> float | None:
    """Count from the end of the last five minutes that had a prediction."""
    times = [time for time, value in series if value > 0]
    if not times:
        return None
    last = max(times) + timedelta(seconds=_FINE)
    return max(0.0, (at - last).total_seconds() / 60)
