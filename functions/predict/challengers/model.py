"""A challenger as a served model: the champion's rows in, the champion's members out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from functions.predict.challengers.order import TargetOrder
from functions.predict.model import PredictionRequest, PredictionResponse, ServedModel
from sklambda.arrays import FloatMatrix
from sklambda.codec.codec import Row
from sklambda.decision import Prediction, to_predictions
from sklambda.predictor import Predictor

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
        sent = {*champion.signature.names, champion.signature.row_id} - {None}
        self._drops = not sent <= {*self._names, self.signature.row_id}

    @property
    def explains(self) -> bool:
        """Whether it explains its scores: those of classes in another order it does not."""
        return super().explains and self._order is None

    def predict(self, request: PredictionRequest) -> PredictionResponse:
        """Score the rows; raises `RowsInvalid` where one does not fit one of the signatures."""
        shared = self._champion.predictor.encode(request.rows)
        X = self.encode(request.rows)
        scores, predictions = self.score(X)
        explanations = self.predictor.explain(X, request.deadline) if request.explain else ()
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
