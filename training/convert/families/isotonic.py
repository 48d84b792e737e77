"""Isotonic regression: a line through knots that never turns."""

from math import nan
from typing import Final

from sklearn.isotonic import IsotonicRegression

from training.convert.families.calibration_thresholds import isotonic
from training.convert.graph.graph import Matrix
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Convert, Estimator, Scope


def _regression(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
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


CONVERTERS: Final[dict[type, Convert]] = {IsotonicRegression: _regression}
