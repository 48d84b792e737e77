"""Metrics of a model on held-out rows: one table of them, and their gates."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score

from sklambda.arrays import Flags, FloatMatrix, FloatVector, IntMatrix, IntVector
from sklambda.manifest import MetricInterval
from sklambda.signature import Scores, Target
from training.errors import DataError, QualityGateFailed

CONFIDENCE: Final = 0.95
"""The share of resamples that intervals cover: in the baseline always, else by default."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of measuring metrics.

    Attributes
    ----------
    positive : bool, int, float, str or None
        The positive label of ``average_precision``, compared as text; the last of two classes
        by default.
    resamples : int
        The number of resamples behind the intervals.
    seed : int
        Decides which rows are drawn.
    confidence : float
        The share of resamples that an interval of the manifest covers.
    """

    positive: object = None
    resamples: int = 200
    seed: int = 0
    confidence: float = CONFIDENCE


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric on held-out rows.

    Attributes
    ----------
    value : float
        Of all rows.
    resampled : tuple of float
        Of each resample of the rows that decides it.
    """

    value: float
    resampled: tuple[float, ...]

    def interval(self, confidence: float = CONFIDENCE) -> MetricInterval:
        """Return the value with the ends of the interval that covers this share of resamples."""
        ends = [50 * (1 - confidence), 50 * (1 + confidence)]
        low, high = np.percentile(self.resampled, ends).tolist()
        return MetricInterval(value=self.value, low=low, high=high)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Metrics by name, and the kind of scores that they were measured on."""

    metrics: Mapping[str, Metric]
    scores: Scores


class _Rows(NamedTuple):
    """Held-out rows of one target, or of one value of a regressor."""

    scores: FloatMatrix  # [N, C]: its scores, or [N, 1]: the value
    labels: IntVector  # [N]: the positions of the labels that the model gives
    true: IntVector | FloatVector  # [N]: the positions of the labels, or the values, that are true
    positive: int  # the positive class of average_precision

    def take(self, rows: IntVector) -> "_Rows":
        return self._replace(
            scores=self.scores[rows], labels=self.labels[rows], true=self.true[rows]
        )


class _Definition(NamedTuple):
    """A row of the table of metrics."""

    measure: Callable[[_Rows], float]  # NaN where no row decides it
    scores: frozenset[Scores]  # which kinds of scores it can be measured with
    two: bool = False  # whether it is one of two classes only
    loss: bool = False  # whether the smaller is the better

    def fits(self, target: Target) -> bool:
        return target.scores in self.scores and (not self.two or len(target.classes) == 2)

    @property
    def needs(self) -> str:
        scores = " or ".join(method for kind, method in _NAMES.items() if kind in self.scores)
        needs = ["two classes"] if self.two else []
        needs += [] if "label" in self.scores else [f"served {scores}"]
        return " and ".join([*needs, "held-out rows that decide it"])


def measure(
    target: Target,
    scores: FloatMatrix,
    labels: IntMatrix,
    true: IntMatrix | FloatMatrix,
    plan: Plan | None = None,
) -> dict[str, Metric]:
    """Measure a model on held-out rows.

    The intervals are those of the percentile bootstrap (Efron and Tibshirani, *An Introduction
    to the Bootstrap*, 1993, section 13.3); every metric is measured on the same resamples.

    Parameters
    ----------
    target : Target
        The model's target.
    scores : FloatMatrix
        Shape [N, C] float64: its scores, finite, or its values.
    labels : IntMatrix
        Shape [N, L]: the positions of the labels that it gives, by its threshold if it has one; no
        column for a regressor.
    true : IntMatrix or FloatMatrix
        Shape [N, L]: the positions of the true labels; [N, V]: a regressor's true values.
    plan : Plan, optional
        How they are measured.

    Returns
    -------
    dict of str to Metric
        Those of `METRICS` that such a target has and the rows decide: ``precision``, ``recall`` and
        ``f1`` of the last of two classes, ``roc_auc`` of more than two for each class against the
        rest, weighted by size. With several targets or values their name stands before.

    Raises
    ------
    DataError
        The plan's positive label is not one of two classes.
    """
    if not len(true):
        return {}
    how = plan or Plan()
    parts = list(_parts(target, scores, labels, true, _position(target, how.positive)))

    def measured(rows: IntVector) -> dict[str, float]:
        return {
            f"{before}{name}": metric.measure(drawn)
            for before, part, whole in parts
            for drawn in [whole.take(rows)]
            for name, metric in METRICS.items()
            if metric.fits(part)
        }

    rng, count = np.random.default_rng(how.seed), len(true)
    drawn = [measured(rng.integers(0, count, count)) for _ in range(how.resamples)]
    return {
        name: Metric(value, tuple(one[name] for one in drawn if np.isfinite(one[name])))
        for name, value in measured(np.arange(count)).items()
        if np.isfinite(value)
    }


def check_gates(metrics: Mapping[str, Metric], gates: Mapping[str, float]) -> None:
    """Compare the values of metrics with their gates.

    Parameters
    ----------
    metrics : mapping of str to Metric
        The measured metrics.
    gates : mapping of str to float
        The least value of a metric, or the greatest of a loss.

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
        return f"{name} has a gate but cannot be measured: it needs {METRICS[name].needs}"
    loss = METRICS[name].loss
    if metric.value <= gate if loss else metric.value >= gate:
        return None
    bound = "most" if loss else "least"
    return f"{name} is {metric.value:.4f} and must be at {bound} {gate:g}"


def _position(target: Target, positive: object) -> int:
    if positive is None:
        return 1
    if len(target.classes) != 2 or str(positive) not in target.class_names:
        raise DataError(
            f"`evaluation.positive` must be one of two classes of the target, got {positive!r} "
            f"and {len(target.classes)} classes"
        )
    return target.class_names.index(str(positive))


def _parts(
    target: Target,
    scores: FloatMatrix,
    labels: IntMatrix,
    true: IntMatrix | FloatMatrix,
    positive: int,
) -> Iterator[tuple[str, Target, _Rows]]:
    """Yield each target, or each value: what stands before its metrics, itself and its rows."""
    parts = [(str(part.name), part.shown, part) for part in target.parts or (target,)]
    if target.task == "regression":
        parts = [(name, 1, target) for name in target.outputs]
        labels = np.zeros(true.shape, dtype=np.intp)
    first = 0
    for place, (name, width, part) in enumerate(parts):
        before = f"{name}: " if target.parts or len(target.outputs) > 1 else ""
        own = scores[:, first : first + width]
        yield before, part, _Rows(own, labels[:, place], true[:, place], positive)
        first += width if target.task == "regression" else part.width


def _accuracy(rows: _Rows) -> float:
    return _share(rows.labels == rows.true)


def _precision(rows: _Rows) -> float:
    return _share(rows.true[rows.labels == 1] == 1)


def _recall(rows: _Rows) -> float:
    return _share(rows.labels[rows.true == 1] == 1)


def _f1(rows: _Rows) -> float:
    predicted, true = rows.labels == 1, rows.true == 1
    count = int(predicted.sum() + true.sum())
    return 2 * int((predicted & true).sum()) / count if count else np.nan


def _roc_auc(rows: _Rows) -> float:
    if rows.scores.shape[1] <= 2:
        return _area(rows.scores[:, -1], rows.true == 1)
    # As roc_auc_score(multi_class="ovr", average="weighted"), also where a resample lacks a class.
    present = np.unique(rows.true)
    own = [rows.true == code for code in present]
    areas = [_area(rows.scores[:, code], one) for code, one in zip(present, own, strict=True)]
    return float(np.average(areas, weights=np.sum(own, axis=1)))


def _area(scores: FloatVector, true: Flags) -> float:
    """Return the area under the ROC curve by ranks (Mann and Whitney, 1947), ties being half."""
    ones = int(true.sum())
    pairs = ones * (len(true) - ones)
    if not pairs:
        return np.nan
    return float((rankdata(scores)[true].sum() - ones * (ones + 1) / 2) / pairs)


def _average_precision(rows: _Rows) -> float:
    found = rows.true == rows.positive
    if not found.any():
        return np.nan
    if rows.scores.shape[1] == 1:  # a decision, which grows with the chance of the second class
        scores = rows.scores[:, 0] if rows.positive else -rows.scores[:, 0]
    else:
        scores = rows.scores[:, rows.positive]
    return float(average_precision_score(found, scores))


def _brier(rows: _Rows) -> float:
    return float((((rows.true == 1) - rows.scores[:, 1]) ** 2).mean())


def _log_loss(rows: _Rows) -> float:
    # As scikit-learn does: a probability of 0 counts as the machine epsilon.
    least = np.finfo(np.float64).eps
    chances = rows.scores[np.arange(len(rows.true)), rows.true.astype(np.intp)]
    return -float(np.log(np.clip(chances, least, 1 - least)).mean())


def _bias(rows: _Rows) -> float:
    return float(_errors(rows).mean())


def _mean_absolute_error(rows: _Rows) -> float:
    return float(np.abs(_errors(rows)).mean())


def _root_mean_squared_error(rows: _Rows) -> float:
    return float(np.sqrt((_errors(rows) ** 2).mean()))


def _r2(rows: _Rows) -> float:
    spread = float(((rows.true - rows.true.mean()) ** 2).sum())
    return 1 - float((_errors(rows) ** 2).sum()) / spread if spread else np.nan


def _errors(rows: _Rows) -> FloatVector:
    errors: FloatVector = rows.scores[:, 0] - rows.true
    return errors


def _share(flags: Flags) -> float:
    return float(flags.mean()) if len(flags) else np.nan


_NAMES: Final[dict[Scores, str]] = {
    "probability": "probabilities",
    "decision": "decisions",
    "value": "values",
}
_LABELS: Final[frozenset[Scores]] = frozenset({"probability", "decision", "votes", "label"})
_RANKS: Final[frozenset[Scores]] = frozenset({"probability", "decision", "votes"})
_CHANCES: Final[frozenset[Scores]] = frozenset({"probability"})
_VALUES: Final[frozenset[Scores]] = frozenset({"value"})

SCORES: Final[Mapping[str, frozenset[Scores]]] = {
    "classification": _LABELS,
    "regression": _VALUES,
}
"""The scores that models of a task may have."""

METRICS: Final[dict[str, _Definition]] = {
    "accuracy": _Definition(_accuracy, _LABELS),
    "precision": _Definition(_precision, _LABELS, two=True),
    "recall": _Definition(_recall, _LABELS, two=True),
    "f1": _Definition(_f1, _LABELS, two=True),
    "roc_auc": _Definition(_roc_auc, _RANKS),
    "average_precision": _Definition(_average_precision, _RANKS, two=True),
    "brier": _Definition(_brier, _CHANCES, two=True, loss=True),
    "log_loss": _Definition(_log_loss, _CHANCES, loss=True),
    "bias": _Definition(_bias, _VALUES),
    "mean_absolute_error": _Definition(_mean_absolute_error, _VALUES, loss=True),
    "root_mean_squared_error": _Definition(_root_mean_squared_error, _VALUES, loss=True),
    "r2": _Definition(_r2, _VALUES),
}
"""Every metric of training by its name: gates, manifest and baseline have no others."""
