"""Dense networks as scikit-learn estimators that compute in float64."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

import numpy as np
from scipy.special import ndtr
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from sklambda.arrays import FloatMatrix

type Array = np.ndarray[Any, Any]

ELU_OF_SELU: Final = 1.6732632423543772
SCALE_OF_SELU: Final = 1.0507009873554805
"""G. Klambauer et al., Self-Normalizing Neural Networks (2017), equation 14."""


@dataclass(frozen=True, slots=True)
class Node:
    """One operation of a network.

    Attributes
    ----------
    operation : str
        A key of `OPERATIONS`.
    sources : tuple of int
        The nodes whose values it takes; those of the inputs come first.
    width : int
        The number of columns of its value.
    arrays : tuple of array
        Its weights, in float64.
    options : dict of str to float
        Its other parameters.
    """

    operation: str
    sources: tuple[int, ...]
    width: int
    arrays: tuple[Array, ...] = ()
    options: Mapping[str, float] = field(default_factory=dict)


def _elu(x: Array, alpha: float = 1.0) -> Array:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _softplus(x: Array) -> Array:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _relu(
    x: Array, negative_slope: float = 0.0, threshold: float = 0.0, max_value: float = np.inf
) -> Array:
    return np.where(x >= threshold, np.minimum(x, max_value), negative_slope * (x - threshold))


def _softmax(x: Array) -> Array:
    powers = np.exp(x - x.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _log_softmax(x: Array) -> Array:
    rest = x - x.max(axis=1, keepdims=True)
    return rest - np.log(np.exp(rest).sum(axis=1, keepdims=True))


def _embed(codes: Array, table: Array) -> Array:
    places = np.trunc(codes)
    if not ((places >= 0) & (places < len(table))).all():
        raise ValueError(f"an embedding takes whole numbers from 0 to {len(table) - 1}")
    return table[places.astype(np.intp)].reshape(len(codes), -1)


def _normalize(x: Array, scale: Array, shift: Array, *, epsilon: float) -> Array:
    apart = x - x.mean(axis=1, keepdims=True)
    variance = (apart * apart).mean(axis=1, keepdims=True)
    return apart / np.sqrt(variance + epsilon) * scale + shift


OPERATIONS: Final[Mapping[str, Callable[..., Array]]] = {
    "dense": lambda x, kernel, bias: x @ kernel + bias,
    "affine": lambda x, scale, shift: x * scale + shift,
    "embed": _embed,
    "layer_norm": _normalize,
    "concatenate": lambda *parts: np.concatenate(parts, axis=1),
    "add": lambda *parts: sum(parts[1:], parts[0]),
    "subtract": lambda one, other: one - other,
    "multiply": lambda *parts: np.prod(parts, axis=0),
    "maximum": lambda *parts: np.max(parts, axis=0),
    "minimum": lambda *parts: np.min(parts, axis=0),
    "linear": lambda x: x,
    "relu": _relu,
    "relu6": lambda x: _relu(x, max_value=6.0),
    "leaky_relu": lambda x, negative_slope=0.2: _relu(x, negative_slope),
    "prelu": lambda x, slopes: np.where(x >= 0, x, slopes * x),
    "elu": _elu,
    "selu": lambda x: SCALE_OF_SELU * _elu(x, ELU_OF_SELU),
    "sigmoid": _sigmoid,
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "silu": lambda x: x * _sigmoid(x),
    "hard_silu": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "tanh": np.tanh,
    "softplus": _softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "mish": lambda x: x * np.tanh(_softplus(x)),
    "gelu": lambda x: x * ndtr(x),
    "exponential": np.exp,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
}
"""The operations in float64: values [N, K] and weights to a value; activations by Keras's names."""


class Network(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A fitted dense network.

    Attributes
    ----------
    nodes_ : tuple of Node
        In the order of their computation; the last one is the output.
    inputs_ : tuple of int
        The number of columns of each input.
    n_features_in_ : int
        The number of columns of all inputs.
    """

    nodes_: tuple[Node, ...]
    inputs_: tuple[int, ...]
    n_features_in_: int

    def fit(self, X: Any, y: Any = None) -> Self:
        """Return the network as it is: Keras has fitted it."""
        return self

    def split(self, X: FloatMatrix) -> list[FloatMatrix]:
        """Return the columns of each input."""
        return np.split(X, np.cumsum(self.inputs_)[:-1], axis=1)

    def raw(self, X: Any) -> FloatMatrix:
        """Compute the last layer, [N, C]; raises ValueError for values that are not finite."""
        X = np.asarray(X, dtype=np.float64)
        if X.ndim != 2 or X.shape[1] != self.n_features_in_:
            raise ValueError(f"the network takes {self.n_features_in_} columns")
        if not np.isfinite(X).all():
            raise ValueError("the network takes finite numbers alone")
        values = self.split(X)
        for node in self.nodes_:
            operands = (values[source] for source in node.sources)
            values.append(OPERATIONS[node.operation](*operands, *node.arrays, **node.options))
        return values[-1]


class NetworkRegressor(RegressorMixin, Network):  # type: ignore[misc]  # scikit-learn ships no types
    """A network whose last layer is the value, or several values."""

    def predict(self, X: Any) -> Any:
        """Return the values of rows: [N], or [N, T] of several."""
        found = self.raw(X)
        return found[:, 0] if found.shape[1] == 1 else found


class NetworkClassifier(ClassifierMixin, Network):  # type: ignore[misc]  # scikit-learn ships no types
    """A network that ends in a sigmoid of one column or in a softmax.

    Attributes
    ----------
    classes_ : array
        The classes; 0 and up where the network was not fitted by scikeras.
    """

    classes_: Array

    def predict_proba(self, X: Any) -> FloatMatrix:
        """Return the probability of each class, [N, C]."""
        found = self.raw(X)
        return np.hstack([1 - found, found]) if found.shape[1] == 1 else found

    def predict(self, X: Any) -> Any:
        """Return the first class with the greatest probability."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class NetworkOfLabels(ClassifierMixin, Network):  # type: ignore[misc]  # scikit-learn ships no types
    """A network that ends in several sigmoids: a label each, 1 above a probability of 0.5."""

    def predict_proba(self, X: Any) -> FloatMatrix:
        """Return the probability of each label, [N, L]."""
        return self.raw(X)

    def predict(self, X: Any) -> Any:
        """Return which labels apply, [N, L]."""
        return (self.raw(X) > 0.5).astype(int)
