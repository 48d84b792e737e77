"""scikit-learn's own answers to rows as clients send them."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from sklambda.arrays import Flags, FloatMatrix, IntMatrix
from sklambda.signature import Scores, Target
from training.convert.families.text import as_taken
from training.convert.graph.scope import Estimator
from training.frames import ClientRow

type Given = Any  # a data frame, or a series where the pipeline takes texts
type MakeFrame = Callable[[Sequence[ClientRow]], Given]

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
class Answers:
    """What one side says to some rows.

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


def refusals(count: int, target: Target) -> Answers:
    """Give the answers to `count` rows that are all refused."""
    return Answers(
        np.full((count, target.width), np.nan),
        np.full((count, len(_labelled(target))), -1),
        np.ones(count, dtype=bool),
    )


def joined(parts: Sequence[Answers]) -> Answers:
    """Return the answers to several lists of rows as those to one."""
    return Answers(
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.refused for part in parts]),
    )


@dataclass(frozen=True, slots=True)
class Reference:
    """scikit-learn's own answers.

    Attributes
    ----------
    pipeline : estimator
        Fitted.
    frame : callable
        Makes scikit-learn's input of client rows.
    target : Target
        Which of its answers are compared.
    """

    pipeline: Estimator
    frame: MakeFrame
    target: Target

    def answers(self, rows: Sequence[ClientRow]) -> Answers:
        """Score rows; where scikit-learn raises, the rows at fault are found by halving."""
        with _undisturbed():
            return self._halving(rows)

    def given(self, frame: pd.DataFrame) -> Answers:
        """Score a frame, [N, K], as it was given; raises what scikit-learn raises."""
        with _undisturbed():
            return self._of(as_taken(self.pipeline, frame))

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
        if self.target.scores != "probability" or any(
            each.threshold is not None for each in targets
        ):
            return [None] * len(targets)
        with _undisturbed():
            return _decisions(self.pipeline, self.frame(rows), len(rows), len(targets))

    def accepts(self, row: ClientRow) -> bool:
        """Tell whether scikit-learn gives an answer to a row at all."""
        return not self.answers([row]).refused[0]

    def _halving(self, rows: Sequence[ClientRow]) -> Answers:
        try:
            return self._of(self.frame(rows))
        except (AttributeError, IndexError, TypeError, ValueError):
            if len(rows) == 1:
                return refusals(1, self.target)
            half = len(rows) // 2
            return joined([self._halving(rows[:half]), self._halving(rows[half:])])

    def _of(self, frame: Given) -> Answers:
        labels = self._labels(frame)
        scores = self._scores(frame, labels)
        return Answers(scores, labels, np.zeros(len(frame), dtype=bool))

    def _scores(self, frame: Given, labels: IntMatrix) -> FloatMatrix:
        if self.target.scores == "label":
            return _hot(labels, self.target)
        answer = getattr(self.pipeline, _METHODS[self.target.scores])(frame)
        if isinstance(answer, list):  # one matrix for each target
            answer = np.hstack(answer)
        scores = np.asarray(answer, dtype=np.float64).reshape(len(frame), -1)
        if self.target.scores == "probability" and 2 * scores.shape[1] == self.target.width:
            # The probability of each label alone.
            scores = np.stack([1 - scores, scores], axis=2).reshape(len(frame), -1)
        return scores

    def _labels(self, frame: Given) -> IntMatrix:
        targets = _labelled(self.target)
        if not targets:
            return np.empty((len(frame), 0), dtype=np.intp)
        predicted = self.pipeline.predict(frame)
        columns = _dense(predicted).reshape(len(frame), len(targets)).T
        return np.stack([_places(own, part) for own, part in zip(columns, targets, strict=True)], 1)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let scikit-learn use one thread, and warn of nothing.

    On few rows its threads cost more than they save, most of all on a busy machine. What it warns
    of, extreme numbers and unseen categories, is here on purpose.
    """
    with threadpool_limits(limits=1), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def _decisions(
    estimator: Estimator, frame: Given, rows: int, targets: int
) -> Sequence[FloatMatrix | None]:
    none: list[FloatMatrix | None] = [None] * targets
    method = next((name for name in _DECIDING if hasattr(estimator, name)), None)
    if method is not None:
        found = getattr(estimator, method)(frame)
        decisions = np.asarray(found, dtype=np.float64).reshape(rows, -1)
        if targets == 1:
            return [decisions]
        return np.split(decisions, targets, axis=1) if decisions.shape[1] == targets else none
    if hasattr(estimator, "best_estimator_"):
        return _decisions(estimator.best_estimator_, frame, rows, targets)
    if isinstance(estimator, Pipeline):
        taken = estimator[:-1].transform(frame) if len(estimator) > 1 else frame
        return _decisions(estimator[-1], taken, rows, targets)
    if isinstance(estimator, MultiOutputClassifier):
        return [_decisions(each, frame, rows, 1)[0] for each in estimator.estimators_]
    return none


def _last(estimator: Estimator) -> Estimator:
    if hasattr(estimator, "best_estimator_"):
        return _last(estimator.best_estimator_)
    return _last(estimator[-1]) if isinstance(estimator, Pipeline) else estimator


def _labelled(target: Target) -> list[Target]:
    return [part for part in target.parts or (target,) if part.classes]


def _dense(values: Any) -> Any:
    return values.toarray() if hasattr(values, "toarray") else np.asarray(values)


def _places(labels: Any, target: Target) -> IntMatrix:
    places = {label: place for place, label in enumerate(target.classes)}
    return np.array([places[label] for label in labels.tolist()], dtype=np.intp)


def _hot(labels: IntMatrix, target: Target) -> FloatMatrix:
    """Give 1 in the column of each label and 0 in the others, [N, C]."""
    return np.hstack(
        [
            np.eye(len(part.classes))[own]
            for own, part in zip(labels.T, _labelled(target), strict=True)
        ]
    )
