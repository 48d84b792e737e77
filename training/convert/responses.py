"""What scikit-learn asks an inner estimator for: the methods it prefers, and the labels."""

from collections.abc import Iterable
from typing import Final

from training.convert.answer import Answer, chosen
from training.convert.graph import Matrix
from training.convert.scope import Estimator, Scope

DECISION_FIRST: Final = ("decision_function", "predict_proba")
PROBABILITY_FIRST: Final = ("predict_proba", "decision_function")


def preferred(estimator: Estimator, methods: Iterable[str], scope: Scope) -> str:
    """Name the first of `methods` that a fitted estimator has, as scikit-learn picks it."""
    for method in methods:
        if hasattr(estimator, method):
            return method
    scope.refuse(f"{type(estimator).__name__} has none of {', '.join(methods)}")


def response(answer: Answer, estimator: Estimator, method: str, scope: Scope) -> Matrix:
    """Give what a method of scikit-learn returns, as [N, 1] where that is [N]."""
    found = {
        "predict_proba": answer.probabilities,
        "decision_function": answer.decision,
        "predict": answer.value,
    }[method]
    if found is None:
        scope.refuse(f"{type(estimator).__name__}.{method} has no exact conversion")
    return found


def second_class(answer: Answer, estimator: Estimator, method: str, scope: Scope) -> Matrix:
    """Give a binary classifier's score of its second class, [N, 1]."""
    found = response(answer, estimator, method, scope)
    scores = scope.graph.take(found, [1]) if method == "predict_proba" else found
    if scores.width != 1:
        scope.refuse(f"{type(estimator).__name__}.{method} is not that of two classes")
    return scores


def position(answer: Answer, estimator: Estimator, scope: Scope) -> Matrix:
    """Give the position in ``classes_`` of the label that ``predict`` gives, [N, 1]."""
    graph = scope.graph
    if answer.threshold is not None and answer.probabilities is not None:
        second = graph.take(answer.probabilities, [1])
        threshold = graph.constant(answer.threshold)
        return second.alike(graph.double(graph.node("GreaterOrEqual", second.tensor, threshold)))
    scores, width = answer.probabilities, len(estimator.classes_)
    if answer.decision is not None:
        scores, width = answer.decision, 1 if width == 2 else width
    if scores is None or scores.width != width:
        scope.refuse(f"{type(estimator).__name__}.predict has no exact conversion")
    return chosen(graph, scores)
