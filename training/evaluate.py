"""How good the model is on rows that it has not seen, and whether that is enough."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    log_loss,
    roc_auc_score,
)

from training.errors import DataError, QualityGateFailed

type Codes = NDArray[np.intp]  # [N]: each row's class, as its place among the classes
type Probabilities = NDArray[np.float64]  # [N, C]
type _Measure = Callable[[Codes, Probabilities], float]

LOSSES = frozenset({"log_loss", "brier"})  # the smaller, the better


@dataclass(frozen=True)
class Metric:
    """A metric's value on the held-out rows, and the ends of its confidence interval."""

    value: float
    low: float
    high: float


def evaluate(
    y_true: NDArray[Any],
    probabilities: Probabilities,
    classes: NDArray[Any],
    *,
    confidence: float,
    resamples: int,
    seed: int,
    positive: object = None,
) -> dict[str, Metric]:
    """Measure a classifier on held-out rows.

    The intervals are those of the percentile bootstrap (Efron and Tibshirani, *An Introduction
    to the Bootstrap*, 1993, section 13.3). A resample that holds one class only is drawn again:
    nothing can be ranked on it.

    Parameters
    ----------
    y_true
        ``[N]``, the labels that were observed; each class occurs.
    probabilities
        ``[N, C]`` float64, each row adding up to 1.
    classes
        ``[C]``, the label of each column.
    confidence
        The share of resamples that an interval covers, between 0 and 1.
    resamples
        How many times rows are drawn.
    seed
        Decides which rows are drawn.
    positive
        The label that ``average_precision`` looks for, compared as text; the last of two
        classes unless told.

    Returns
    -------
    dict of str to Metric
        ``roc_auc`` (one class against the rest, weighted by size, where there are more than two),
        ``log_loss`` and ``accuracy``; for two classes ``average_precision`` and ``brier`` too.

    Raises
    ------
    DataError
        If ``positive`` is none of the two classes.
    """
    codes = np.searchsorted(classes, y_true)
    measures = _measures(len(classes), _positive(classes, positive))
    drawn = _resample(codes, resamples, np.random.default_rng(seed))
    ends = [50 * (1 - confidence), 50 * (1 + confidence)]
    metrics = {}
    for name, measure in measures.items():
        values = [measure(codes[rows], probabilities[rows]) for rows in drawn]
        low, high = np.percentile(values, ends)
        metrics[name] = Metric(measure(codes, probabilities), float(low), float(high))
    return metrics


def check_gates(metrics: Mapping[str, Metric], gates: Mapping[str, float]) -> None:
    """Compare the values of metrics with what is asked of them.

    Parameters
    ----------
    metrics
        What was measured.
    gates
        The least value of a metric, or the greatest of one of `LOSSES`.

    Raises
    ------
    QualityGateFailed
        Naming each metric that is missed, its value and its gate.
    """
    missed = [_missed(name, metrics.get(name), gate) for name, gate in gates.items()]
    sentences = [sentence for sentence in missed if sentence]
    if sentences:
        raise QualityGateFailed("; ".join(sentences))


def _missed(name: str, metric: Metric | None, gate: float) -> str | None:
    if metric is None:
        return f"{name} has a gate and is only measured where the target has two classes"
    loss = name in LOSSES
    if metric.value <= gate if loss else metric.value >= gate:
        return None
    bound = "most" if loss else "least"
    return f"{name} is {metric.value:.4f} and must be at {bound} {gate:g}"


def _positive(classes: NDArray[Any], positive: object) -> int:
    if positive is None:
        return 1
    labels = [str(label) for label in classes]
    if len(labels) != 2 or str(positive) not in labels:
        raise DataError("`evaluation.positive` is not one of two classes of the target")
    return labels.index(str(positive))


def _measures(classes: int, positive: int) -> dict[str, _Measure]:
    labels = range(classes)

    def accuracy(codes: Codes, scores: Probabilities) -> float:
        return float(accuracy_score(codes, scores.argmax(axis=1)))

    def loss(codes: Codes, scores: Probabilities) -> float:
        return float(log_loss(codes, scores, labels=labels))

    def auc(codes: Codes, scores: Probabilities) -> float:
        return float(roc_auc_score(codes == 1, scores[:, 1]))

    def precision(codes: Codes, scores: Probabilities) -> float:
        return float(average_precision_score(codes == positive, scores[:, positive]))

    def brier(codes: Codes, scores: Probabilities) -> float:
        return float(brier_score_loss(codes == 1, scores[:, 1]))

    shared: dict[str, _Measure] = {"log_loss": loss, "accuracy": accuracy}
    if classes > 2:
        return {"roc_auc": _auc_of_many} | shared
    return {"roc_auc": auc, "average_precision": precision, "brier": brier} | shared


def _auc_of_many(codes: Codes, scores: Probabilities) -> float:
    # roc_auc_score(multi_class="ovr", average="weighted") by the ranks of Mann and Whitney: all
    # classes at once, and a resample may lack a class, which then weighs nothing.
    own = rankdata(scores, axis=0)[np.arange(len(codes)), codes]
    sizes = np.bincount(codes)
    present = np.flatnonzero(sizes)
    size, ranks = sizes[present], np.bincount(codes, own)[present]
    areas = (ranks - size * (size + 1) / 2) / (size * (len(codes) - size))
    return float(np.average(areas, weights=size))


def _resample(codes: Codes, resamples: int, rng: np.random.Generator) -> list[NDArray[np.intp]]:
    drawn: list[NDArray[np.intp]] = []
    while len(drawn) < resamples:
        rows = rng.integers(0, len(codes), len(codes))
        if np.ptp(codes[rows]) > 0:
            drawn.append(rows)
    return drawn
