"""The decisions of a retraining policy on the reports of the past."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from sklambda.errors import DocumentInvalid
from sklambda.policy.retraining import Decision, Signals, parse_time, recent, recommend
from sklambda.policy.watching import RetrainingPolicy
from training.errors import DataError


@dataclass(frozen=True, slots=True)
class Step:
    """The policy's decision on one window.

    Attributes
    ----------
    model, model_id : str
        The model of the window.
    rows : int
        The number of its predictions.
    signals : Signals
        The window's signals for retraining.
    reasons : tuple of str
        The reasons for retraining.
    decision : Decision
        The policy's decision.
    """

    model: str
    model_id: str
    rows: int
    signals: Signals
    reasons: tuple[str, ...]
    decision: Decision


def replay(folder: Path, policy: RetrainingPolicy) -> list[Step]:
    """Run a policy over the reports of a folder, window by window as they ended.

    Parameters
    ----------
    folder : Path
        Holds reports as JSON, at any depth: what the monitor keeps below ``reports/``.
    policy : RetrainingPolicy
        The policy to try.

    Raises
    ------
    DataError
        The folder holds no report, or a file is not one.
    """
    reports = [_read(path) for path in sorted(folder.rglob("*.json")) if path.stem != "latest"]
    if not reports:
        raise DataError(f"{folder}: no report of the monitor (*.json) found")
    ordered = sorted(reports, key=lambda one: (one[0]["model_id"], parse_time(one[1].stop)))
    models = groupby(ordered, key=lambda one: one[0]["model_id"])
    return [step for _, windows in models for step in _steps(list(windows), policy)]


def _steps(
    windows: Sequence[tuple[dict[str, Any], Signals]], policy: RetrainingPolicy
) -> Iterator[Step]:
    before: tuple[Signals, ...] = ()
    called = ""
    for report, now in windows:
        decision = recommend(policy, now, before, called)
        before = recent(policy, before, now)
        called = now.stop if decision.retrain else called
        yield Step(
            model=report["model"],
            model_id=report["model_id"],
            rows=report["window"]["rows"],
            signals=now,
            reasons=now.reasons(policy),
            decision=decision,
        )


def _read(path: Path) -> tuple[dict[str, Any], Signals]:
    try:
        report = json.loads(path.read_bytes())
        return report, Signals.of_report(report)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, DocumentInvalid):
        raise DataError(f"{path} is not a report of the monitor") from None
