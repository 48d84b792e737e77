"""Probabilities calibrated, thresholds chosen; isotonic regression, a line that never turns."""

from collections.abc import Callable
from dataclasses import replace
from math import nan
from typing import Final

import numpy as np
from onnx import TensorProto
from sklearn.calibration import CalibratedClassifierCV
from sklearn.isotonic import IsotonicRegression
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV

from sklambda.arrays import FloatVector
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.links import both, logistic, shares
from training.convert.graph.outputs import Outputs
from training.convert.graph.responses import (
    DECISION_FIRST,
    PROBABILITY_FIRST,
    preferred,
    response,
    second_class,
)
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.graph.trees import Ensemble, Tree

_EPSILON: Final = 1e-12  # what scikit-learn adds before a logarithm of probabilities


def _calibrated(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(
        estimator,
        free="estimator cv n_jobs ensemble",
        only={"method": ("sigmoid", "isotonic", "temperature")},
    )
    graph = scope.graph
    folds = estimator.calibrated_classifiers_
    parts = [_fold(fold, place, matrix, scope).tensor for place, fold in enumerate(folds)]
    # Summed and divided as scikit-learn does it, so that equal probabilities stay equal.
    total = parts[0]
    for part in parts[1:]:
        total = graph.node("Add", total, part)
    mean = graph.node("Div", total, graph.constant(float(len(parts))))
    return Outputs(matrix.numbers(mean, len(estimator.classes_)))


def _fold(fold: Estimator, place: int, matrix: Matrix, scope: Scope) -> Matrix:
    inner = fold.estimator
    outputs = scope.predict(f"calibrated_classifiers_[{place}]", inner, matrix)
    # Their names may differ: temperature scaling fits on codes of the classes.
    if len(inner.classes_) != len(fold.classes) or len(fold.classes) < 2:
        scope.refuse(
            f"CalibratedClassifierCV met a fold, {place}, without all classes: "
            "use fewer folds, by cv, or more rows of the rarest class"
        )
    method = preferred(inner, DECISION_FIRST, scope)
    binary = len(fold.classes) == 2
    scores = (second_class if binary else response)(outputs, inner, method, scope)
    if fold.method == "temperature":
        logits = _logits(scope.graph, scores, method)
        return _tempered(scope.graph, logits, float(fold.calibrators[0].beta_))
    calibrate = _SINGLE[fold.method]
    columns = [
        calibrate(calibrator, scope.graph.take(scores, [column]), scope)
        for column, calibrator in enumerate(fold.calibrators)
    ]
    return (both if binary else _normalized)(scope.graph, scope.graph.join(columns))


def _normalized(graph: Graph, columns: Matrix) -> Matrix:
    shared = shares(graph, columns)
    # A quotient can exceed 1 by its rounding.
    return shared.alike(graph.node("Min", shared.tensor, graph.constant(1.0)))


def _logits(graph: Graph, scores: Matrix, method: str) -> Matrix:
    if method == "predict_proba":
        shown = both(graph, scores) if scores.width == 1 else scores
        safe = graph.node("Add", shown.tensor, graph.constant(_EPSILON))
        return shown.alike(graph.node("Log", safe))
    if scores.width == 1:
        return graph.join([scores.alike(graph.node("Neg", scores.tensor)), scores])
    return scores


def _tempered(graph: Graph, logits: Matrix, beta: float) -> Matrix:
    scaled = graph.node("Mul", logits.tensor, graph.constant(beta))
    return logits.alike(graph.node("Softmax", scaled, axis=1))


def _sigmoid(calibrator: Estimator, scores: Matrix, scope: Scope) -> Matrix:
    graph = scope.graph
    scaled = graph.node("Mul", scores.tensor, graph.constant(calibrator.a_))
    moved = graph.node("Add", scaled, graph.constant(calibrator.b_))
    return logistic(graph, scores.alike(graph.node("Neg", moved)))


def isotonic(calibrator: Estimator, scores: Matrix, scope: Scope) -> Matrix:
    """Interpolate between the knots as `numpy.interp` does, to the last bit.

    A plateau has to stay one value: classes whose probabilities are equal are ordered by their
    order alone.
    """
    knots, values = calibrator.X_thresholds_, calibrator.y_thresholds_
    if knots.dtype != np.float64 or values.dtype != np.float64:
        scope.refuse(
            "an isotonic calibration was fitted in float32: "
            "fit on float64, by frame.astype('float64')"
        )
    graph = scope.graph
    low = graph.node("Max", scores.tensor, graph.constant(calibrator.X_min_))
    clipped = scores.alike(graph.node("Min", low, graph.constant(calibrator.X_max_)))
    segment = _segment(graph, clipped, knots)
    slopes = np.append(np.diff(values) / np.diff(knots), 0.0)
    start, base, slope = (
        graph.node("Gather", graph.constant(table), segment) for table in (knots, values, slopes)
    )
    risen = graph.node("Mul", slope, graph.node("Sub", clipped.tensor, start))
    return scores.alike(graph.node("Add", risen, base))


def _segment(graph: Graph, values: Matrix, knots: FloatVector) -> str:
    """Find the last knot that is not above each value, [N, 1] int64, by a search tree."""
    left: list[int] = []
    right: list[int] = []
    splits: list[float] = []
    places: list[int] = []

    def grow(first: int, last: int) -> int:
        node = len(splits)
        middle = (first + last + 1) // 2
        left.append(node)
        right.append(node)
        # A value goes left unless it reaches the knot; the operator asks whether it is not above.
        splits.append(np.nextafter(knots[middle], -np.inf))
        places.append(first)
        if first < last:
            left[node] = grow(first, middle - 1)
            right[node] = grow(middle, last)
        return node

    grow(0, len(knots) - 1)
    count = len(splits)
    tree = Tree(
        left=np.array(left),
        right=np.array(right),
        leaf=np.array(left) == np.arange(count),
        feature=np.zeros(count, dtype=np.int64),
        threshold=np.array(splits),
        missing_left=np.zeros(count, dtype=bool),
        value=np.array(places, dtype=np.float64),
    )
    search = Ensemble(1)
    search.add(tree, 0)
    return graph.node("Cast", search.node(graph, values).tensor, to=TensorProto.INT64)


_SINGLE: Final[dict[str, Callable[[Estimator, Matrix, Scope], Matrix]]] = {
    "sigmoid": _sigmoid,
    "isotonic": isotonic,
}


def _fixed(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free="estimator threshold pos_label response_method")
    inner = getattr(estimator, "estimator_", estimator.estimator)
    threshold = None if estimator.threshold == "auto" else float(estimator.threshold)
    return _with_threshold(estimator, inner, threshold, estimator.pos_label, matrix, scope)


def _tuned(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(
        estimator,
        free="estimator scoring response_method thresholds cv refit n_jobs random_state "
        "store_cv_results",
    )
    label = estimator._curve_scorer._get_pos_label()
    threshold = float(estimator.best_threshold_)
    return _with_threshold(estimator, estimator.estimator_, threshold, label, matrix, scope)


def _with_threshold(
    estimator: Estimator,
    inner: Estimator,
    threshold: float | None,
    label: object,
    matrix: Matrix,
    scope: Scope,
) -> Outputs:
    name = type(estimator).__name__
    outputs = scope.predict("estimator", inner, matrix)
    requested = estimator.response_method
    method = preferred(inner, PROBABILITY_FIRST if requested == "auto" else (requested,), scope)
    if label is not None and label != inner.classes_[1]:
        scope.refuse(
            f"{name} has a threshold of the first class, {label!r}: "
            "set pos_label to the second class"
        )
    second_class(outputs, inner, method, scope)  # or it is refused
    if method == "decision_function":
        least = 0.0 if threshold is None else threshold
        if not np.isfinite(least):
            scope.refuse(
                f"{name} has the threshold {least}, which no decision reaches: "
                "use a finite threshold"
            )
        return replace(outputs, threshold=least, label_by="decision")
    least = 0.5 if threshold is None else threshold
    if not 0 <= least <= 1:
        scope.refuse(
            f"{name} has the threshold {least}, which is no probability: "
            "use a threshold between 0 and 1"
        )
    return replace(outputs, threshold=least, label_by="probability")


def _isotonic_regression(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    # Where "raise" refuses a row, so says the signature.
    scope.admit(estimator, free="y_min y_max increasing out_of_bounds")
    graph = scope.graph
    value = isotonic(estimator, matrix, scope)
    if estimator.out_of_bounds == "nan" and len(estimator.X_thresholds_) > 1:
        below = graph.node("Less", matrix.tensor, graph.constant(estimator.X_min_))
        above = graph.node("Greater", matrix.tensor, graph.constant(estimator.X_max_))
        outside = graph.node("Or", below, above)
        value = value.alike(graph.node("Where", outside, graph.constant(nan), value.tensor))
    return Outputs(value=value)


CONVERTERS: Final[dict[type, Convert]] = {
    CalibratedClassifierCV: _calibrated,
    FixedThresholdClassifier: _fixed,
    IsotonicRegression: _isotonic_regression,
    TunedThresholdClassifierCV: _tuned,
}
