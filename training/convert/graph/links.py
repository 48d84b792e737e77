"""From raw scores to probabilities, in float64."""

from typing import Final

import numpy as np

from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.kernels import affine

LEAN: Final = 2.0**-50
"""How far a tie of probabilities is moved towards the class of the decision."""


def probabilities(graph: Graph, raw: Matrix) -> Matrix:
    """Turn raw scores into probabilities.

    One column [N, 1] is the log-odds of the second class and gives [N, 2]; several [N, C] are
    one a class and go through softmax.
    """
    if raw.width > 1:
        return raw.alike(graph.node("Softmax", raw.tensor, axis=1))
    return both(graph, raw.alike(graph.node("Sigmoid", raw.tensor)))


def both(graph: Graph, second: Matrix) -> Matrix:
    """Add the probability of the first class before that of the second: [N, 1] to [N, 2]."""
    return affine(graph, second, [[-1.0], [1.0]], [1.0, 0.0])


def logistic(graph: Graph, raw: Matrix) -> Matrix:
    """Return the `sigmoid` of raw scores."""
    return raw.alike(sigmoid(graph, raw.tensor))


def sigmoid(graph: Graph, values: str) -> str:
    """Return ``1 / (1 + exp(-x))`` to the last bits, however small.

    onnxruntime's own Sigmoid is exact to 1e-16, of which nothing is left for probabilities that
    are small and are then divided by their sum.
    """
    powers = graph.node("Exp", graph.node("Neg", values))
    one = graph.constant(1.0)
    return graph.node("Div", one, graph.node("Add", powers, one))


def shares(graph: Graph, parts: Matrix) -> Matrix:
    """Divide each row [N, C] by its sum; where that is 0, the classes share alike."""
    sums = graph.node("ReduceSum", parts.tensor, graph.constant([1], np.int64), keepdims=1)
    nothing = graph.node("Equal", sums, graph.constant(0.0))
    divided = graph.node("Div", parts.tensor, sums)
    alike = graph.constant(1.0 / parts.width)
    return parts.alike(graph.node("Where", nothing, alike, divided))


def posteriors(graph: Graph, joint: Matrix) -> Matrix:
    """Turn log-likelihoods [N, C] into probabilities as scikit-learn's naive Bayes does.

    That is no softmax: with likelihoods beyond 1e10 the rounding of the logarithm of their sum
    is seen in the probabilities. The label is that of the likelihoods.
    """
    axis = graph.constant([1], np.int64)
    greatest = graph.node("ReduceMax", joint.tensor, axis, keepdims=1)
    powers = graph.node("Exp", graph.node("Sub", joint.tensor, greatest))
    logarithm = graph.node("Log", graph.node("ReduceSum", powers, axis, keepdims=1))
    total = graph.node("Add", logarithm, greatest)
    chance = graph.node("Exp", graph.node("Sub", joint.tensor, total))
    return lean(graph, joint.alike(chance), joint)


def chances(graph: Graph, raw: Matrix, times: float = 1.0) -> Matrix:
    """Turn raw scores, multiplied, into `probabilities` that `lean` to the class of the raw scores.

    What is added to the log-odds of two classes is far below the tolerance.
    """
    if raw.width > 1:
        return lean(graph, probabilities(graph, raw), raw)
    signs = graph.node("Sign", raw.tensor)
    pair = graph.node("Concat", raw.tensor, signs, axis=1)
    both_ways = graph.constant([[-times, times], [-LEAN, LEAN]])
    odds = graph.node("MatMul", pair, both_ways)
    return raw.numbers(graph.node("Sigmoid", odds), 2)


def lean(graph: Graph, scores: Matrix, raw: Matrix) -> Matrix:
    """Break ties of probabilities towards the class that the raw scores choose.

    scikit-learn decides by the raw scores, and two that differ in the last bit can have the same
    probability. Of several classes those before the chosen one are made smaller, far below the
    tolerance: the first of equal ones is the label, and none exceeds 1.

    Parameters
    ----------
    graph : Graph
        The graph.
    scores : Matrix
        Probabilities, [N, C], that grow with the raw scores or stay as they are.
    raw : Matrix
        [N, 1], of the second class, which it is above 0; or [N, C], of which the first greatest is.
    """
    if scores.width == 1:  # one class alone
        return scores
    if raw.width == 1:
        is_second = graph.node("Greater", raw.tensor, graph.constant(0.0))
        tie = graph.constant([[0.0, 0.5 + LEAN]])
        least = graph.node("Where", is_second, tie, graph.constant([[0.0, 0.0]]))
        return scores.alike(graph.node("Max", scores.tensor, least))
    place = graph.node("ArgMax", raw.tensor, axis=1, keepdims=0)
    table = np.where(np.tri(raw.width, k=-1, dtype=bool), 1.0 - LEAN, 1.0)
    factors = graph.node("Gather", graph.constant(table), place)
    return scores.alike(graph.node("Mul", scores.tensor, factors))
