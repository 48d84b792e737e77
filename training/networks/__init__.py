"""Dense Keras networks as scikit-learn estimators that compute in float64.

Keras computes in float32 and does not agree with itself between batch sizes (6e-8), so its answers
cannot be what a package is held to. The network is read from its configuration and weights, and
computed in float64: that is the reference of the proof. How far Keras's own answers are from it is
measured on the rows of the frame and stands in the manifest.

Keras is not imported: whoever has a network has it.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from sklambda.arrays import FloatMatrix
from training.errors import ConversionRefused, DataError
from training.networks.estimators import (
    Network,
    NetworkClassifier,
    NetworkOfLabels,
    NetworkRegressor,
)
from training.networks.keras_layers import Reader, is_model

FAR: Final = 1e-3
"""The greatest distance from Keras's answers, relative above 1, that float32 explains."""

_COMPARED: Final = 2_000
"""The most rows whose answers are compared with Keras's."""


@dataclass(frozen=True, slots=True)
class InDoublePrecision:
    """A pipeline whose network was replaced by one that computes in float64.

    Attributes
    ----------
    pipeline : estimator
        scikit-learn's.
    distance : float
        The greatest difference of the network's own answers on the rows: absolute up to a score of
        1, relative above.
    """

    pipeline: Any
    distance: float


def in_double_precision(pipeline: Any, frame: pd.DataFrame) -> InDoublePrecision | None:
    """Replace a Keras network, alone or as the last step, by one that computes in float64.

    Parameters
    ----------
    pipeline : estimator or keras.Model
        A network, scikeras's wrapper of one, or a fitted pipeline that ends in one of them.
    frame : DataFrame
        Shape [N, K]: rows that it takes, on which the answers are compared.

    Returns
    -------
    InDoublePrecision or None
        None where there is no network.

    Raises
    ------
    ConversionRefused
        A layer or an activation has no exact conversion; or the answers are further apart than
        float32 explains.
    """
    if hasattr(pipeline, "best_estimator_"):
        return in_double_precision(pipeline.best_estimator_, frame)
    steps = pipeline.steps if isinstance(pipeline, Pipeline) else [("", pipeline)]
    step, last = steps[-1]
    if not _is_network(last):
        return None
    names = _names(pipeline, last, frame)
    few: Any = frame.head(_COMPARED)[names]
    before = pipeline[:-1] if len(steps) > 1 else None
    network, distance = _rebuilt(last, few if before is None else before.transform(few))
    if not distance <= FAR:
        raise ConversionRefused(
            step,
            f"the network's answers in float64 and Keras's in float32 differ by {distance:.1g}, "
            f"and rounding explains {FAR:g}: scale its inputs, by StandardScaler before it",
        )
    if before is not None:
        return InDoublePrecision(Pipeline([*steps[:-1], (step, network)]), distance)
    network.feature_names_in_ = np.array(names, dtype=object)
    return InDoublePrecision(network, distance)


def _names(pipeline: Any, last: Any, frame: pd.DataFrame) -> list[str]:
    """Return the columns that the pipeline takes, in its order."""
    names = [*getattr(pipeline, "feature_names_in_", frame.columns)]
    inputs = [one.name for one in last.inputs] if is_model(last) else []
    if len(inputs) > 1 and set(inputs) <= set(frame.columns):
        names = inputs
    absent = [name for name in names if name not in frame.columns]
    if absent:
        raise DataError(f"the frame lacks column {absent[0]!r}, which the pipeline was fitted on")
    return names


def _is_network(estimator: Any) -> bool:
    return is_model(estimator) or type(estimator).__module__.startswith("scikeras.")


def _rebuilt(last: Any, taken: Any) -> tuple[Network, float]:
    """Return the network in float64, and how far Keras's answers are for rows that reach it."""
    model = last if is_model(last) else getattr(last, "model_", None)
    if model is None:
        raise ConversionRefused("", "scikeras's wrapper is not fitted: fit the pipeline first")
    reader = Reader()
    inputs = reader.inputs(model)
    reader.model(model, inputs)
    network = _estimator(last, reader)
    network.nodes_, network.inputs_ = tuple(reader.nodes), tuple(reader.widths[: len(inputs)])
    network.n_features_in_ = sum(network.inputs_)
    X = _matrix(taken)
    if X.shape[1] != network.n_features_in_:
        raise DataError(
            f"the network takes {network.n_features_in_} columns, got {X.shape[1]}: pass the frame "
            "that it was fitted on, without the target"
        )
    typed = [
        part.astype(_dtype(one)) for part, one in zip(network.split(X), model.inputs, strict=True)
    ]
    answers = np.asarray(model.predict(typed[0] if len(typed) == 1 else typed, verbose=0))
    found = network.raw(X)
    apart = np.abs(found - answers.reshape(found.shape)) / np.maximum(1.0, np.abs(found))
    return network, float(apart.max())


def _dtype(tensor: Any) -> str:
    name = str(tensor.dtype)
    return name if name.startswith(("int", "uint", "float")) else "float32"


def _matrix(taken: Any) -> FloatMatrix:
    dense = taken.toarray() if hasattr(taken, "toarray") else np.asarray(taken)
    try:
        X = dense.astype(np.float64)
    except (TypeError, ValueError):
        raise DataError(
            "a network takes numbers alone: put OneHotEncoder or OrdinalEncoder before it, in a "
            "Pipeline with scikeras's wrapper"
        ) from None
    if not np.isfinite(X).all():
        raise DataError("a network takes no missing values: put SimpleImputer before it")
    return X


def _estimator(last: Any, reader: Reader) -> Network:
    """Return an estimator of the right kind, by the activation of the last layer."""
    end = next((node for node in reversed(reader.nodes) if node.operation != "linear"), None)
    ending = "linear" if end is None else end.operation
    width = reader.widths[-1]
    classes = getattr(last, "classes_", None)
    is_classifier = type(last).__name__ == "KerasClassifier"
    if not is_classifier and (not is_model(last) or ending not in ("sigmoid", "softmax")):
        return NetworkRegressor()
    if ending not in ("sigmoid", "softmax"):
        raise ConversionRefused(
            "",
            f"a classifying network that ends in {ending} has no probabilities: end it in a "
            "sigmoid or a softmax, with a loss of from_logits=False",
        )
    if ending == "sigmoid" and width > 1:
        return NetworkOfLabels()
    network = NetworkClassifier()
    network.classes_ = np.arange(max(2, width)) if classes is None else np.asarray(classes)
    return network
