"""Results of runs of the monitor, made up."""

from dataclasses import replace
from typing import Any

from functions.monitor.drift.compare import Findings
from functions.monitor.drift.verdict import State, Verdict
from functions.monitor.performance.estimated import Estimate
from functions.monitor.performance.measure import ConceptDrift, Performance
from functions.monitor.results import Comparison, Results, Window
from functions.monitor.statistics.intervals import Interval
from sklambda.manifest import MetricInterval

MODEL = "7b02a938"
CONCEPT = ConceptDrift(rows=300, expected=0.8, realised=0.6, z=6.0, p=1e-9, alarm=True)


def verdict(name: str, **members: Any) -> Verdict:
    """Return a verdict; by default a change."""
    values: dict[str, Any] = {"rows": 900, "effect": 0.5, "least": 0.1, "p": 0.001}
    plain = {"check": "distribution", "state": "changed", "direction": "up"}
    return Verdict(name=name, **values | plain | members)


def trained(*features: Verdict, predictions: tuple[Verdict, ...] = ()) -> Comparison:
    """Return a comparison with training."""
    changed = any(one.changed for one in (*features, *predictions))
    state: State = "changed" if changed else "stable"
    return Comparison("training", Findings(state, 900, list(features), list(predictions)))


def good(**members: Any) -> Performance:
    """Return a performance as in training."""
    plain: dict[str, Any] = {
        "target": "Churn",
        "trained": {"accuracy": MetricInterval(value=0.8, low=0.78, high=0.82)},
        "realised": {"accuracy": Interval(0.8, 0.77, 0.83, 300.0)},
        "estimated": {"accuracy": Estimate(0.8, 0.01)},
        "labelled": 300,
    }
    return Performance(**plain | members)


def results(*features: Verdict, **members: Any) -> Results:
    """Return the results of the day until 22 November, 10 o'clock."""
    comparison = trained(*features)
    found = Results(
        model="churn",
        model_id=MODEL,
        made="2026-11-22T10:20:00Z",
        window=Window("2026-11-21T10:00:00Z", "2026-11-22T10:00:00Z", 900, 24, 0, "raw"),
        state=comparison.findings.state,
        comparisons=[comparison],
        performance=[good()],
    )
    return replace(found, **members)


def empty() -> Results:
    """Return the results of a window without predictions."""
    comparison = Comparison("training", Findings("no_data", 0, [], []))
    window = Window("2026-11-21T10:00:00Z", "2026-11-22T10:00:00Z")
    return results(window=window, state="no_data", comparisons=[comparison], performance=[])
