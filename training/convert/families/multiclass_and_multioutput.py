"""Several classes out of several estimators; several targets, each by an estimator of its own."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Final

import numpy as np
from sklearn.base import is_regressor
from sklearn.multiclass import (
    OneVsOneClassifier,
    OneVsRestClassifier,
    OutputCodeClassifier,
    _ConstantPredictor,
)
from sklearn.multioutput import (
    ClassifierChain,
    MultiOutputClassifier,
    MultiOutputRegressor,
    RegressorChain,
)

from sklambda.arrays import FloatMatrix
from sklambda.signature import Scores
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.links import LEAN, both, lean
from training.convert.graph.outputs import Outputs, class_position, one_hot, repeated
from training.convert.graph.responses import (
    DECISION_FIRST,
    each_of,
    label_only,
    label_values,
    position,
    preferred,
    response,
    second_class,
)
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.releases import is_before

type Pairs = Sequence[tuple[Estimator, Outputs]]

_CHAIN: Final = "estimator base_estimator order cv random_state verbose"


def _one_vs_rest(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free="estimator n_jobs verbose")
    if any(type(inner) is _ConstantPredictor for inner in estimator.estimators_):
        scope.refuse(
            "OneVsRestClassifier has a label that each row has, or none: leave that label out"
        )
    pairs = each_of(estimator, matrix, scope)
    if estimator.multilabel_:
        return _multilabel(pairs, scope)
    if is_regressor(estimator.estimators_[0]):
        return _by_value(pairs, scope)
    decision = _scores("decision_function", estimator, pairs, scope)
    decision = decision and _label_first(scope.graph, decision)
    second = _scores("predict_proba", estimator, pairs, scope)
    if second is None:
        return Outputs(decision=decision)
    if decision is not None and any(outputs.label_by for _, outputs in pairs):
        return Outputs(_normalized(scope.graph, second), decision, label_by="decision")
    return Outputs(_leaning(scope.graph, second, decision), decision)


def _leaning(graph: Graph, second: Matrix, decision: Matrix | None) -> Matrix:
    """Return probabilities, [N, C], that lean to the label of what they are made of, [N, C]."""
    found = _normalized(graph, second)
    raw = _label_first(graph, second) if decision is None else decision
    if raw.width == 1:
        half = graph.constant(0.5)
        raw = raw if decision else raw.alike(graph.node("Sub", raw.tensor, half))
        return lean(graph, found, raw)
    found = lean(graph, found, raw)
    # Where all probabilities are 0, there is none to be made smaller.
    tiny = graph.constant(LEAN * np.eye(raw.width))
    place = graph.node("ArgMax", raw.tensor, axis=1, keepdims=0)
    return found.alike(graph.node("Max", found.tensor, graph.node("Gather", tiny, place)))


def _scores(method: str, estimator: Estimator, pairs: Pairs, scope: Scope) -> Matrix | None:
    """Return a method's scores of each class, [N, C], where they have an exact conversion."""
    if not hasattr(estimator, method):
        return None
    if method == "predict_proba" and any(outputs.probabilities is None for _, outputs in pairs):
        return None
    return scope.graph.join(
        [second_class(outputs, inner, method, scope) for inner, outputs in pairs]
    )


def _label_first(graph: Graph, raw: Matrix) -> Matrix:
    """Return scores, [N, C], whose first greatest is the label of the scikit-learn at hand.

    Before 1.8 it is the last of the greatest: those before it are made smaller.
    """
    if raw.width == 1 or not is_before("1.8"):
        return raw
    last = graph.node("ArgMax", raw.tensor, axis=1, keepdims=0, select_last_index=1)
    shares = graph.node("Gather", graph.constant(LEAN * np.tri(raw.width, k=-1)), last)
    size = graph.node("Max", graph.node("Abs", raw.tensor), graph.constant(1.0))
    return raw.alike(graph.node("Sub", raw.tensor, graph.node("Mul", shares, size)))


def _multilabel(pairs: Pairs, scope: Scope) -> Outputs:
    """Convert each label by itself: its estimator scores the label against none."""
    if is_regressor(pairs[0][0]):
        values = [response(outputs, inner, "predict", scope) for inner, outputs in pairs]
        return Outputs(parts=tuple(_above_half(scope.graph, value) for value in values))
    # predict compares their scores and ignores their own thresholds.
    free = [(inner, replace(outputs, threshold=None)) for inner, outputs in pairs]
    return several(free, ["probability", "decision"], scope)


def _by_value(pairs: Pairs, scope: Scope) -> Outputs:
    """Return the class whose regressor predicts the most: there are no scores."""
    graph = scope.graph
    values = graph.join([response(outputs, inner, "predict", scope) for inner, outputs in pairs])
    if values.width == 1:
        return _above_half(graph, values)
    values = _label_first(graph, values)
    return Outputs(label=one_hot(graph, class_position(graph, values), values.width))


def _above_half(graph: Graph, value: Matrix) -> Outputs:
    above = graph.node("Greater", value.tensor, graph.constant(0.5))
    return Outputs(label=one_hot(graph, value.alike(graph.double(above)), 2))


def _normalized(graph: Graph, second: Matrix) -> Matrix:
    shares = both(graph, second) if second.width == 1 else second
    total = graph.node("ReduceSum", shares.tensor, graph.constant([1], np.int64), keepdims=1)
    nothing = graph.node("Equal", total, graph.constant(0.0))
    divisor = graph.node("Where", nothing, graph.constant(1.0), total)
    return shares.alike(graph.node("Div", shares.tensor, divisor))


def _one_vs_one(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free="estimator n_jobs")
    if estimator.pairwise_indices_ is not None:
        scope.refuse(
            "OneVsOneClassifier has a kernel matrix for its input: "
            "use a kernel by name in its estimator"
        )
    count = len(estimator.classes_)
    inner = estimator.estimators_[0]
    if count == 2 and not hasattr(inner, "decision_function"):
        # Its decision is then above 0 for both labels.
        scope.refuse(
            "OneVsOneClassifier has two classes and no decision_function: use its estimator itself"
        )
    pairs = each_of(estimator, matrix, scope)
    votes = [position(outputs, inner, scope) for inner, outputs in pairs]
    confidences = [
        second_class(outputs, inner, preferred(inner, DECISION_FIRST, scope), scope)
        for inner, outputs in pairs
    ]
    columns = [_support(place, count, votes, confidences, scope.graph) for place in range(count)]
    return Outputs(decision=columns[1] if count == 2 else scope.graph.join(columns))


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


def _output_code(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free="estimator code_size random_state n_jobs")
    bits = [_bit(inner, place, matrix, scope) for place, inner in enumerate(estimator.estimators_)]
    nearness = _nearness(scope.graph, scope.graph.join(bits), estimator.code_book_)
    return Outputs(
        label=one_hot(scope.graph, class_position(scope.graph, nearness), nearness.width)
    )


def _bit(inner: Estimator, place: int, matrix: Matrix, scope: Scope) -> Matrix:
    if type(inner) is _ConstantPredictor:  # all codes have the same bit here
        return repeated(scope.graph, matrix, inner.y_)
    outputs = scope.predict(f"estimators_[{place}]", inner, matrix)
    return second_class(outputs, inner, preferred(inner, DECISION_FIRST, scope), scope)


def _nearness(graph: Graph, scores: Matrix, codes: FloatMatrix) -> Matrix:
    """Return the negative squares of the distances, summed in scikit-learn's order.

    The square of the scores is the same for all classes, but large ones swallow the rest: all
    classes are then as near, and the first is the label.
    """
    axis = graph.constant([1], np.int64)
    norms = graph.node("ReduceSumSquare", scores.tensor, axis, keepdims=1)
    products = graph.node("MatMul", scores.tensor, graph.constant(2 * codes.T))
    moved = graph.node("Sub", norms, products)
    squares = graph.node("Add", moved, graph.constant([(codes**2).sum(axis=1)]))
    positive = graph.node("Max", squares, graph.constant(0.0))
    return scores.numbers(graph.node("Neg", positive), len(codes))


def _multi_output_classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free="estimator n_jobs")
    pairs = each_of(estimator, matrix, scope)
    return several(pairs, ["probability"], scope)


def several(pairs: Pairs, kinds: Sequence[Scores], scope: Scope) -> Outputs:
    """Join the outputs for several targets: the first of `kinds` that all have, else labels."""
    for place, (inner, _) in enumerate(pairs):
        if len(inner.classes_) < 2:
            scope.refuse(f"target {place} has one class only: leave that target out")
    pairs = [
        (inner, outputs if outputs.deciding is None else replace(outputs, probabilities=None))
        for inner, outputs in pairs
    ]
    for kind in kinds:
        if all(outputs.scores is not None and outputs.scores[0] == kind for _, outputs in pairs):
            return _together([outputs for _, outputs in pairs], pairs)
    return _together([label_only(outputs, inner, scope) for inner, outputs in pairs], pairs)


def _together(parts: Sequence[Outputs], pairs: Pairs) -> Outputs:
    return Outputs(
        parts=tuple(
            replace(part, classes=inner.classes_)
            for part, (inner, _) in zip(parts, pairs, strict=True)
        )
    )


def _classifier_chain(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free=f"{_CHAIN} chain_method")
    method, graph = estimator.chain_method_, scope.graph
    known, pairs = [matrix], []
    for place, inner in enumerate(estimator.estimators_):
        outputs = scope.predict(f"estimators_[{place}]", inner, graph.join(known))
        pairs.append((inner, outputs))
        if place + 1 < len(estimator.estimators_):
            known.append(_link(outputs, inner, method, scope))
    # The scores of one label are those of its second class, so more classes have none.
    two = all(len(inner.classes_) == 2 for inner, _ in pairs)
    kinds: list[Scores] = ["probability", "decision"] if two else []
    return several([pairs[place] for place in np.argsort(estimator.order_)], kinds, scope)


def _link(outputs: Outputs, inner: Estimator, method: str, scope: Scope) -> Matrix:
    """Return this estimator's output as the next of a chain get it, [N, 1]."""
    if method == "predict":
        return label_values(outputs, inner, scope)
    if method not in ("predict_proba", "decision_function"):
        scope.refuse(
            f"ClassifierChain(chain_method={method!r}) has no exact conversion: "
            "use chain_method='predict_proba' or 'predict'"
        )
    return second_class(outputs, inner, method, scope)


def _multi_output_regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free="estimator n_jobs")
    values = [_value(outputs, inner, scope) for inner, outputs in each_of(estimator, matrix, scope)]
    return Outputs(value=scope.graph.join(values))


def _regressor_chain(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    # Whichever values the chain was fitted on, it predicts from those it has predicted itself.
    scope.admit(estimator, free=_CHAIN)
    graph = scope.graph
    known, values = matrix, []
    for place, inner in enumerate(estimator.estimators_):
        outputs = scope.predict(f"estimators_[{place}]", inner, known)
        values.append(_value(outputs, inner, scope))
        known = graph.join([matrix, *values])
    chained = graph.join(values)
    return Outputs(value=graph.take(chained, np.argsort(estimator.order_).tolist()))


def _value(outputs: Outputs, inner: Estimator, scope: Scope) -> Matrix:
    value = response(outputs, inner, "predict", scope)
    if value.width != 1:
        scope.refuse(
            f"{type(inner).__name__} has several outputs itself: use it without the wrapper"
        )
    return value


CONVERTERS: Final[dict[type, Convert]] = {
    ClassifierChain: _classifier_chain,
    MultiOutputClassifier: _multi_output_classifier,
    MultiOutputRegressor: _multi_output_regressor,
    OneVsOneClassifier: _one_vs_one,
    OneVsRestClassifier: _one_vs_rest,
    OutputCodeClassifier: _output_code,
    RegressorChain: _regressor_chain,
}
