"""A challenger as a served model: the champion's rows in, the champion's members out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from functions.predict.model import PredictionRequest, PredictionResponse, ServedModel
from sklambda.arrays import FloatMatrix, FloatVector
from sklambda.codec.codec import Row
from sklambda.decision import Prediction, to_predictions
from sklambda.predictor import Predictor
from sklambda.signature import UNSEEN, Feature, Signature

if TYPE_CHECKING:
    from sklambda.explain.explainer import Explanation
from dataclasses import dataclass
from typing import Any, Self

from sklambda.arrays import IntVector
from sklambda.decision import threshold
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


class Challenger(ServedModel):
    """A model that answers for the champion.

    The champion's signature stays the contract: a row that it refuses is refused, encoded rows and
    scores have its columns, and a feature that the challenger does not use contributes 0.

    Parameters
    ----------
    predictor : Predictor
        The challenger, whose signature is compatible with the champion's.
    champion : ServedModel
        The champion.
    """

    def __init__(self, predictor: Predictor, champion: ServedModel) -> None:
        super().__init__(predictor, "challenger")
        self._champion = champion
        self._own_target = self.signature.target
        self._order = TargetOrder.of(champion.signature.target, self._own_target)
        if self._order is not None:
            self.signature = self.signature.replace(target=self._order.target)
        self._names = self.signature.names
        self._drops = not champion.signature.admitted <= self.signature.admitted

    @property
    def explains(self) -> bool:
        """Whether it explains its scores: those of classes in another order it does not."""
        return super().explains and self._order is None

    def predict(self, request: PredictionRequest) -> PredictionResponse:
        """Score the rows; raises `RowsInvalid` where one does not fit one of the signatures."""
        shared = self._champion.predictor.encode(request.rows)
        X = self.encode(request.rows)
        scores, predictions = self.score(X)
        explanations = self._explain(X, request.deadline) if request.explain else ()
        warnings = self._warner.check(X, request.coerced)
        return PredictionResponse(
            self, shared, scores, predictions, warnings, [*map(self._explained, explanations)]
        )

    def encode(self, rows: Sequence[Row]) -> FloatMatrix:
        """Encode the champion's rows, [N, K] float64; raises `RowsInvalid`."""
        return self.predictor.encode([*map(self._used, rows)] if self._drops else rows)

    def score(self, X: FloatMatrix) -> tuple[FloatMatrix, list[Prediction]]:
        """Score encoded rows; the scores, [N, C], are in the champion's order."""
        scores = self.predictor.run(X)
        predictions = to_predictions(self._own_target, scores)
        if self._order is None:
            return scores, predictions
        return self._order.scores(scores), [*map(self._order.prediction, predictions)]

    def score_shared(self, X: FloatMatrix) -> FloatMatrix | None:
        """Score rows as the champion encodes them; None where texts or units of time differ."""
        columns = self._own_columns
        if columns is None:
            return None
        own = np.empty((len(X), len(columns)))
        for place, (column, codes) in enumerate(columns):
            values = X[:, column]
            if codes is not None:
                known = (values >= 0) & (values < len(codes))
                values = np.where(known, codes[np.where(known, values, 0).astype(np.intp)], values)
            own[:, place] = values
        return self.score(own)[0]

    @cached_property
    def _own_columns(self) -> list[tuple[int, FloatVector | None]] | None:
        """For each of its columns that of the champion, and its code of each of the champion's."""
        theirs, own = self._champion.signature, self.predictor.package.signature
        if own.counts or any(f.unit != g.unit for f, g in _pairs(own, theirs)):
            return None
        return [
            (theirs.names.index(f.name), _codes(f.vocabulary, g.vocabulary))
            for f, g in _pairs(own, theirs)
        ]

    def _used(self, row: Row) -> Row:
        if not isinstance(row, Mapping):
            return row
        return {name: row[name] for name in self._names if name in row}

    def _explained(self, explanations: Sequence["Explanation"]) -> list["Explanation"]:
        names = self._champion.signature.names
        return [
            replace(each, contributions={name: each.contributions.get(name, 0.0) for name in names})
            for each in explanations
        ]


def _pairs(own: Signature, champion: Signature) -> list[tuple[Feature, Feature]]:
    theirs = {feature.name: feature for feature in champion.features}
    return [(feature, theirs[feature.name]) for feature in own.features]


def _codes(own: Sequence[str], champion: Sequence[str]) -> FloatVector | None:
    """Return the own code of each of the champion's categories; None for the same ones."""
    if own == champion:
        return None
    places = {category: float(code) for code, category in enumerate(own)}
    return np.array([places.get(category, UNSEEN) for category in champion])
