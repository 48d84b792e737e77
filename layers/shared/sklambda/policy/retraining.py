"""When to retrain: what a window says of it, and what the policy makes of that.

Drift alone is never a reason: a shift of the features may well raise the performance, and the
scores may lose their meaning where no feature has moved.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from math import hypot
from typing import Any, Final, NamedTuple, Self

from sklambda.document import Document
from sklambda.policy.watching import RetrainingPolicy

_NORMAL: Final = 1.96
"""Standard deviations on either side that hold 95 % of a normal distribution."""

_ERRORS: Final = frozenset({"log_loss", "brier", "mean_absolute_error", "root_mean_squared_error"})
"""Metrics of which less is better."""

type Json = Mapping[str, Any]


class Signals(Document):
    """What a window says of retraining.

    Attributes
    ----------
    start, stop : str
        The window, ISO 8601.
    concept : tuple of str
        The targets whose scores no longer mean what they meant.
    dropped : tuple of str
        Realised metrics that are worse than chance explains, as "accuracy of Churn".
    estimated : dict of str to float
        How much worse an estimated metric is, beyond the error of the estimate and of training:
        shares as they are, errors relative to those of training. Negative where it is no worse.
    labels : int
        How many predictions have an outcome.
    incidents : tuple of str
        What is wrong with the data, as "tenure: missing".
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
        """Read them from a report's JSON, `functions.monitor.results.Results`.

        Raises
        ------
        KeyError, TypeError
            It is no report.
        DocumentInvalid
            Likewise.
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
        """Give what speaks for retraining."""
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
    """What the policy comes to.

    Attributes
    ----------
    retrain : tuple of str
        Why to retrain; empty if not.
    held : tuple of str
        Why not, although something speaks for it.
    """

    retrain: tuple[str, ...] = ()
    held: tuple[str, ...] = ()


def decide(
    policy: RetrainingPolicy, now: Signals, before: Iterable[Signals] = (), called: str = ""
) -> Decision:
    """Decide whether to retrain.

    Parameters
    ----------
    policy : RetrainingPolicy
        What it takes.
    now : Signals
        Of the window that is judged; without a reason in it nothing is decided.
    before : iterable of Signals
        Of windows before. They may overlap: only as many are counted as lie apart.
    called : str, optional
        The end of the window that last asked for retraining; empty for never.
    """
    reasons = now.reasons(policy)
    if not reasons:
        return Decision()
    held = tuple(_obstacles(policy, apart(now, before, policy.of_windows), called))
    return Decision((), held) if held else Decision(reasons)


def apart(now: Signals, before: Iterable[Signals], most: int) -> list[Signals]:
    """Give a window and the last ones before it none of which overlap, the latest first."""
    found = [now]
    for one in sorted(before, key=lambda signals: moment(signals.stop), reverse=True):
        if len(found) < most and moment(one.stop) <= moment(found[-1].start):
            found.append(one)
    return found


def recent(
    policy: RetrainingPolicy, before: Iterable[Signals], now: Signals
) -> tuple[Signals, ...]:
    """Give a window and those before it that a later decision may still count."""
    length = moment(now.stop) - moment(now.start)
    oldest = moment(now.stop) - (policy.of_windows + 1) * length
    return (*(one for one in before if moment(one.stop) >= oldest), now)


def moment(text: str) -> datetime:
    """Read a time as a report has it."""
    return datetime.fromisoformat(text)


def _obstacles(policy: RetrainingPolicy, windows: list[Signals], called: str) -> Iterator[str]:
    now, standing = windows[0], sum(bool(one.reasons(policy)) for one in windows)
    if standing < policy.windows:
        yield (
            f"a reason stands in {standing} of the last {policy.of_windows} windows, "
            f"and must in {policy.windows}"
        )
    labels = sum(one.labels for one in windows)
    if labels < policy.labels:
        yield f"{labels} outcomes are known, and it takes {policy.labels}"
    if called and moment(now.stop) < moment(called) + timedelta(hours=policy.cooldown_hours):
        yield f"retraining was asked for at {called}, not {policy.cooldown_hours} hours ago"
    if now.incidents:
        yield f"the data is not as it should be ({', '.join(now.incidents)})"


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
    """Name the faults of the data since training: the first comparison is with it."""
    for comparison in list(comparisons)[:1]:
        for verdict in comparison["findings"]["features"]:
            if verdict["check"] != "distribution" and verdict["state"] == "changed":
                yield f"{verdict['name'] or 'rows'}: {verdict['check'].replace('_', ' ')}"
