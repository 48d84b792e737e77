"""Labels and predictions from scores, and the comparison of scores."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from sklambda.arrays import Flags, FloatMatrix, FloatVector, IntMatrix, IntVector
from sklambda.signature import Scalar, Target

TOLERANCE: Final = 1e-9
"""The greatest difference from scikit-learn's score that counts as equal: absolute up to a score
of 1, relative above. Training allows more where the terms of a sum are so large that rounding
alone moves it further; such rows say by how much."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The prediction for one row; a member that does not apply is None.

    Attributes
    ----------
    label : bool, int, float, str or None
        A class, or the number of a cluster, as scikit-learn's ``predict`` returns it.
    score : float or None
        Of two classes: the probability of ``classes[1]``, or the decision where there are no
        probabilities. Of more: the score of the label.
    threshold : float or None
        The score that decides between two classes.
    probabilities : dict of str to float, or None
        The probability of each class, where the classifier has them.
    values : dict of str to float, or None
        The values of a regressor by the names of its outputs.
    targets : dict of str to dict, or None
        The members of the prediction of each target by name, of a model with several.
    """

    label: Scalar | None = None
    score: float | None = None
    threshold: float | None = None
    probabilities: dict[str, float] | None = None
    values: dict[str, float] | None = None
    targets: dict[str, dict[str, object]] | None = None

    @property
    def members(self) -> dict[str, object]:
        """The members that apply, as a response shows them."""
        return {
            name: value for name in self.__slots__ if (value := getattr(self, name)) is not None
        }


def score_differences(expected: FloatMatrix, found: FloatMatrix) -> FloatMatrix:
    """Return the difference of each score, [N, C]: absolute up to 1, relative above.

    Equal infinities and two NaN are no difference.
    """
    same = (expected == found) | (np.isnan(expected) & np.isnan(found))
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(expected - found) / scales(expected)
    differs: FloatMatrix = np.where(same, 0.0, apart)
    return differs


def row_differences(expected: FloatMatrix, found: FloatMatrix) -> FloatVector:
    """Return the greatest difference in each row, [N]."""
    greatest: FloatVector = score_differences(expected, found).max(axis=1)
    return greatest


def scales(scores: FloatMatrix) -> FloatMatrix:
    """Return the size, [N, C], that a tolerance of each score is relative to: 1, or the score."""
    return np.maximum(1.0, np.abs(scores))


def decided(target: Target, scores: FloatMatrix, tolerances: FloatMatrix) -> Flags:
    """Return which labels stay the same if each score moves by its tolerance.

    Parameters
    ----------
    target : Target
        What the scores are of.
    scores, tolerances : FloatMatrix
        Shape [N, C]; tolerances are absolute.

    Returns
    -------
    Flags
        Shape [N, L]: a column for each target that has labels. NaN decides: a tolerance does not
        move it.
    """
    columns = [
        _decided(part, own, reach)
        for (part, own), (_, reach) in zip(
            by_target(target, scores), by_target(target, tolerances), strict=True
        )
        if part.classes
    ]
    return np.stack(columns, axis=1) if columns else np.empty((len(scores), 0), dtype=bool)


def _decided(target: Target, scores: FloatMatrix, tolerances: FloatMatrix) -> Flags:
    if target.threshold is not None:
        return distinct(scores[:, -1:] - target.threshold, tolerances[:, -1:])
    scores, tolerances = _deciding(target, scores), _deciding(target, tolerances)
    # Votes are whole numbers, the first greatest of which decides.
    if "votes" in (target.scores, target.label_by):
        return np.ones(len(scores), dtype=bool)
    return distinct(scores, tolerances)


def distinct(scores: FloatMatrix, tolerances: FloatMatrix) -> Flags:
    """Return in which rows, [N], no tolerance changes the sign of one score, or the greatest."""
    with np.errstate(invalid="ignore"):
        if scores.shape[1] == 1:
            return ~(np.abs(scores) <= tolerances)[:, 0]
        greatest = scores.argmax(axis=1)[:, None]
        least = np.take_along_axis(scores - tolerances, greatest, axis=1)[:, 0]
        others = scores + tolerances
        np.put_along_axis(others, greatest, -np.inf, axis=1)
        return ~(least <= others.max(axis=1))


def to_predictions(target: Target, scores: FloatMatrix) -> list[Prediction]:
    """Return the predictions of scores [N, C]."""
    if target.parts:
        names = [str(part.name) for part in target.parts]
        each = [to_predictions(part, own) for part, own in by_target(target, scores)]
        return [
            Prediction(targets={name: one.members for name, one in zip(names, row, strict=True)})
            for row in zip(*each, strict=True)
        ]
    rows = scores.tolist()
    if target.task == "regression":
        return [Prediction(values=dict(zip(target.outputs, row, strict=True))) for row in rows]
    pairs = zip(_chosen(target, scores).tolist(), rows, strict=True)
    return [_classified(target, index, row) for index, row in pairs]


def by_target(target: Target, scores: FloatMatrix) -> Iterator[tuple[Target, FloatMatrix]]:
    """Yield each of several targets with its columns."""
    start = 0
    for part in target.parts or (target,):
        yield part, scores[:, start : start + part.width]
        start += part.width


def _classified(target: Target, index: int, row: list[float]) -> Prediction:
    label = target.classes[index]
    if target.scores == "label":
        return Prediction(label)
    row = row[: target.shown]
    score = row[-1] if target.task == "binary" or len(row) == 1 else row[index]
    if target.scores != "probability":
        return Prediction(label, score, threshold(target))
    probabilities = dict(zip(target.class_names, row, strict=True))
    return Prediction(label, score, threshold(target), probabilities)


def threshold(target: Target) -> float | None:
    """Return the score that separates two classes; None for other numbers of classes, and where
    the label follows something else.

    The second class is the label from a threshold of the model itself on, and above the threshold
    of scikit-learn, a probability of 0.5 or a decision of 0.
    """
    if target.threshold is not None or target.label_by is not None:
        return target.threshold
    if target.scores == "decision" and target.width == 1:
        return 0.0
    return 0.5 if target.scores == "probability" and target.task == "binary" else None


def label_positions(target: Target, scores: FloatMatrix) -> IntMatrix:
    """Return the positions in ``classes`` of the labels of each row.

    Parameters
    ----------
    target : Target
        The target of the scores.
    scores : FloatMatrix
        Shape [N, C].

    Returns
    -------
    IntMatrix
        Shape [N, L]: a column for each target with labels, none for a regressor.
    """
    columns = [_chosen(part, own) for part, own in by_target(target, scores) if part.classes]
    return np.stack(columns, axis=1) if columns else np.empty((len(scores), 0), dtype=np.intp)


def labels_at(target: Target, positions: IntMatrix) -> list[tuple[Scalar, ...]]:
    """Return the labels at `positions`, [N, L]."""
    classes = [part.classes for part in target.parts or (target,)]
    return [
        tuple(own[place] for own, place in zip(classes, row, strict=True)) if row else ()
        for row in positions.tolist()
    ]


def _chosen(target: Target, scores: FloatMatrix) -> IntVector:
    if target.threshold is not None:
        return (scores[:, -1] >= target.threshold).astype(np.intp)
    scores = _deciding(target, scores)
    if "decision" in (target.scores, target.label_by) and scores.shape[1] == 1:
        return (scores[:, 0] > 0).astype(np.intp)
    if "votes" in (target.scores, target.label_by):
        return np.rint(scores).argmax(axis=1)
    return scores.argmax(axis=1)


def _deciding(target: Target, scores: FloatMatrix) -> FloatMatrix:
    """Return the columns that the label follows: all, or those after the probabilities."""
    return scores if target.label_by is None else scores[:, target.shown :]
