"""A challenger as a served model: the champion's rows in, the champion's members out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from functions.predict.challengers.order import TargetOrder
from functions.predict.model import PredictionRequest, PredictionResponse, ServedModel
from sklambda.arrays import FloatMatrix, FloatVector
from sklambda.codec.codec import Row
from sklambda.decision import Prediction, to_predictions
from sklambda.predictor import Predictor
from sklambda.signature import UNSEEN, Feature, Signature

if TYPE_CHECKING:
    from sklambda.explain.explainer import Explanation


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
