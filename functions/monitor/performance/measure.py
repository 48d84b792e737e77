"""The performance of a target: realised, estimated, and compared with training."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import Final

import numpy as np

from functions.monitor.counting.windows import WindowCounts
from functions.monitor.outcomes import LabelledPredictions
from functions.monitor.performance.estimated import (
    Estimate,
    estimate_accuracy,
    estimate_error,
    estimate_from_bins,
)
from functions.monitor.performance.realised import (
    ConceptDrift,
    binary_metrics,
    concept_drift,
    concept_drift_of_labels,
    multiclass_accuracy,
    regression_errors,
)
from functions.monitor.statistics.intervals import Interval
from functions.monitor.statistics.significance import normal_quantile
from functions.monitor.targets import WatchedTarget
from functions.monitor.watched_model import WatchedModel
from sklambda.manifest import MetricInterval
from sklambda.sketch.sketch import Histogram, Sketch

MIN_OUTCOMES: Final = 30
"""With fewer outcomes no metric counts as dropped: the intervals are asymptotic."""

_SIGNIFICANCE: Final = 0.01
"""The share of metrics that count as dropped by chance."""

_LOSSES: Final = frozenset({"mean_absolute_error", "root_mean_squared_error"})

_RANKS: Final = frozenset({"roc_auc"})
"""What needs scores and no labels."""


@dataclass(frozen=True, slots=True)
class Performance:
    """The performance of a target.

    Attributes
    ----------
    target : str
        The name of the target, or of the value.
    trained : dict of str to MetricInterval
        On held-out rows of training.
    realised : dict of str to Interval
        By outcomes; empty without any.
    estimated : dict of str to Estimate
        Expected without outcomes; empty where no estimate is possible.
    labelled : int
        The number of predictions with an outcome.
    concept : ConceptDrift or None
        The test for concept drift.
    dropped : tuple of str
        The metrics that are significantly worse than in training: realised ones by their name,
        estimated ones as "estimated …"; none if captures lack features that the scores depend on.
    """

    target: str
    trained: dict[str, MetricInterval] = field(default_factory=dict)
    realised: dict[str, Interval] = field(default_factory=dict)
    estimated: dict[str, Estimate] = field(default_factory=dict)
    labelled: int = 0
    concept: ConceptDrift | None = None
    dropped: tuple[str, ...] = ()


def measure(
    model: WatchedModel,
    watched: WatchedTarget,
    window: WindowCounts,
    labelled: LabelledPredictions,
) -> Performance:
    """Measure the performance of a target."""
    labelled = with_finite_scores(watched, labelled)
    trained = _training_metrics(model, watched)
    realised = realised_metrics(watched, labelled)
    estimated = estimated_metrics(model, watched, window.sketch, window.errors)
    allowed = model.watching.retrain.estimated_drop
    dropped = [f"estimated {name}" for name in _estimated_drops(trained, estimated, allowed)]
    if len(labelled) >= MIN_OUTCOMES:
        dropped = [*dropped_metrics(trained, realised), *dropped]
    return Performance(
        target=watched.name,
        trained=trained,
        realised=realised,
        estimated=estimated,
        labelled=len(labelled),
        concept=_test_concept_drift(model, watched, labelled),
        dropped=tuple(dropped) if _are_comparable(model, watched, window.sketch) else (),
    )


def _are_comparable(model: WatchedModel, watched: WatchedTarget, sketch: Sketch) -> bool:
    """Return whether captures have the model's own scores, but for what does not matter.

    A binned capture has the mean value of its bins, whose errors are greater than the model's.
    """
    is_value = not watched.target.classes
    return not model.baseline.hides_much(sketch) and not (is_value and sketch.mode == "binned")


def with_finite_scores(
    watched: WatchedTarget, labelled: LabelledPredictions
) -> LabelledPredictions:
    """Return the rows whose score is finite."""
    if watched.score is None:
        return labelled
    rows = np.flatnonzero(np.isfinite(labelled.predictions.scores[:, watched.score_column]))
    predictions = labelled.predictions.take(rows)
    return LabelledPredictions(predictions, labelled.true[rows], labelled.selection[rows])


def realised_metrics(watched: WatchedTarget, labelled: LabelledPredictions) -> dict[str, Interval]:
    """Measure the realised metrics of a target; return none without outcomes."""
    if not len(labelled):
        return {}
    true, selection = labelled.true[:, watched.outcome_column], labelled.selection
    predictions = labelled.predictions
    if not watched.target.classes:
        return regression_errors(predictions.scores[:, watched.score_column], true, selection)
    labels = predictions.labels[:, watched.label_column]
    if watched.is_binary and watched.score is not None:
        scores = predictions.scores[:, watched.score_column]
        return binary_metrics(scores, labels == 1, true == 1, selection)
    return {"accuracy": multiclass_accuracy(labels, true.astype(np.intp), selection)}


def estimated_metrics(
    model: WatchedModel, watched: WatchedTarget, sketch: Sketch, errors: Mapping[str, Histogram]
) -> dict[str, Estimate]:
    """Estimate the metrics of a target; return none if its scores are no probabilities."""
    if watched.name in errors:
        trained = model.baseline.errors[watched.name]
        error = estimate_error(trained.reference, errors[watched.name], trained.deviation)
        return {"mean_absolute_error": error}
    if watched.score is None or not watched.target.classes or not sketch.rows:
        return {}
    name = watched.score.name
    calibrator = model.baseline.calibrators.get(name)
    reference, column = model.baseline.scores[name], sketch.scores[name]
    if (calibrator is None and not watched.is_probability) or not column.present:
        return {}
    if not watched.is_binary:
        return {"accuracy": estimate_accuracy(reference, column, calibrator)}
    boundary = watched.score.boundary
    found = estimate_from_bins(reference, column, inf if boundary is None else boundary, calibrator)
    # Where the label does not follow the score, only what needs no label is meaningful.
    meaningful = found.keys() if boundary is not None else found.keys() & _RANKS
    return {name: estimate for name, estimate in found.items() if name in meaningful}


def _test_concept_drift(
    model: WatchedModel, watched: WatchedTarget, labelled: LabelledPredictions
) -> ConceptDrift | None:
    if watched.score is None or not watched.target.classes or not len(labelled):
        return None
    calibrator = model.baseline.calibrators.get(watched.score.name)
    if calibrator is None and not watched.is_probability:
        return None
    scores = labelled.predictions.scores[:, watched.score_column]
    true = labelled.true[:, watched.outcome_column]
    probabilities = scores if calibrator is None else calibrator(scores)
    rows = inf if calibrator is None else calibrator.rows
    labels = labelled.predictions.labels[:, watched.label_column]
    if watched.is_binary:
        return concept_drift(probabilities, labels == 1, true == 1, rows)
    return concept_drift_of_labels(probabilities, labels == true, rows)


def _training_metrics(model: WatchedModel, watched: WatchedTarget) -> dict[str, MetricInterval]:
    """Return the metrics of training; of one of several targets those that begin with its name."""
    metrics, target = model.baseline.metrics, model.signature.target
    if not target.parts and len(target.outputs) < 2:
        return dict(metrics)
    prefix = f"{watched.name}: "
    return {
        name.removeprefix(prefix): one for name, one in metrics.items() if name.startswith(prefix)
    }


def dropped_metrics(
    trained: Mapping[str, MetricInterval], realised: Mapping[str, Interval]
) -> Iterator[str]:
    """Return the realised metrics that are significantly worse than in training."""
    for name, now in realised.items():
        if (before := trained.get(name)) is not None and isfinite(now.value):
            drop = now.value - before.value if name in _LOSSES else before.value - now.value
            deviation = np.hypot(_deviation(before), _deviation(now))
            if drop > max(deviation * normal_quantile(1 - _SIGNIFICANCE), 0.0):
                yield name


def _estimated_drops(
    trained: Mapping[str, MetricInterval], estimated: Mapping[str, Estimate], allowed: float
) -> Iterator[str]:
    for name, now in estimated.items():
        if (before := trained.get(name)) is not None and isfinite(now.value):
            deviation = np.hypot(_deviation(before), now.deviation)
            drop, limit = before.value - now.value, allowed
            if name in _LOSSES:  # which have a unit, so that the allowed drop is a share of them
                drop, limit = -drop, allowed * before.value
            if drop > limit + deviation * normal_quantile(1 - _SIGNIFICANCE):
                yield name


def _deviation(metric: MetricInterval | Interval) -> float:
    return (metric.high - metric.low) / 2 / normal_quantile(0.975)
