"""Predictions as scikit-learn's methods return them: ``predict``, ``predict_proba`` and others."""

from collections.abc import Mapping
from typing import Any, Final

from functions.predict.model import PredictionResponse
from sklambda.signature import Scores, Target

PREDICT: Final = "predict"

_METHODS: Final[dict[str, frozenset[Scores]]] = {
    "predict_proba": frozenset({"probability"}),
    "decision_function": frozenset({"decision", "votes"}),
}


def available_methods(target: Target) -> tuple[str, ...]:
    """Return the names of the methods that a model has."""
    scores = {part.scores for part in target.parts or (target,)}
    return (PREDICT, *(name for name, kinds in _METHODS.items() if scores <= kinds))


def predictions(response: PredictionResponse, method: str) -> list[Any]:
    """Return the result of a method for each row, as its ``tolist()``.

    With several targets, each row has a list with one entry per target.
    """
    if method == PREDICT:
        return [_predicted(prediction.members) for prediction in response.predictions]
    target = response.model.signature.target
    rows = response.scores.tolist()
    if target.parts:
        return [_by_target(target, row) for row in rows]
    return [_scores(target, row) for row in rows]


def _predicted(members: Mapping[str, Any]) -> Any:
    if "targets" in members:
        return [_predicted(part) for part in members["targets"].values()]
    if "values" in members:
        values = list(members["values"].values())
        return values[0] if len(values) == 1 else values
    return members["label"]


def _by_target(target: Target, row: list[float]) -> list[Any]:
    scores = iter(row)
    return [_scores(part, [next(scores) for _ in range(part.width)]) for part in target.parts]


def _scores(target: Target, row: list[float]) -> Any:
    """Return the scores of a row; of two classes the decision without a list, as scikit-learn."""
    decision = target.scores == "decision" and target.width == 1
    return row[0] if decision else row[: target.shown]
