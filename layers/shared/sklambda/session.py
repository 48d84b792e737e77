"""onnxruntime, with its telemetry off, and one graph loaded in it."""

import os
from typing import Any

import numpy as np

from sklambda.arrays import FloatMatrix
from sklambda.errors import PackageRefused

# onnxruntime reads this once, while it is imported; without it, it writes a device id under the
# home directory and reports over the network.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

from onnxruntime import GraphOptimizationLevel, InferenceSession, SessionOptions

__all__ = ["INPUT", "OUTPUT", "InferenceSession", "Session", "SessionOptions", "load"]

INPUT = "X"
OUTPUT = "scores"

_ERRORS_ONLY = 3

_ROWS = 4096
"""Rows of one run: so many that it pays, so few that what stands between the nodes stays in the
processor's cache, and in memory for a forest of many trees."""


class Session:
    """A graph from one float64 matrix to another, ready to run.

    Parameters
    ----------
    model : bytes
        The ONNX model: input ``X`` [N, K] float64, output ``scores`` [N, C] float64.
    threads : int
        How many threads one call may use.

    Raises
    ------
    PackageRefused
        The bytes are no such model.
    """

    def __init__(self, model: bytes, threads: int = 1) -> None:
        self._session = load(model, threads)
        self.width = _columns("input", INPUT, self._session.get_inputs())
        self.classes = _columns("output", OUTPUT, self._session.get_outputs())
        # onnxruntime's binding itself: what it is wrapped in checks, at each call, names that are
        # constant here, and takes 1.4 µs of the 8 that a linear model needs.
        self._run = self._session._sess.run

    def run(self, X: FloatMatrix) -> FloatMatrix:
        """Score the rows of `X`, [N, K] float64; gives [N, C] float64."""
        if len(X) <= _ROWS:
            return self._part(X)
        scores = np.empty((len(X), self.classes))
        for start in range(0, len(X), _ROWS):
            scores[start : start + _ROWS] = self._part(X[start : start + _ROWS])
        return scores

    def _part(self, X: FloatMatrix) -> FloatMatrix:
        scores: FloatMatrix = self._run([OUTPUT], {INPUT: X}, None)[0]
        return scores


def load(model: bytes, threads: int = 1) -> InferenceSession:
    """Load any ONNX model; raises `PackageRefused` where onnxruntime does not take it."""
    options = SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # What is in the graph is what runs: at its higher levels onnxruntime 1.31 folds a scale into a
    # float32 attribute of the product after it, and scores differ by 1e-9.
    options.graph_optimization_level = GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = _ERRORS_ONLY
    try:
        return InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no base of their own
        reason = str(error).splitlines()[0]
        raise PackageRefused(f"model.onnx is no graph that onnxruntime loads: {reason}") from error


def _columns(side: str, name: str, values: list[Any]) -> int:
    found = [(value.name, value.type, len(value.shape)) for value in values]
    if found != [(name, "tensor(double)", 2)]:
        raise PackageRefused(f"model.onnx must have one {side}, {name!r}: a float64 matrix")
    return int(values[0].shape[1])
