"""The monitored scores of a model and their names."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from sklambda.arrays import FloatMatrix, FloatVector, IntMatrix
from sklambda.signature import Target

CONFIDENCE: Final = "score of the label"
"""The name of the score of the predicted class, with more than two classes."""

LABEL: Final = "label"
"""The name of a target without a name."""


@dataclass(frozen=True, slots=True)
class WatchedScore:
    """A monitored score.

    Attributes
    ----------
    name : str
        The class or the value; with several targets prefixed by the name of the target.
    first, last : int
        The columns of the scores, from `first` until before `last`.
    place : int
        The column of the labels of its target.
    target : Target
        The target of the score.
    label : int or None
        The position of the class of the score; None for a value, and for the score of the predicted
        class.
    """

    name: str
    first: int
    last: int
    place: int
    target: Target
    label: int | None = None

    @property
    def boundary(self) -> float | None:
        """The greatest score that is not labelled as the second of two classes; None for others,
        and where the label follows something else.
        """
        if self.label is None or self.target.task not in ("binary", "anomaly"):
            return None
        if self.target.label_by is not None:
            return None
        if self.target.threshold is not None:
            return float(np.nextafter(self.target.threshold, -np.inf))
        return 0.5 if self.target.scores == "probability" else 0.0

    def of(self, scores: FloatMatrix, labels: IntMatrix) -> FloatVector:
        """Return the score, [N], from scores [N, C] and the positions of labels [N, L]."""
        if self.last - self.first == 1:
            return scores[:, self.first]
        return scores[np.arange(len(scores)), self.first + labels[:, self.place]]


def watched_scores(target: Target) -> list[WatchedScore]:
    """Return the scores to monitor.

    Of two classes that of the second; of more, that of each class and that of the predicted class;
    of a regressor each value. Scores that only repeat the label are left to the counts of labels.
    """
    found: list[WatchedScore] = []
    for start, place, part in _parts(target):
        before = f"{part.name}: " if target.parts else ""
        found.extend(_of(part, before, start, place))
    return found


def class_counts(target: Target) -> dict[str, int]:
    """Return the number of classes of each target that has labels, by its name."""
    parts = target.parts or (target,)
    return {part.name or LABEL: len(part.classes) for part in parts if part.classes}


def _parts(target: Target) -> Iterator[tuple[int, int, Target]]:
    start = 0
    for place, part in enumerate(target.parts or (target,)):
        yield start, place, part
        start += part.width


def _of(part: Target, before: str, start: int, place: int) -> Iterator[WatchedScore]:
    if part.scores == "label":
        return
    if part.task in ("binary", "anomaly"):
        last = start + part.shown
        yield WatchedScore(before + part.class_names[-1], last - 1, last, place, part, label=1)
        return
    for offset, name in enumerate(part.outputs or part.class_names):
        at, label = start + offset, offset if part.classes else None
        yield WatchedScore(before + name, at, at + 1, place, part, label)
    if len(part.classes) > 1:
        yield WatchedScore(before + CONFIDENCE, start, start + part.shown, place, part)
