"""Probabilities choose the class that scikit-learn's raw scores choose, also where they tie."""

from collections.abc import Callable

import numpy as np
import pytest

from sklambda.arrays import FloatMatrix
from sklambda.session import Session
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.links import chances, lean, logistic, posteriors, shares

_SMALL = (0.0, -0.0, 5e-324, 1e-300, 1e-17, 1e-9, 0.3, 40.0, 800.0)
ONE = np.array([[sign * value] for value in _SMALL for sign in (1, -1)])
_ALIKE = np.repeat(ONE, 3, axis=1)
SEVERAL = np.concatenate(
    [
        _ALIKE,
        np.add(_ALIKE, [1e-16, 0.0, 1e-17]),
        np.multiply(_ALIKE, [1.0, 1 + 2**-52, 1.0]),
        np.array([[700.0, 710.0, 720.0], [-1.0, -2.0, 1.0], [np.nextafter(0.5, 0), 0.5, 0.5]]),
    ]
)


def of_the_rest(graph: Graph, raw: Matrix) -> Matrix:
    return lean(graph, shares(graph, logistic(graph, raw)), raw)


LINKS: dict[str, tuple[Callable[[Graph, Matrix], Matrix], FloatMatrix]] = {
    "two classes": (chances, ONE),
    "several classes": (chances, SEVERAL),
    "one class against the rest": (of_the_rest, SEVERAL),
    "likelihoods": (posteriors, SEVERAL),
}


def scores(link: Callable[[Graph, Matrix], Matrix], raw: FloatMatrix) -> FloatMatrix:
    graph = Graph()
    made = link(graph, Matrix("X", (None,) * raw.shape[1]))
    return Session(graph.build(raw.shape[1], made)).run(raw)


@pytest.mark.parametrize("name", LINKS)
def test_the_first_greatest_probability_is_that_of_the_raw_scores(name: str) -> None:
    link, raw = LINKS[name]

    found = scores(link, raw)

    chosen = (raw[:, 0] > 0) if raw.shape[1] == 1 else raw.argmax(axis=1)
    np.testing.assert_array_equal(found.argmax(axis=1), chosen)
    assert found.max() <= 1


def test_leaning_is_far_below_the_tolerance() -> None:
    expected = np.exp(SEVERAL - SEVERAL.max(axis=1, keepdims=True))
    expected /= expected.sum(axis=1, keepdims=True)

    np.testing.assert_allclose(scores(chances, SEVERAL), expected, rtol=0, atol=2e-15)
