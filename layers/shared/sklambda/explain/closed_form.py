"""Exact Shapley values of scores that are sums over features or over trees."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from sklambda.arrays import FloatMatrix, FloatVector, IntVector
from sklambda.explain.trees import TreeTable
from sklambda.session import Session

type Link = Literal["identity", "sigmoid", "softmax", "exp"]
type Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Exact:
    """The closed form of the scores of a model.

    Attributes
    ----------
    prepare : bytes
        An ONNX model from ``X`` [N, K] to ``Z`` [N, P]; each column depends on one feature.
    link : {"identity", "sigmoid", "softmax", "exp"}
        The function from the explained scores to those of the model.
    base : FloatVector
        Shape [C]: the means of the explained scores of the background.
    owners : ndarray of int, shape [P]
        The feature of each column of ``Z``.
    weights : FloatMatrix
        Shape [L, C]: the weights of the first L columns; the others are for trees.
    centre : FloatVector
        Shape [L]: the means of these columns over the background.
    tables : tuple of TreeTable
        The tables of the trees.
    """

    prepare: bytes
    link: Link
    base: FloatVector
    owners: IntVector
    weights: FloatMatrix
    centre: FloatVector
    tables: tuple[TreeTable, ...]

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Read the arrays of ``explainer.npz``."""
        return cls(
            prepare=arrays["prepare"].tobytes(),
            link=_link(str(arrays["link"])),
            **{name: arrays[name] for name in _PLAIN},
            tables=tuple(
                TreeTable.from_arrays(_below(f"tree{place}_", arrays))
                for place in range(int(arrays["tables"]))
            ),
        )


_PLAIN: Final = ("base", "owners", "weights", "centre")


def _link(name: str) -> Link:
    for link in get_args(Link.__value__):
        if name == link:
            return link  # type: ignore[no-any-return]  # get_args gives Any
    raise ValueError(f"unknown link {name!r}")


def _below(prefix: str, arrays: Arrays) -> dict[str, NDArray[Any]]:
    return {
        name.removeprefix(prefix): value
        for name, value in arrays.items()
        if name.startswith(prefix)
    }


class ExactShapley:
    """Computes exact Shapley values.

    Parameters
    ----------
    exact : Exact
        The closed form.
    features : int
        The number of features, F.
    """

    def __init__(self, exact: Exact, features: int) -> None:
        self._exact, self._features = exact, features
        self._prepare = Session(exact.prepare)

    def contributions(self, X: FloatMatrix) -> FloatMatrix:
        """Compute the values of one row, [1, K]; returns [F, C]."""
        exact, row = self._exact, self._prepare.run(X)[0]
        found = np.zeros((self._features, len(exact.base)))
        count = len(exact.weights)
        apart = row[:count] - exact.centre
        np.add.at(found, exact.owners[:count], apart[:, None] * exact.weights)
        for table in exact.tables:
            found += table.contributions(row, self._features)
        return found


def apply_link(link: Link, explained: FloatMatrix) -> FloatMatrix:
    """Return the scores [N, C] of the model from the explained ones."""
    with np.errstate(over="ignore"):
        if link == "sigmoid":
            return 1 / (1 + np.exp(-explained))
        if link == "softmax":
            powers = np.exp(explained - explained.max(axis=1, keepdims=True))
            return powers / powers.sum(axis=1, keepdims=True)
        return np.exp(explained) if link == "exp" else explained


def read(content: bytes) -> dict[str, NDArray[Any]]:
    """Read arrays; raises `ValueError` or `OSError` for other bytes, and for a pickle."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)
