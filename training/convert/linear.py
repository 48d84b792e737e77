"""Linear models."""

from typing import Final

from sklearn.linear_model import LogisticRegression

from training.convert.answer import Answer
from training.convert.graph import Matrix
from training.convert.links import probabilities
from training.convert.scope import Convert, Estimator, Scope


def _logistic_regression(estimator: Estimator, matrix: Matrix, scope: Scope) -> Answer:
    scope.admit(
        estimator,
        free="penalty C l1_ratio dual tol fit_intercept intercept_scaling class_weight "
        "random_state solver max_iter verbose warm_start n_jobs",
    )
    graph = scope.graph
    products = graph.node("MatMul", matrix.tensor, graph.constant(estimator.coef_.T))
    sums = graph.node("Add", products, graph.constant([estimator.intercept_]))
    decision = matrix.numbers(sums, len(estimator.coef_))
    return Answer(probabilities(graph, decision), decision)


CONVERTERS: Final[dict[type, Convert]] = {LogisticRegression: _logistic_regression}
