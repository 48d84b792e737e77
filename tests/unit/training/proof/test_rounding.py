"""Bounds on rounding hold, are narrow, and stop at what decides."""

from collections.abc import Callable
from fractions import Fraction
from typing import Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sklambda.arrays import FloatMatrix
from sklambda.session import Session
from tests.support.proof import classes, numbers
from training.convert import convert
from training.convert.graph.graph import Graph, Matrix
from training.proof.rounding import Rounding

WIDTH: Final = 5
WEIGHTS: Final = np.random.default_rng(3).normal(size=(WIDTH, 3))

type Make = Callable[[Graph, str], str]
type Compute = Callable[[np.ndarray], np.ndarray]


def built(make: Make, width: int = 3) -> bytes:
    """Build a graph that sums with `WEIGHTS` and then does something with the sums."""
    graph = Graph(WIDTH)
    sums = graph.node("MatMul", "X", graph.constant(WEIGHTS))
    return graph.build(WIDTH, Matrix(make(graph, sums), (None,) * width))


def softmax(values: np.ndarray) -> np.ndarray:
    powers: np.ndarray = np.exp(values - values.max(axis=1, keepdims=True))
    shares: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return shares


def doubled_and_squared(graph: Graph, sums: str) -> str:
    twice = graph.node("Add", sums, sums)
    return graph.node("Pow", twice, graph.constant(2.0))


def shares_of(graph: Graph, sums: str) -> str:
    sizes = graph.node("Abs", sums)
    total = graph.node("ReduceSum", sizes, graph.constant([1], np.int64), keepdims=1)
    return graph.node("Div", sizes, graph.node("Add", total, graph.constant(1.0)))


def turned_and_cut(graph: Graph, sums: str) -> str:
    turned = graph.node("Transpose", sums, perm=[1, 0])
    twice = graph.node("Concat", turned, graph.node("Neg", turned), axis=0)
    back = graph.node("Transpose", twice, perm=[1, 0])
    return graph.node("Gather", back, graph.constant([0, 4, 2], np.int64), axis=1)


def kept_above(graph: Graph, sums: str) -> str:
    above = graph.node("Greater", sums, graph.constant(0.0))
    return graph.node("Where", above, sums, graph.constant(-1.0))


STEPS: Final[dict[str, tuple[Make, Compute]]] = {
    "sums": (lambda graph, sums: graph.node("Identity", sums), lambda values: values),
    "a sigmoid": (
        lambda graph, sums: graph.node("Sigmoid", sums),
        lambda values: 1 / (1 + np.exp(-values)),
    ),
    "shares by softmax": (lambda graph, sums: graph.node("Softmax", sums, axis=1), softmax),
    "exponentials": (lambda graph, sums: graph.node("Exp", sums), np.exp),
    "tangents": (lambda graph, sums: graph.node("Tanh", sums), np.tanh),
    "squares": (doubled_and_squared, lambda values: (2 * values) ** 2),
    "roots": (
        lambda graph, sums: graph.node("Sqrt", graph.node("Abs", sums)),
        lambda values: np.sqrt(np.abs(values)),
    ),
    "products": (
        lambda graph, sums: graph.node("Mul", sums, graph.node("Sub", sums, graph.constant(1.0))),
        lambda values: values * (values - 1),
    ),
    "shares by division": (
        shares_of,
        lambda values: np.abs(values) / (1 + np.abs(values).sum(axis=1, keepdims=True)),
    ),
    "turned and cut": (turned_and_cut, lambda values: values * [1, -1, 1]),
    "kept above": (kept_above, lambda values: np.where(values > 0, values, -1)),
    "the greatest": (
        lambda graph, sums: graph.node("Max", sums, graph.constant(0.25)),
        lambda values: np.maximum(values, 0.25),
    ),
}


def rows(size: float) -> FloatMatrix:
    """Make rows whose sums cancel, of numbers of a size; some do not."""
    X = np.random.default_rng(4).normal(size=(60, WIDTH)) * size
    # The first three numbers of a row are such that its sums are small.
    X[:30, :3] = np.linalg.solve(WEIGHTS[:3].T, -(X[:30, 3:] @ WEIGHTS[3:]).T).T
    X[:30, 0] += np.random.default_rng(5).normal(size=30)
    return X


@pytest.mark.parametrize("size", [1.0, 1e6, 1e12])
@pytest.mark.parametrize("name", STEPS)
def test_what_is_rounded_is_within_its_bound(name: str, size: float) -> None:
    make, compute = STEPS[name]
    X, model = rows(size), built(make)

    with np.errstate(all="ignore"):
        sums = X.astype(np.longdouble) @ WEIGHTS.astype(np.longdouble)
        exact = compute(sums).astype(np.float64)
    found, bounds = Session(model).run(X), Rounding(model).bounds(X)

    known = np.isfinite(bounds) & np.isfinite(exact)
    # On which side of 0 a sum is decides, and what decides has no bound.
    known &= (name != "kept above") | (np.abs(sums) > 1e-10 * size)
    assert (np.abs(exact[known] - found[known]) <= bounds[known]).all()
    assert known[:30].all() or name in ("exponentials", "kept above")


def test_the_bound_of_a_sum_is_that_of_its_terms() -> None:
    X = rows(1e12)

    bounds = Rounding(built(lambda graph, sums: graph.node("Identity", sums))).bounds(X)

    terms = np.abs(X) @ np.abs(WEIGHTS)
    assert (bounds <= 2 * WIDTH * 2.0**-53 * terms).all()
    assert (bounds >= 2.0**-53 * terms).all()


@given(st.lists(st.floats(-1e15, 1e15), min_size=WIDTH, max_size=WIDTH))
def test_a_sum_is_within_its_bound_in_any_order(row: list[float]) -> None:
    graph = Graph(WIDTH)
    sums = graph.node("MatMul", "X", graph.constant(np.ones((WIDTH, 1))))
    model = graph.build(WIDTH, Matrix(sums, (None,)))

    bound = Rounding(model).bounds(np.array([row]))[0, 0]

    exact = float(sum(map(Fraction, row)))
    for order in (row, row[::-1], sorted(row), sorted(row, key=abs)):
        total = 0.0
        for term in order:
            total += term
        assert abs(total - exact) <= bound + abs(exact) * 2.0**-53


def test_well_conditioned_scores_have_bounds_far_below_the_tolerance() -> None:
    frame = numbers()
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, classes(4))

    bounds = Rounding(convert(model, [None] * 6).model).bounds(frame.to_numpy(dtype=np.float64))

    assert bounds.max() < 1e-13


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(),
        RandomForestClassifier(5),
        make_pipeline(StandardScaler(), RandomForestClassifier(5)),
        make_pipeline(PCA(2), DecisionTreeClassifier()),
        KMeans(2, random_state=0),
    ],
    ids=["tree", "forest", "scaled", "projected", "clusters"],
)
def test_what_is_decided_has_none(model: object) -> None:
    frame = numbers()
    fitted = model.fit(frame, classes(2))  # type: ignore[attr-defined]

    bounds = Rounding(convert(fitted, [None] * 6).model).bounds(frame.to_numpy(dtype=np.float64))

    assert not bounds.any()


def test_a_division_by_what_may_be_nothing_has_no_bound() -> None:
    model = built(lambda graph, sums: graph.node("Div", graph.constant(1.0), sums))
    cancelling = np.zeros((1, WIDTH))
    cancelling[0, :2] = [1e16 * WEIGHTS[1, 0], -1e16 * WEIGHTS[0, 0]]

    assert not np.isfinite(Rounding(model).bounds(cancelling)[0, 0])


def test_an_infinity_has_no_error() -> None:
    model = built(
        lambda graph, sums: graph.node("Exp", graph.node("Add", sums, graph.constant(-np.inf)))
    )

    assert not Rounding(model).bounds(rows(1e12)).any()


def test_no_rows_have_no_bounds() -> None:
    model = built(lambda graph, sums: graph.node("Neg", sums))

    assert Rounding(model).bounds(np.empty((0, WIDTH))).shape == (0, 3)
