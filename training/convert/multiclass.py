"""Several classes or outputs out of several estimators."""

from itertools import combinations
from typing import Final

import numpy as np
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor, RegressorChain

from training.convert.answer import Answer, ByDecision
from training.convert.graph import Graph, Matrix
from training.convert.links import both
from training.convert.responses import (
    DECISION_FIRST,
    position,
    preferred,
    response,
    second_class,
)
from training.convert.scope import Convert, Estimator, Scope


def _one_vs_rest(estimator: Estimator, matrix: Matrix, scope: Scope) -> Answer:
    scope.admit(estimator, free="estimator n_jobs verbose")
    if estimator.multilabel_:
        scope.refuse("OneVsRestClassifier has several labels a row")
    answers = _answers(estimator, matrix, scope)
    graph = scope.graph

    def asked(method: str) -> Matrix | None:
        if not hasattr(estimator, method):
            return None
        columns = [
            second_class(answer, inner, method, scope)
            for inner, answer in zip(estimator.estimators_, answers, strict=True)
        ]
        return graph.join(columns)

    decision, second = asked("decision_function"), asked("predict_proba")
    probabilities = None if second is None else _normalized(graph, second)
    # One decision above 0 is a probability above a half; of several, saturated probabilities
    # are equal where the decisions, which give the label, are not.
    several = decision is not None and decision.width > 1
    return (ByDecision if several else Answer)(probabilities, decision)


def _answers(estimator: Estimator, matrix: Matrix, scope: Scope) -> list[Answer]:
    return [
        scope.answer(f"estimators_[{place}]", inner, matrix)
        for place, inner in enumerate(estimator.estimators_)
    ]


def _normalized(graph: Graph, second: Matrix) -> Matrix:
    shares = both(graph, second) if second.width == 1 else second
    total = graph.node("ReduceSum", shares.tensor, graph.constant([1], np.int64), keepdims=1)
    nothing = graph.node("Equal", total, graph.constant(0.0))
    divisor = graph.node("Where", nothing, graph.constant(1.0), total)
    return shares.alike(graph.node("Div", shares.tensor, divisor))


def _one_vs_one(estimator: Estimator, matrix: Matrix, scope: Scope) -> Answer:
    scope.admit(estimator, free="estimator n_jobs")
    if estimator.pairwise_indices_ is not None:
        scope.refuse("OneVsOneClassifier has a kernel matrix for its input")
    count = len(estimator.classes_)
    inner = estimator.estimators_[0]
    if count == 2 and not hasattr(inner, "decision_function"):
        # Its decision is then above 0 for both labels.
        scope.refuse("OneVsOneClassifier has two classes and no decision_function")
    answers = _answers(estimator, matrix, scope)
    votes = [
        position(answer, inner, scope)
        for inner, answer in zip(estimator.estimators_, answers, strict=True)
    ]
    confidences = [
        second_class(answer, inner, preferred(inner, DECISION_FIRST, scope), scope)
        for inner, answer in zip(estimator.estimators_, answers, strict=True)
    ]
    columns = [_support(place, count, votes, confidences, scope.graph) for place in range(count)]
    return Answer(decision=columns[1] if count == 2 else scope.graph.join(columns))


def _support(
    place: int, count: int, votes: list[Matrix], confidences: list[Matrix], graph: Graph
) -> Matrix:
    """Count the votes for one class, and add its confidence, bent into (-1/3, 1/3), [N, 1].

    Summed in scikit-learn's order, so that ties stay ties.
    """
    total = won = graph.constant(0.0)
    for duel, (first, second) in enumerate(combinations(range(count), 2)):
        vote, confidence = votes[duel].tensor, confidences[duel].tensor
        if place == first:
            total = graph.node("Sub", total, confidence)
            won = graph.node("Add", won, graph.node("Sub", graph.constant(1.0), vote))
        if place == second:
            total = graph.node("Add", total, confidence)
            won = graph.node("Add", won, vote)
    size = graph.node("Add", graph.node("Abs", total), graph.constant(1.0))
    bent = graph.node("Div", total, graph.node("Mul", graph.constant(3.0), size))
    return votes[0].alike(graph.node("Add", won, bent))


def _multi_output(estimator: Estimator, matrix: Matrix, scope: Scope) -> Answer:
    scope.admit(estimator, free="estimator n_jobs")
    answers = _answers(estimator, matrix, scope)
    return Answer(
        value=scope.graph.join(
            [
                _value(answer, inner, scope)
                for inner, answer in zip(estimator.estimators_, answers, strict=True)
            ]
        )
    )


def _regressor_chain(estimator: Estimator, matrix: Matrix, scope: Scope) -> Answer:
    # Whichever values the chain was fitted on, it predicts from those it has predicted itself.
    scope.admit(estimator, free="estimator order cv random_state verbose")
    graph = scope.graph
    known, outputs = matrix, []
    for place, inner in enumerate(estimator.estimators_):
        answer = scope.answer(f"estimators_[{place}]", inner, known)
        outputs.append(_value(answer, inner, scope))
        known = graph.join([matrix, *outputs])
    chained = graph.join(outputs)
    return Answer(value=graph.take(chained, np.argsort(estimator.order_).tolist()))


def _value(answer: Answer, inner: Estimator, scope: Scope) -> Matrix:
    value = response(answer, inner, "predict", scope)
    if value.width != 1:
        scope.refuse(f"{type(inner).__name__} has several outputs itself")
    return value


CONVERTERS: Final[dict[type, Convert]] = {
    MultiOutputRegressor: _multi_output,
    OneVsOneClassifier: _one_vs_one,
    OneVsRestClassifier: _one_vs_rest,
    RegressorChain: _regressor_chain,
}
