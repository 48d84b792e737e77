"""Arithmetic in float32 is that of the C library and of loops, to the last bit."""

import ctypes
import platform
from collections.abc import Callable

import numpy as np
import pytest

from sklambda.arrays import FloatMatrix
from sklambda.session import INPUT, Session
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.single_precision import added_in_order, exponential


def computed(X: FloatMatrix, nodes: Callable[[Graph, Matrix], Matrix]) -> FloatMatrix:
    graph, columns = Graph(), Matrix(INPUT, (None,) * X.shape[1])
    return Session(graph.build(columns.width, nodes(graph, columns))).run(X)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library's expf")
def test_the_exponential_is_that_of_the_c_library() -> None:
    expf = ctypes.CDLL("libm.so.6").expf
    expf.restype, expf.argtypes = ctypes.c_float, [ctypes.c_float]
    generator = np.random.default_rng(0)
    drawn = [generator.uniform(-110, 90, 50_000), generator.normal(0, 3, 50_000)]
    edges = [0.0, -0.0, 1e-30, 88.72283, 88.722839, -87.4, -103.97, -104.0, 3e38, -3e38]
    X = np.concatenate([*drawn, edges]).astype(np.float32).astype(np.float64)[:, None]

    found = computed(X, lambda graph, x: x.alike(exponential(graph, x.tensor)))

    np.testing.assert_array_equal(found[:, 0], [expf(x) for x in X[:, 0]])


@pytest.mark.parametrize("rows", [0, 1, 2, 7, 300])
@pytest.mark.parametrize("width", [1, 3])
def test_sums_are_taken_one_after_the_other(width: int, rows: int) -> None:
    parts = np.random.default_rng(rows).normal(size=(rows, 200, width)).astype(np.float32)
    X = parts.reshape(rows, 200 * width).astype(np.float64)

    found = computed(X, lambda graph, matrix: added_in_order(graph, matrix, width))

    total = np.zeros((rows, width), dtype=np.float32)
    for place in range(200):
        total += parts[:, place]
    np.testing.assert_array_equal(found, total)
