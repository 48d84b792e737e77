"""Numbers cut into bins, and spread over more columns than there were."""

from typing import Final

import numpy as np
from sklearn.preprocessing import KBinsDiscretizer, PolynomialFeatures

from training.convert.families.encoding import require_double
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.graph.steps import look_up, step_tree


def _discretizer(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(
        estimator,
        free="n_bins encode strategy quantile_method subsample random_state dtype",
    )
    require_double(estimator, scope)
    graph = scope.graph
    trees = []
    for column, edges in enumerate(estimator.bin_edges_):
        # A value at an edge belongs to the bin above it.
        bounds = np.nextafter(edges[1:-1], -np.inf)
        trees.append(step_tree(column, bounds, np.arange(len(bounds) + 1.0), np.nan))
    bins = look_up(graph, matrix, trees)
    if estimator.encode == "ordinal":
        return bins
    counts = [int(count) for count in estimator.n_bins_]
    spread = graph.take(bins, np.repeat(np.arange(len(counts)), counts).tolist())
    own = np.concatenate([np.arange(count) for count in counts])
    hot = graph.node("Equal", spread.tensor, graph.constant([own]))
    return matrix.numbers(graph.double(hot), len(own))


def _polynomial_features(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(estimator, free="degree interaction_only include_bias order")
    graph = scope.graph
    least, most = estimator._min_degree, estimator._max_degree
    terms: list[tuple[int, ...]] = [(column,) for column in range(matrix.width)]
    block, blocks = matrix, []
    if estimator.include_bias:
        blocks.append(matrix.numbers(_ones(graph, matrix), 1))
    for degree in range(1, most + 1):
        if degree > 1:
            terms, block = _raised(graph, matrix, terms, block, estimator.interaction_only)
        if degree >= least and terms:
            blocks.append(block)
    if not blocks:
        scope.refuse(
            "PolynomialFeatures leaves no column: use include_bias=True or a greater degree"
        )
    return graph.join(blocks)


def _ones(graph: Graph, matrix: Matrix) -> str:
    first = graph.take(matrix, [0]).tensor
    return graph.double(graph.node("Equal", first, first))


def _raised(
    graph: Graph, matrix: Matrix, terms: list[tuple[int, ...]], block: Matrix, apart: bool
) -> tuple[list[tuple[int, ...]], Matrix]:
    """Multiply each column with the terms that start at it, or after it, in scikit-learn's order.

    The same product in another order differs in the last bit.
    """
    pairs = [
        (column, place)
        for column in range(matrix.width)
        for place, term in enumerate(terms)
        if term[0] > column or (term[0] == column and not apart)
    ]
    if not pairs:
        return [], block
    left = graph.take(block, [place for _, place in pairs])
    right = graph.take(matrix, [column for column, _ in pairs])
    product = graph.node("Mul", left.tensor, right.tensor)
    raised = [(column, *terms[place]) for column, place in pairs]
    return raised, matrix.numbers(product, len(pairs))


CONVERTERS: Final[dict[type, Convert]] = {
    KBinsDiscretizer: _discretizer,
    PolynomialFeatures: _polynomial_features,
}
