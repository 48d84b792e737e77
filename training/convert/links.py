"""From raw scores to probabilities, in float64."""

from training.convert.graph import Graph, Matrix


def probabilities(graph: Graph, raw: Matrix) -> Matrix:
    """Turn raw scores into probabilities.

    One column [N, 1] is the log-odds of the second class and gives [N, 2]; several [N, C] are
    one a class and go through softmax.
    """
    if raw.width > 1:
        return raw.alike(graph.node("Softmax", raw.tensor, axis=1))
    second = graph.node("Sigmoid", raw.tensor)
    first = graph.node("Sub", graph.constant([[1.0]]), second)
    return graph.join([raw.numbers(first), raw.numbers(second)])
