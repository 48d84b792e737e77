"""What scikit-learn asks an inner estimator for: the methods it prefers, and the labels."""

from collections.abc import Iterable
from typing import Final

import numpy as np
from onnx import TensorProto

from training.convert.graph.answer import Answer, chosen, hot
from training.convert.graph.graph import Matrix
from training.convert.graph.scope import Estimator, Scope

DECISION_FIRST: Final = ("decision_function", "predict_proba")
PROBABILITY_FIRST: Final = ("predict_proba", "decision_function")


def preferred(estimator: Estimator, methods: Iterable[str], scope: Scope) -> str:
    """Name the first of `methods` that a fitted estimator has, as scikit-learn picks it."""
    for method in methods:
        if hasattr(estimator, method):
            return method
    scope.refuse(f"{type(estimator).__name__} has none of {', '.join(methods)}")


def response(answer: Answer, estimator: Estimator, method: str, scope: Scope) -> Matrix:
    """Return the result of a method of scikit-learn, as [N, 1] where that is [N]."""
    found = {
        "predict_proba": answer.probabilities,
        "decision_function": answer.decision,
        "predict": answer.value,
    }[method]
    if found is None:
        scope.refuse(f"{type(estimator).__name__}.{method} has no exact conversion")
    return found


def second_class(answer: Answer, estimator: Estimator, method: str, scope: Scope) -> Matrix:
    """Return a binary classifier's score of its second class, [N, 1]."""
    found = response(answer, estimator, method, scope)
    scores = scope.graph.take(found, [1]) if method == "predict_proba" else found
    if scores.width != 1:
        scope.refuse(f"{type(estimator).__name__}.{method} is not that of two classes")
    return scores


def position(answer: Answer, estimator: Estimator, scope: Scope) -> Matrix:
    """Return the position in ``classes_`` of the label that ``predict`` gives, [N, 1]."""
    graph = scope.graph
    if answer.threshold is not None and answer.scores is not None:
        scores = answer.scores[1]
        second = graph.take(scores, [scores.width - 1])
        threshold = graph.constant(answer.threshold)
        return second.alike(graph.double(graph.node("GreaterOrEqual", second.tensor, threshold)))
    found = answer.decision or answer.probabilities or answer.label
    width = len(getattr(estimator, "classes_", ()))
    if found is not None and found is answer.decision and width == 2:
        width = 1
    if found is None or found.width != width:
        scope.refuse(f"{type(estimator).__name__}.predict has no exact conversion")
    if answer.by == "votes":
        found = found.alike(graph.node("Round", found.tensor))
    return chosen(graph, found)


def named(answer: Answer, estimator: Estimator, scope: Scope) -> Matrix:
    """Return the label that ``predict`` gives as the number that it is, [N, 1]."""
    if np.asarray(estimator.classes_).dtype.kind not in "iufb":
        scope.refuse(f"{type(estimator).__name__}.predict gives labels that are no numbers")
    graph, place = scope.graph, position(answer, estimator, scope)
    index = graph.node("Cast", place.tensor, to=TensorProto.INT64)
    return place.alike(graph.node("Gather", graph.constant(estimator.classes_), index))


def told(answer: Answer, estimator: Estimator, scope: Scope) -> Answer:
    """Return the label that ``predict`` gives, and nothing else."""
    place = position(answer, estimator, scope)
    return Answer(label=hot(scope.graph, place, len(estimator.classes_)))


def each_of(estimator: Estimator, matrix: Matrix, scope: Scope) -> list[tuple[Estimator, Answer]]:
    """Convert all of ``estimators_``, which are given the same columns."""
    return [
        (inner, scope.answer(f"estimators_[{place}]", inner, matrix))
        for place, inner in enumerate(estimator.estimators_)
    ]
