"""scikit-learn's own predictions for rows as clients send them, and the values it accepts."""

import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import joblib
import numpy as np
import pandas as pd
from sklearn.ensemble import BaggingClassifier, StackingClassifier
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from threadpoolctl import ThreadpoolController

from sklambda.arrays import Flags, FloatMatrix, IntMatrix
from sklambda.signature import Scores, Target
from training.convert.families.text import pipeline_input
from training.convert.graph.nearest import SORTED
from training.convert.graph.scope import Estimator
from training.frames import ClientRow

type PipelineInput = Any  # a data frame, or a series where the pipeline reads texts
type MakeFrame = Callable[[Sequence[ClientRow]], PipelineInput]

_METHODS: Final[dict[Scores, str]] = {
    "probability": "predict_proba",
    "decision": "decision_function",
    "votes": "decision_function",
    "value": "predict",
}
_DECIDING: Final = ("decision_function", "predict_joint_log_proba")
_EXACT: Final = frozenset(
    (
        "AdaBoostClassifier",
        "GradientBoostingClassifier",
        "HistGradientBoostingClassifier",
        "IsolationForest",
    )
)
"""Estimators that add tree after tree, the same on every processor, and decide by the sum; where
their scores tie, the graph leans to the side of the sum."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """The predictions of one side for some rows.

    Attributes
    ----------
    scores : FloatMatrix
        Shape [N, C]; NaN where the row was refused.
    labels : IntMatrix
        Shape [N, L]: positions in ``classes`` of each target that has labels; -1 where the row was
        refused.
    refused : Flags
        Shape [N].
    """

    scores: FloatMatrix
    labels: IntMatrix
    refused: Flags


def refused_rows(count: int, target: Target) -> Predictions:
    """Return the predictions for `count` rows that are all refused."""
    return Predictions(
        np.full((count, target.width), np.nan),
        np.full((count, len(_labelled(target))), -1),
        np.ones(count, dtype=bool),
    )


def concatenate(parts: Sequence[Predictions]) -> Predictions:
    """Concatenate the predictions of several lists of rows."""
    return Predictions(
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.refused for part in parts]),
    )


@dataclass(frozen=True, slots=True)
class Reference:
    """scikit-learn's side.

    Attributes
    ----------
    pipeline : estimator
        Fitted.
    frame : callable
        Makes scikit-learn's input from client rows.
    target : Target
        The target, whose scores and labels are compared.
    threads : ThreadpoolController
        Of the loaded libraries; finding them takes longer than scoring a row.
    """

    pipeline: Estimator
    frame: MakeFrame
    target: Target
    threads: ThreadpoolController = field(default_factory=ThreadpoolController, repr=False)

    def predict(self, rows: Sequence[ClientRow]) -> Predictions:
        """Score rows; where scikit-learn raises, halving finds the invalid rows."""
        if not rows:  # most estimators raise
            return refused_rows(0, self.target)
        with _single_threaded(self.threads):
            return self._predict_by_halves(rows)

    def predict_frame(self, frame: pd.DataFrame) -> Predictions:
        """Score a frame, [N, K]; errors of scikit-learn pass."""
        with _single_threaded(self.threads):
            return self._predict(pipeline_input(self.pipeline, frame))

    @property
    def is_exact(self) -> bool:
        """Whether no label depends on rounding, however close the scores are."""
        return type(_last(self.pipeline)).__name__ in _EXACT

    def decisions(self, rows: Sequence[ClientRow]) -> Sequence[FloatMatrix | None]:
        """Return the decisions, [N, 1] or [N, C], behind each label; None where the scores decide.

        Decisions of 40 and of 800 are both a probability of 1, those of ±1e-17 are both one of 0.5:
        whether a label depends on rounding is seen in them alone.
        """
        targets = _labelled(self.target)
        last = _last(self.pipeline)
        # The label of a Gaussian process is the sign of a mean that its probability does not show.
        if _sorts_equals(last) or isinstance(last, GaussianProcessClassifier):
            return [np.zeros((len(rows), 1))] * len(targets)
        if (
            self.target.scores != "probability"
            or self.target.label_by
            or any(each.threshold is not None for each in targets)
        ):
            return [None] * len(targets)
        with _single_threaded(self.threads):
            return _decisions(self.pipeline, self.frame(rows), len(rows), len(targets))

    def acceptance(self, rows: Sequence[ClientRow]) -> tuple[Flags, Flags]:
        """Return which rows scikit-learn accepts, [N], and for which it has scores without NaN.

        One row that is refused hides what the others beside it would be: so many are tried
        together as were accepted lately. Where all are refused, each is tried alone, and where
        none is, all at once.
        """
        accepted, scored = np.zeros((2, len(rows)), dtype=bool)
        start, size = 0, len(rows)
        with _single_threaded(self.threads):
            while start < len(rows):
                part = slice(start, start + size)
                found = self._scored(rows[part])
                if found is not None:
                    accepted[part], scored[part] = True, found
                if found is None and size > 1:
                    size //= 2
                    continue
                start += size
                size = min(1 if found is None else 2 * size, len(rows) - start)
        return accepted, scored

    def _scored(self, rows: Sequence[ClientRow]) -> Flags | None:
        """Return which rows, [N], have scores without NaN; None where a row is refused."""
        try:
            scores = self._predict(self.frame(rows)).scores
        except _refusals():
            return None
        flags: Flags = ~np.isnan(scores).any(axis=1)
        return flags

    def _predict_by_halves(self, rows: Sequence[ClientRow]) -> Predictions:
        try:
            return self._predict(self.frame(rows))
        except _refusals():
            if len(rows) == 1:
                return refused_rows(1, self.target)
            half = len(rows) // 2
            halves = rows[:half], rows[half:]
            return concatenate([self._predict_by_halves(each) for each in halves])

    def _predict(self, frame: PipelineInput) -> Predictions:
        labels = self._labels(frame)
        scores = self._scores(frame, labels)
        return Predictions(scores, labels, np.zeros(len(frame), dtype=bool))

    def _scores(self, frame: PipelineInput, labels: IntMatrix) -> FloatMatrix:
        if self.target.scores == "label":
            return _one_hot(labels, self.target)
        found = getattr(self.pipeline, _METHODS[self.target.scores])(frame)
        if isinstance(found, list):  # one matrix for each target
            found = np.hstack(found)
        scores = np.asarray(found, dtype=np.float64).reshape(len(frame), -1)
        if self.target.label_by is not None:
            decision = np.asarray(self.pipeline.decision_function(frame), dtype=np.float64)
            scores = np.hstack([scores, decision.reshape(len(frame), -1)])
        if self.target.scores == "probability" and 2 * scores.shape[1] == self.target.width:
            # The probability of each label alone.
            scores = np.stack([1 - scores, scores], axis=2).reshape(len(frame), -1)
        return scores

    def _labels(self, frame: PipelineInput) -> IntMatrix:
        targets = _labelled(self.target)
        if not targets:
            return np.empty((len(frame), 0), dtype=np.intp)
        predicted = self.pipeline.predict(frame)
        columns = _dense(predicted).reshape(len(frame), len(targets)).T
        return np.stack([_places(own, part) for own, part in zip(columns, targets, strict=True)], 1)


_OWN_ERRORS: Final = (("catboost", "CatBoostError"), ("lightgbm.basic", "LightGBMError"))


def _refusals() -> tuple[type[Exception], ...]:
    """Return the errors by which scikit-learn, and each library that is loaded, refuse rows."""
    own = [getattr(sys.modules[name], error) for name, error in _OWN_ERRORS if name in sys.modules]
    return AttributeError, LookupError, OverflowError, TypeError, ValueError, *own


@contextmanager
def _single_threaded(threads: ThreadpoolController) -> Iterator[None]:
    """Limit scikit-learn to one thread, and ignore its warnings.

    On few rows its threads cost more than they save, most of all on a busy machine. Extreme numbers
    and unseen categories, which it warns of, are here on purpose.
    """
    with (
        threads.limit(limits=1),
        joblib.parallel_config(backend="sequential"),
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
    ):
        warnings.simplefilter("ignore")
        yield


def _decisions(
    estimator: Estimator, frame: PipelineInput, rows: int, targets: int
) -> Sequence[FloatMatrix | None]:
    none: list[FloatMatrix | None] = [None] * targets
    method = next((name for name in _DECIDING if hasattr(estimator, name)), None)
    if _follows_probabilities(estimator):
        return none
    if method is not None:
        found = getattr(estimator, method)(frame)
        decisions = np.asarray(found, dtype=np.float64).reshape(rows, -1)
        if targets == 1:
            return [decisions]
        return np.split(decisions, targets, axis=1) if decisions.shape[1] == targets else none
    if not isinstance(_last(estimator), MultiOutputClassifier):
        return none
    if hasattr(estimator, "best_estimator_"):
        return _decisions(estimator.best_estimator_, frame, rows, targets)
    if isinstance(estimator, Pipeline):
        transformed = estimator[:-1].transform(frame) if len(estimator) > 1 else frame
        return _decisions(estimator[-1], transformed, rows, targets)
    return [_decisions(each, frame, rows, 1)[0] for each in estimator.estimators_]


def _last(estimator: Estimator) -> Estimator:
    if hasattr(estimator, "best_estimator_"):
        return _last(estimator.best_estimator_)
    return _last(estimator[-1]) if isinstance(estimator, Pipeline) else estimator


def _follows_probabilities(estimator: Estimator) -> bool:
    """Return whether ``predict`` ignores the ``decision_function`` that is there."""
    last = _last(estimator)
    return isinstance(last, BaggingClassifier) or (
        isinstance(last, StackingClassifier) and _follows_probabilities(last.final_estimator_)
    )


def _sorts_equals(estimator: Estimator) -> bool:
    """Return whether labels that tie depend on how scikit-learn sorts equal distances."""
    return (
        isinstance(estimator, KNeighborsClassifier)
        and estimator.weights == "distance"
        and estimator.n_neighbors > SORTED
    )


def _labelled(target: Target) -> list[Target]:
    return [part for part in target.parts or (target,) if part.classes]


def _dense(values: Any) -> Any:
    return values.toarray() if hasattr(values, "toarray") else np.asarray(values)


def _places(labels: Any, target: Target) -> IntMatrix:
    places = {label: place for place, label in enumerate(target.classes)}
    return np.array([places[label] for label in labels.tolist()], dtype=np.intp)


def _one_hot(labels: IntMatrix, target: Target) -> FloatMatrix:
    """Encode labels as one-hot rows, [N, C]."""
    return np.hstack(
        [
            np.eye(len(part.classes))[own]
            for own, part in zip(labels.T, _labelled(target), strict=True)
        ]
    )
