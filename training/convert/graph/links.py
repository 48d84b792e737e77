"""From raw scores to probabilities, in float64."""

import numpy as np

from training.convert.graph.affine import affine
from training.convert.graph.graph import Graph, Matrix


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
    """Return ``1 / (1 + exp(-raw))`` to the last bits, however small.

    onnxruntime's own Sigmoid is exact to 1e-16, of which nothing is left for probabilities that
    are small and are then divided by their sum.
    """
    powers = graph.node("Exp", graph.node("Neg", raw.tensor))
    one = graph.constant(1.0)
    return raw.alike(graph.node("Div", one, graph.node("Add", powers, one)))


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
    is seen in the probabilities.
    """
    axis = graph.constant([1], np.int64)
    greatest = graph.node("ReduceMax", joint.tensor, axis, keepdims=1)
    powers = graph.node("Exp", graph.node("Sub", joint.tensor, greatest))
    logarithm = graph.node("Log", graph.node("ReduceSum", powers, axis, keepdims=1))
    total = graph.node("Add", logarithm, greatest)
    return joint.alike(graph.node("Exp", graph.node("Sub", joint.tensor, total)))
