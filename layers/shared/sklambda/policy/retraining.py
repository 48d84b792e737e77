"""When to retrain: the signals of a window, and the decision of the policy.

Drift alone is never a reason: performance may improve under a shift of the features, and may drop
without one.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from math import hypot
from typing import Any, Final, NamedTuple, Self

from sklambda.document import Document
from sklambda.policy.watching import RetrainingPolicy

_NORMAL: Final = 1.96
"""The standard deviations on either side that contain 95 % of a normal distribution."""

_ERRORS: Final = frozenset({"log_loss", "brier", "mean_absolute_error", "root_mean_squared_error"})
"""Metrics of which a lower value is better."""

type Json = Mapping[str, Any]


class Signals(Document):
    """The signals of a window for retraining.

    Attributes
    ----------
    start, stop : str
        The window, ISO 8601.
    concept : tuple of str
        The targets with concept drift.
    dropped : tuple of str
        Realised metrics with a significant drop, as "accuracy of Churn".
    estimated : dict of str to float
        The drop of an estimated metric beyond the error of the estimate and of training: shares as
        they are, errors relative to those of training. Negative without a drop.
    labels : int
        The number of predictions with an outcome.
    incidents : tuple of str
        The faults of the data, as "tenure: missing".
    """

    start: str
    stop: str
    concept: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    estimated: dict[str, float]
    labels: int = 0
    incidents: tuple[str, ...] = ()

    @classmethod
    def of_report(cls, report: Json) -> Self:
        """Read the signals from the JSON of a report, `functions.monitor.results.Results`.

        Raises
        ------
        KeyError, TypeError
            The JSON is not that of a report.
        DocumentInvalid
            A member of the report is invalid.
        """
        targets = report["performance"]
        return cls(
            start=report["window"]["start"],
            stop=report["window"]["stop"],
            concept=tuple(one["target"] for one in targets if (one["concept"] or {}).get("alarm")),
            dropped=tuple(
                f"{name} of {one['target']}"
                for one in targets
                for name in one["dropped"]
                if not name.startswith("estimated ")
            ),
            estimated=dict(excess for one in targets for excess in _excesses(one)),
            labels=max((one["labelled"] for one in targets), default=0),
            incidents=tuple(_incidents(report["comparisons"])),
        )

    def reasons(self, policy: RetrainingPolicy) -> tuple[str, ...]:
        """Return the reasons to retrain."""
        return (
            *(f"concept drift in {target}" for target in self.concept),
            *(f"{name} dropped" for name in self.dropped),
            *(
                f"estimated {name} is worse by {excess:.3f} beyond its error"
                for name, excess in self.estimated.items()
                if excess >= policy.estimated_drop
            ),
        )


class Decision(NamedTuple):
    """The decision of the policy.

    Attributes
    ----------
    retrain : tuple of str
        The reasons to retrain; empty if the policy does not retrain.
    held : tuple of str
        Why it does not, in spite of a reason.
    """

    retrain: tuple[str, ...] = ()
    held: tuple[str, ...] = ()


def recommend(
    policy: RetrainingPolicy, now: Signals, before: Iterable[Signals] = (), called: str = ""
) -> Decision:
    """Decide whether to retrain.

    Parameters
    ----------
    policy : RetrainingPolicy
        The conditions.
    now : Signals
        The signals of the window; without a reason in it the policy does not retrain.
    before : iterable of Signals
        The signals of earlier windows. Of overlapping windows only one counts.
    called : str, optional
        The end of the window that last requested retraining; empty for never.
    """
    reasons = now.reasons(policy)
    if not reasons:
        return Decision()
    held = tuple(_obstacles(policy, without_overlap(now, before, policy.of_windows), called))
    return Decision((), held) if held else Decision(reasons)


def without_overlap(now: Signals, before: Iterable[Signals], most: int) -> list[Signals]:
    """Return a window and the latest before it that do not overlap, the latest first."""
    found = [now]
    for one in sorted(before, key=lambda signals: parse_time(signals.stop), reverse=True):
        if len(found) < most and parse_time(one.stop) <= parse_time(found[-1].start):
            found.append(one)
    return found


def recent(
    policy: RetrainingPolicy, before: Iterable[Signals], now: Signals
) -> tuple[Signals, ...]:
    """Return a window and those before it that count in later decisions."""
    length = parse_time(now.stop) - parse_time(now.start)
    oldest = parse_time(now.stop) - (policy.of_windows + 1) * length
    return (*(one for one in before if parse_time(one.stop) >= oldest), now)


def parse_time(text: str) -> datetime:
    """Parse a time of a report."""
    return datetime.fromisoformat(text)


def _obstacles(policy: RetrainingPolicy, windows: list[Signals], called: str) -> Iterator[str]:
    now, standing = windows[0], sum(bool(one.reasons(policy)) for one in windows)
    if standing < policy.windows:
        yield (
            f"{standing} of the last {policy.of_windows} windows have a reason, "
            f"and {policy.windows} must"
        )
    labels = sum(one.labels for one in windows)
    if labels < policy.labels:
        yield f"{labels} outcomes are known, and {policy.labels} are required"
    if called and parse_time(now.stop) < parse_time(called) + timedelta(
        hours=policy.cooldown_hours
    ):
        yield f"retraining was requested at {called}, less than {policy.cooldown_hours} hours ago"
    if now.incidents:
        yield f"the data has faults ({', '.join(now.incidents)})"


def _excesses(target: Json) -> Iterator[tuple[str, float]]:
    for name, estimate in target["estimated"].items():
        trained = target["trained"].get(name)
        figures = (estimate["value"], estimate["deviation"])
        if trained is None or None in figures or not trained["value"]:
            continue
        value, deviation = figures
        sign, unit = (-1, abs(trained["value"])) if name in _ERRORS else (1, 1.0)
        error = hypot(_NORMAL * deviation, (trained["high"] - trained["low"]) / 2)
        yield f"{name} of {target['target']}", (sign * (trained["value"] - value) - error) / unit


def _incidents(comparisons: Iterable[Json]) -> Iterator[str]:
    """Yield the faults of the data since training, which the first comparison is with."""
    for comparison in list(comparisons)[:1]:
        for verdict in comparison["findings"]["features"]:
            if verdict["check"] != "distribution" and verdict["state"] == "changed":
                yield f"{verdict['name'] or 'rows'}: {verdict['check'].replace('_', ' ')}"
