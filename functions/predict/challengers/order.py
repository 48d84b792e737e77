"""Scores and predictions of a challenger in the champion's order of classes, outputs and targets.

Clients read scores by position: the columns of probabilities, the score of the second class.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from sklambda.arrays import FloatMatrix, FloatVector, IntVector
from sklambda.decision import Prediction, threshold
from sklambda.signature import Scalar, Target

type Members = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TargetOrder:
    """Reorders what a challenger returns; the sets of classes, outputs and targets are equal.

    Attributes
    ----------
    target : Target
        The challenger's target in the champion's order, its thresholds included.
    columns : IntVector
        Shape [C]: the challenger's column of each column of the champion's scores.
    signs : FloatVector
        Shape [C]: -1 for the one decision between two classes in the other order, else 1.
    swapped : frozenset of str or None
        The names of the targets whose two classes are in the other order.
    """

    target: Target
    columns: IntVector
    signs: FloatVector
    swapped: frozenset[str | None]

    @classmethod
    def of(cls, champion: Target, challenger: Target) -> Self | None:
        """Return the order; None where it is the same."""
        theirs = {part.name: part for part in challenger.parts}
        starts, start = {}, 0
        for part in challenger.parts or (challenger,):
            starts[part.name] = start
            start += part.width
        pairs = [(part, theirs[part.name]) for part in champion.parts] or [(champion, challenger)]
        places = [(starts[other.name], _places(own, other)) for own, other in pairs]
        columns = [start + place for start, order in places for place in order]
        parts = [_in_order(own, other) for own, other in pairs]
        target = challenger.replace(parts=tuple(parts)) if challenger.parts else parts[0]
        swapped = frozenset(other.name for own, other in pairs if _is_swapped(own, other))
        if columns == list(range(len(columns))) and not swapped:
            return None
        signs = [
            -1.0 if other.name in swapped and _is_decision(other, column) else 1.0
            for _, other in pairs
            for column in range(other.width)
        ]
        return cls(target, np.array(columns, dtype=np.intp), np.array(signs), swapped)

    def scores(self, scores: FloatMatrix) -> FloatMatrix:
        """Return scores [N, C] in the champion's order."""
        ordered: FloatMatrix = scores[:, self.columns] * self.signs
        return ordered

    def prediction(self, prediction: Prediction) -> Prediction:
        """Return a prediction with the champion's members; its label is the challenger's."""
        if prediction.targets is None:
            return Prediction(**self._members(self.target, prediction.members))
        named = prediction.targets
        targets = {
            str(part.name): self._members(part, named[str(part.name)]) for part in self.target.parts
        }
        return replace(prediction, targets=targets)

    def _members(self, target: Target, members: Members) -> dict[str, Any]:
        ordered = dict(members)
        if "values" in members:
            ordered["values"] = {name: members["values"][name] for name in target.outputs}
        if "probabilities" in members:
            probabilities = {name: members["probabilities"][name] for name in target.class_names}
            ordered["probabilities"] = probabilities
        if target.name in self.swapped and "score" in members:
            ordered["threshold"] = threshold(target)
            is_probability = target.scores == "probability"
            second = ordered["probabilities"][target.class_names[1]] if is_probability else None
            ordered["score"] = second if is_probability else -members["score"]
        return ordered


def _is_decision(target: Target, column: int) -> bool:
    """Return whether a column is the one decision between two classes."""
    first = 0 if target.label_by is None else target.shown
    return target.width - first == 1 and column == first


def _places(own: Target, other: Target) -> list[int]:
    """Return the column of a challenger's target for each column of the champion's."""
    if other.width == 1:
        return [0]
    names: Sequence[Scalar] = other.outputs or other.classes
    order = {(type(name), name): place for place, name in enumerate(names)}
    shown = [order[type(name), name] for name in own.outputs or own.classes]
    deciding = other.width - other.shown
    return shown + [other.shown + place for place in (shown if deciding > 1 else range(deciding))]


def _is_swapped(own: Target, other: Target) -> bool:
    return len(other.classes) == 2 and other.classes != own.classes


def _in_order(own: Target, other: Target) -> Target:
    """Return a challenger's target in the champion's order, its threshold included."""
    limit = other.threshold
    if limit is not None and _is_swapped(own, other):
        limit = -limit if other.scores == "decision" else 1 - limit
    return other.replace(classes=own.classes, outputs=own.outputs, threshold=limit)
