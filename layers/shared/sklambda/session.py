"""Runs ONNX graphs in onnxruntime, with its telemetry off."""

import os
from typing import Any

import numpy as np

from sklambda.arrays import FloatMatrix
from sklambda.errors import PackageRefused

# onnxruntime reads this once, while it is imported; without it, it writes a device id under the
# home directory and reports over the network.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

from onnxruntime import GraphOptimizationLevel, InferenceSession, SessionOptions

__all__ = ["INPUT", "OUTPUT", "ROWS", "InferenceSession", "Session", "SessionOptions", "load"]

INPUT = "X"
OUTPUT = "scores"

_ERRORS_ONLY = 3

ROWS = 4096
"""Rows of one run: enough to be fast, few enough that the values between nodes stay in the
processor's cache, and in memory for a forest of many trees."""


class Session:
    """A loaded graph from one float64 matrix to another.

    Parameters
    ----------
    model : bytes
        The ONNX model: input ``X`` [N, K] float64, output ``scores`` [N, C] float64.
    threads : int
        The number of threads that a call may use.

    Raises
    ------
    PackageRefused
        The model cannot be loaded, or has other inputs or outputs.
    """

    def __init__(self, model: bytes, threads: int = 1) -> None:
        self._session = load(model, threads)
        self.width = _columns("input", INPUT, self._session.get_inputs())
        self.classes = _columns("output", OUTPUT, self._session.get_outputs())
        # The wrapper around the binding checks, at each call, names that are constant here; that
        # takes 1.4 µs of the 8 that a linear model needs.
        self._run = self._session._sess.run

    def run(self, X: FloatMatrix) -> FloatMatrix:
        """Score the rows of `X`, [N, K] float64; returns [N, C] float64."""
        if 0 < len(X) <= ROWS:
            return self._part(X)
        scores = np.empty((len(X), self.classes))  # some graphs cannot run on no rows
        for start in range(0, len(X), ROWS):
            scores[start : start + ROWS] = self._part(X[start : start + ROWS])
        return scores

    def _part(self, X: FloatMatrix) -> FloatMatrix:
        scores: FloatMatrix = self._run([OUTPUT], {INPUT: X}, None)[0]
        return scores


def load(model: bytes, threads: int = 1) -> InferenceSession:
    """Load an ONNX model; raises `PackageRefused` where onnxruntime cannot load it."""
    options = SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # No optimisation: at higher levels onnxruntime 1.31 folds a scale into a float32 attribute of
    # the next product, and scores differ by 1e-9.
    options.graph_optimization_level = GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = _ERRORS_ONLY
    try:
        return InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no common base
        reason = str(error).splitlines()[0]
        raise PackageRefused(f"model.onnx cannot be loaded by onnxruntime: {reason}") from error


def _columns(side: str, name: str, values: list[Any]) -> int:
    found = [(value.name, value.type, len(value.shape)) for value in values]
    if found != [(name, "tensor(double)", 2)]:
        raise PackageRefused(
            f"model.onnx must have one {side} {name!r}, a float64 matrix, got {found}"
        )
    return int(values[0].shape[1])
