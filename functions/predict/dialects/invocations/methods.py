"""A reply as scikit-learn's own methods would give it: ``predict`` and its kin."""

from collections.abc import Mapping
from typing import Any, Final

from functions.predict.dialects.invocations.tables import Misfit
from functions.predict.http.problems import pointer
from functions.predict.model import Reply
from sklambda.signature import Scores, Target

PREDICT: Final = "predict"

_METHODS: Final[dict[str, frozenset[Scores]]] = {
    "predict_proba": frozenset({"probability"}),
    "decision_function": frozenset({"decision", "votes"}),
}


def offered(target: Target) -> tuple[str, ...]:
    """Name the methods that the model has."""
    scores = {part.scores for part in target.parts or (target,)}
    return (PREDICT, *(name for name, kinds in _METHODS.items() if scores <= kinds))


def asked(params: object, attributes: str, target: Target) -> tuple[str, list[Misfit]]:
    """Tell the method that is asked for, and what is wrong with the asking.

    Parameters
    ----------
    params : object
        The member "params" of MLflow's protocol, if there is one.
    attributes : str
        SageMaker's custom attributes, of which ``method=…`` counts where `params` names none.
    target : Target
        What the model answers.
    """
    if params is not None and not isinstance(params, dict):
        return PREDICT, [("/params", "type", "must be an object")]
    own = params or {}
    misfits: list[Misfit] = [
        (pointer("params", name), "unknown_member", "is not a parameter of this model")
        for name in own
        if name != "method"
    ]
    place = "/params/method" if "method" in own else ""
    method = own["method"] if place else _of_attributes(attributes)
    if method not in (choices := offered(target)):
        misfits.append((place, "method", f"the method must be {' or '.join(choices)}"))
    return method, misfits


def _of_attributes(attributes: str) -> str:
    pairs = (piece.partition("=") for piece in attributes.replace(";", ",").split(","))
    named = [value.strip() for name, _, value in pairs if name.strip() == "method"]
    return named[-1] if named else PREDICT


def answers(reply: Reply, method: str) -> list[Any]:
    """Give what a method gives for each row, as its ``tolist()``.

    Of several targets each row has a list with one answer for each of them.
    """
    if method == PREDICT:
        return [_predicted(prediction.members) for prediction in reply.predictions]
    target = reply.model.signature.target
    rows = reply.scores.tolist()
    if target.parts:
        return [_apart(target, row) for row in rows]
    return [_shaped(target, row) for row in rows]


def _predicted(members: Mapping[str, Any]) -> Any:
    if "targets" in members:
        return [_predicted(own) for own in members["targets"].values()]
    if "values" in members:
        values = list(members["values"].values())
        return values[0] if len(values) == 1 else values
    return members["label"]


def _apart(target: Target, row: list[float]) -> list[Any]:
    scores = iter(row)
    return [_shaped(part, [next(scores) for _ in range(part.width)]) for part in target.parts]


def _shaped(target: Target, row: list[float]) -> Any:
    """Write the decision between two classes without a list, as scikit-learn does."""
    return row[0] if target.scores == "decision" and target.width == 1 else row
