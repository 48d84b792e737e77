"""How good each target's answers are: realised, estimated, and beside what was expected."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import Final

import numpy as np

from functions.monitor.counting.windows import Sum
from functions.monitor.outcomes import Evidence
from functions.monitor.performance.estimated import (
    Estimate,
    estimate_accuracy,
    estimate_error,
    estimate_from_bins,
)
from functions.monitor.performance.realised import (
    Concept,
    concept,
    concept_of_labels,
    realised,
    realised_accuracy,
    realised_error,
)
from functions.monitor.statistics.intervals import Interval
from functions.monitor.statistics.significance import normal_quantile
from functions.monitor.targets import Aim
from functions.monitor.watched_model import Subject
from sklambda.manifest import MetricInterval
from sklambda.sketch.sketch import Column, Sketch

ENOUGH: Final = 30
"""With fewer outcomes no metric is called worse: the intervals are those of many rows."""

_LEVEL: Final = 0.01
"""How often a metric may be called worse where nothing has changed."""

_LOSSES: Final = frozenset({"mean_absolute_error", "root_mean_squared_error"})


@dataclass(frozen=True, slots=True)
class Performance:
    """How good one target's answers are.

    Attributes
    ----------
    target : str
        The name of the target, or of the value.
    trained : dict of str to MetricInterval
        On held-out rows of training.
    realised : dict of str to Interval
        By the outcomes that are known; empty without any.
    estimated : dict of str to Estimate
        What is to be expected without them; empty where nothing can be said.
    labelled : int
        How many predictions of the window have an outcome.
    concept : Concept or None
        Whether scores still mean what they meant.
    dropped : tuple of str
        The metrics that are worse than in training beyond what chance explains: realised ones by
        their name, estimated ones as "estimated …".
    """

    target: str
    trained: dict[str, MetricInterval] = field(default_factory=dict)
    realised: dict[str, Interval] = field(default_factory=dict)
    estimated: dict[str, Estimate] = field(default_factory=dict)
    labelled: int = 0
    concept: Concept | None = None
    dropped: tuple[str, ...] = ()


def performance(subject: Subject, aim: Aim, window: Sum, evidence: Evidence) -> Performance:
    """Measure one target."""
    known = usable(aim, evidence)
    trained = _trained(subject, aim)
    seen = measured(aim, known)
    expected = estimated(subject, aim, window.sketch, window.errors)
    least = subject.watching.retrain.estimated_drop
    return Performance(
        target=aim.name,
        trained=trained,
        realised=seen,
        estimated=expected,
        labelled=len(known),
        concept=_concept(subject, aim, known),
        dropped=(
            *(_worse(trained, seen) if len(known) >= ENOUGH else ()),
            *(f"estimated {name}" for name in _lower(trained, expected, least)),
        ),
    )


def usable(aim: Aim, evidence: Evidence) -> Evidence:
    """Leave out the rows whose score is no finite number."""
    if aim.score is None:
        return evidence
    rows = np.flatnonzero(np.isfinite(evidence.answers.scores[:, aim.column]))
    answers = evidence.answers.take(rows)
    return Evidence(answers, evidence.true[rows], evidence.selection[rows])


def measured(aim: Aim, known: Evidence) -> dict[str, Interval]:
    """Measure what was realised; nothing without outcomes."""
    if not len(known):
        return {}
    true, selection = known.true[:, aim.outcome], known.selection
    if not aim.target.classes:
        return realised_error(known.answers.scores[:, aim.column], true, selection)
    labels = known.answers.labels[:, aim.place]
    if aim.two and aim.score is not None:
        scores = known.answers.scores[:, aim.column]
        return realised(scores, labels == 1, true == 1, selection)
    return {"accuracy": realised_accuracy(labels, true.astype(np.intp), selection)}


def estimated(
    subject: Subject, aim: Aim, sketch: Sketch, errors: Mapping[str, Column]
) -> dict[str, Estimate]:
    """Estimate what is to be expected; nothing where scores are no chances and none are learnt."""
    if aim.name in errors:
        known = subject.baseline.errors[aim.name]
        error = estimate_error(known.reference, errors[aim.name], known.deviation)
        return {"mean_absolute_error": error}
    if aim.score is None or not aim.target.classes or not sketch.rows:
        return {}
    name = aim.score.name
    calibrator = subject.baseline.calibrators.get(name)
    reference, column = subject.baseline.scores[name], sketch.scores[name]
    if (calibrator is None and not aim.chance) or not column.present:
        return {}
    if not aim.two:
        return {"accuracy": estimate_accuracy(reference, column, calibrator)}
    parting = aim.score.parting
    return estimate_from_bins(reference, column, inf if parting is None else parting, calibrator)


def _concept(subject: Subject, aim: Aim, known: Evidence) -> Concept | None:
    if aim.score is None or not aim.target.classes or not len(known):
        return None
    calibrator = subject.baseline.calibrators.get(aim.score.name)
    if calibrator is None and not aim.chance:
        return None
    scores, true = known.answers.scores[:, aim.column], known.true[:, aim.outcome]
    chances = scores if calibrator is None else calibrator(scores)
    rows = inf if calibrator is None else calibrator.rows
    labels = known.answers.labels[:, aim.place]
    if aim.two:
        return concept(chances, labels == 1, true == 1, rows)
    return concept_of_labels(chances, labels == true, rows)


def _trained(subject: Subject, aim: Aim) -> dict[str, MetricInterval]:
    """Give the metrics of training; those of one of several targets begin with its name."""
    metrics, target = subject.baseline.metrics, subject.signature.target
    if not target.parts and len(target.outputs) < 2:
        return dict(metrics)
    before = f"{aim.name}: "
    return {
        name.removeprefix(before): one for name, one in metrics.items() if name.startswith(before)
    }


def _worse(trained: Mapping[str, MetricInterval], seen: Mapping[str, Interval]) -> Iterator[str]:
    for name, now in seen.items():
        if (then := trained.get(name)) is not None and isfinite(now.value):
            drop = now.value - then.value if name in _LOSSES else then.value - now.value
            spread = np.hypot(_deviation(then), _deviation(now))
            if drop > max(spread * normal_quantile(1 - _LEVEL), 0.0):
                yield name


def _lower(
    trained: Mapping[str, MetricInterval], expected: Mapping[str, Estimate], least: float
) -> Iterator[str]:
    for name, now in expected.items():
        if (then := trained.get(name)) is not None and isfinite(now.value):
            spread = np.hypot(_deviation(then), now.deviation) * normal_quantile(1 - _LEVEL)
            drop, allowed = then.value - now.value, least
            if name in _LOSSES:  # which have a unit, so that the drop allowed is a share of them
                drop, allowed = -drop, least * then.value
            if drop > allowed + spread:
                yield name


def _deviation(figure: MetricInterval | Interval) -> float:
    return (figure.high - figure.low) / 2 / normal_quantile(0.975)
