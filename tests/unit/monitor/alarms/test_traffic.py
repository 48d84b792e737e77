"""Traffic is read from CloudWatch."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.monitor.alarms.traffic import Traffic, read_traffic

STOP = datetime(2026, 11, 22, 10, tzinfo=UTC)
AT = STOP + timedelta(minutes=20)
DAY = timedelta(days=1)


class CloudWatch:
    """CloudWatch with a series for each query, one value a page."""

    def __init__(self, **series: list[tuple[datetime, float]]) -> None:
        self._series, self.calls = series, list[dict[str, Any]]()

    def get_metric_data(self, **parameters: Any) -> Any:
        self.calls.append(parameters)
        page = int(parameters.get("NextToken", "0"))
        results, more = [], False
        for query in parameters["MetricDataQueries"]:
            series = self._series.get(query["Id"], [])
            found = {"Id": query["Id"], "Timestamps": [], "Values": []}
            for time, value in series[page : page + 1]:
                found |= {"Timestamps": [time], "Values": [value]}
            results.append(found)
            more = more or len(series) > page + 1
        return {"MetricDataResults": results} | ({"NextToken": str(page + 1)} if more else {})


def read(client: CloudWatch, length: timedelta = DAY) -> Traffic:
    return read_traffic(client, "stack", "churn", (STOP - length, STOP), AT)


def test_a_day_is_read_in_one_period() -> None:
    client = CloudWatch(
        requests=[(STOP - DAY, 500.0)],
        problems=[(STOP - DAY, 7.0)],
        p50=[(STOP - DAY, 2.5)],
        p99=[(STOP - DAY, 40.0)],
        rows=[(AT - timedelta(minutes=15), 3.0), (AT - timedelta(minutes=60), 3.0)],
    )

    assert read(client) == Traffic(500, 7, 2.5, 40.0, 10.0)


def test_metrics_are_queried_as_the_service_writes_them() -> None:
    client = CloudWatch()

    read(client)

    found = defaultdict(set)
    for query in (one for call in client.calls for one in call["MetricDataQueries"]):
        metric = query["MetricStat"]["Metric"]
        assert metric["Namespace"] == "stack"
        assert metric["Dimensions"] == [{"Name": "model", "Value": "churn"}]
        found[metric["MetricName"]].add(query["MetricStat"]["Stat"])
    assert found == {
        "requests": {"Sum"},
        "problems": {"Sum"},
        "latency": {"p50", "p99"},
        "rows": {"Sum"},
    }


def test_longer_windows_are_read_by_days() -> None:
    days = [STOP - DAY * n for n in (3, 2, 1)]
    client = CloudWatch(
        requests=[(day, 100.0) for day in days],
        p50=list(zip(days, (1.0, 9.0, 2.0), strict=True)),
        p99=list(zip(days, (10.0, 90.0, 20.0), strict=True)),
    )

    found = read(client, 3 * DAY)

    assert (found.requests, found.problems, found.p50, found.p99) == (300, 0, 2.0, 90.0)
    periods = {one["MetricStat"]["Period"] for one in client.calls[0]["MetricDataQueries"]}
    assert periods == {86_400}


def test_unknown_statistics_are_none() -> None:
    assert read(CloudWatch()) == Traffic()


def test_a_prediction_of_this_minute_is_none_ago() -> None:
    assert read(CloudWatch(rows=[(AT, 1.0)])).minutes_since == 0.0
