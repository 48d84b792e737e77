"""The methods that scikit-learn calls on an inner estimator, in its order, and the labels."""

from collections.abc import Iterable
from typing import Final

import numpy as np
from onnx import TensorProto

from training.convert.graph.graph import Matrix
from training.convert.graph.outputs import Outputs, class_position, one_hot
from training.convert.graph.scope import Estimator, Scope

DECISION_FIRST: Final = ("decision_function", "predict_proba")
PROBABILITY_FIRST: Final = ("predict_proba", "decision_function")


def preferred(estimator: Estimator, methods: Iterable[str], scope: Scope) -> str:
    """Name the first of `methods` that a fitted estimator has, as scikit-learn picks it."""
    for method in methods:
        if hasattr(estimator, method):
            return method
    scope.refuse(
        f"{type(estimator).__name__} has none of {', '.join(methods)}: "
        "use an estimator that has one"
    )


def response(outputs: Outputs, estimator: Estimator, method: str, scope: Scope) -> Matrix:
    """Return the result of a method of scikit-learn, as [N, 1] where that is [N]."""
    found = {
        "predict_proba": outputs.probabilities,
        "decision_function": outputs.decision,
        "predict": outputs.value,
    }[method]
    if found is None:
        scope.refuse(
            f"{type(estimator).__name__}.{method} has no exact conversion: "
            "use another estimator there"
        )
    return found


def second_class(outputs: Outputs, estimator: Estimator, method: str, scope: Scope) -> Matrix:
    """Return a binary classifier's score of its second class, [N, 1]."""
    found = response(outputs, estimator, method, scope)
    scores = scope.graph.take(found, [1]) if method == "predict_proba" else found
    if scores.width != 1:
        scope.refuse(
            f"{type(estimator).__name__}.{method} is not of two classes: "
            "use an estimator of two classes"
        )
    return scores


def position(outputs: Outputs, estimator: Estimator, scope: Scope) -> Matrix:
    """Return the position in ``classes_`` of the label that ``predict`` gives, [N, 1]."""
    graph = scope.graph
    if outputs.threshold is not None and outputs.scores is not None:
        scores = outputs.scores[1]
        second = graph.take(scores, [scores.width - 1])
        threshold = graph.constant(outputs.threshold)
        return second.alike(graph.double(graph.node("GreaterOrEqual", second.tensor, threshold)))
    found = outputs.decision or outputs.probabilities or outputs.label
    width = len(getattr(estimator, "classes_", ()))
    if found is not None and found is outputs.decision and width == 2:
        width = 1
    if found is None or found.width != width:
        scope.refuse(
            f"{type(estimator).__name__}.predict has no exact conversion: "
            "use another estimator there"
        )
    if outputs.label_by == "votes":
        found = found.alike(graph.node("Round", found.tensor))
    return class_position(graph, found)


def label_values(outputs: Outputs, estimator: Estimator, scope: Scope) -> Matrix:
    """Return the values of ``predict``'s labels, which are numbers, [N, 1]."""
    if np.asarray(estimator.classes_).dtype.kind not in "iufb":
        scope.refuse(
            f"{type(estimator).__name__}.predict returns labels that are not numbers: "
            "use stack_method='predict_proba', or labels that are numbers"
        )
    graph, place = scope.graph, position(outputs, estimator, scope)
    index = graph.node("Cast", place.tensor, to=TensorProto.INT64)
    return place.alike(graph.node("Gather", graph.constant(estimator.classes_), index))


def label_only(outputs: Outputs, estimator: Estimator, scope: Scope) -> Outputs:
    """Return outputs that hold the label of ``predict`` alone."""
    place = position(outputs, estimator, scope)
    return Outputs(label=one_hot(scope.graph, place, len(estimator.classes_)))


def require_two_classes(estimator: Estimator, scope: Scope) -> None:
    """Refuse a classifier that was fitted on one class, or on a target of one."""
    if np.min(estimator.n_classes_) < 2:
        scope.refuse(
            f"{type(estimator).__name__} has seen one class only: "
            "fit it on rows of at least two classes"
        )


def each_of(estimator: Estimator, matrix: Matrix, scope: Scope) -> list[tuple[Estimator, Outputs]]:
    """Convert all of ``estimators_``, which have the same columns."""
    return [
        (inner, scope.predict(f"estimators_[{place}]", inner, matrix))
        for place, inner in enumerate(estimator.estimators_)
    ]
