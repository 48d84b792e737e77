"""Dense Keras networks as scikit-learn estimators that compute in float64.

Keras computes in float32 and does not agree with itself between batch sizes (6e-8), so its answers
cannot be what a package is held to. The network is read from its configuration and weights, and
computed in float64: that is the reference of the proof. How far Keras's own answers are from it is
measured on the rows of the frame and stands in the manifest.

Keras is not imported: a network brings it along.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from sklambda.arrays import FloatMatrix
from training.errors import ConversionRefused, DataError
from training.networks.estimators import (
    OPERATIONS,
    Array,
    Network,
    NetworkClassifier,
    NetworkOfLabels,
    NetworkRegressor,
    Node,
)

type Model = Any  # Keras ships no types

_SYNONYMS: Final = {"swish": "silu", "hard_swish": "hard_silu"}
_MERGES: Final = {
    "Add": "add",
    "Subtract": "subtract",
    "Multiply": "multiply",
    "Maximum": "maximum",
    "Minimum": "minimum",
    "Concatenate": "concatenate",
}
_IDENTITIES: Final = (
    "ActivityRegularization",
    "AlphaDropout",
    "Dropout",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "Identity",
    "Reshape",
)
"""Layers that leave a row of numbers as it is where the network predicts."""
FAR: Final = 1e-3
"""The greatest distance from Keras's answers, relative above 1, that float32 explains."""

_COMPARED: Final = 2_000
"""The most rows whose answers are compared with Keras's."""


def is_model(estimator: Any) -> bool:
    """Check whether this is a model of Keras, not a subclass of a user's."""
    return _package(estimator) == "keras" and type(estimator).__name__ in _MODELS


_MODELS: Final = ("Functional", "Model", "Sequential")


def _package(thing: Any) -> str:
    return type(thing).__module__.partition(".")[0]


def _refuse(layer: Any, reason: str) -> ConversionRefused:
    kind = type(layer)
    module = "keras.layers" if _package(layer) == "keras" else kind.__module__
    return ConversionRefused(str(layer.name), f"{module}.{kind.__name__} {reason}")


class Reader:
    """Reads the layers of a model as operations on values; inputs are the first values."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.widths: list[int] = []
        self._deep: set[int] = set()  # values [N, k, d] of an embedding

    def inputs(self, model: Model) -> list[int]:
        """Add the inputs of a model and return their values."""
        for tensor in model.inputs:
            if len(tensor.shape) != 2 or tensor.shape[1] is None:
                raise ConversionRefused(
                    "",
                    "the network must take rows of numbers: give its inputs one dimension, as "
                    "keras.Input((columns,))",
                )
            if str(tensor.dtype) == "string":
                raise ConversionRefused(
                    "",
                    "a network takes numbers alone: put OneHotEncoder or OrdinalEncoder before it",
                )
            self.widths.append(int(tensor.shape[1]))
        return list(range(len(self.widths)))

    def model(self, model: Model, sources: Sequence[int]) -> int:
        """Add the layers of a Sequential or functional model and return the value of its output."""
        if not is_model(model) or type(model).__name__ == "Model":
            raise _refuse(model, "has code of its own: build it as Sequential or functional model")
        if type(model).__name__ == "Sequential":
            value, *others = sources
            if others:
                raise _refuse(model, "has several inputs: build it as a functional model")
            for layer in model.layers:
                value = self.layer(layer, [value])
            return value
        return self._functional(model, sources)

    def _functional(self, model: Model, sources: Sequence[int]) -> int:
        config = model.get_config()
        described = {one["name"]: one for one in config["layers"]}
        outputs = list(_references(config["output_layers"]))
        if len(outputs) != 1:
            raise _refuse(
                model, f"has {len(outputs)} outputs: export one, as keras.Model(inputs, output)"
            )
        entries = [name for name, _ in _references(config["input_layers"])]
        made = {(name, 0): value for name, value in zip(entries, sources, strict=True)}

        def value(name: str, node: int) -> int:
            if (name, node) not in made:
                call = described[name]["inbound_nodes"][node]
                operands = [value(*one) for one in _histories(call["args"])]
                made[name, node] = self.layer(model.get_layer(name), operands)
            return made[name, node]

        return value(*outputs[0])

    def layer(self, layer: Any, sources: Sequence[int]) -> int:
        """Add one layer and return its value."""
        kind = type(layer).__name__
        if is_model(layer):
            return self.model(layer, sources)
        if _package(layer) != "keras":
            raise _refuse(layer, "is code of yours, which cannot be read: use layers of Keras")
        if kind == "InputLayer":
            return sources[0]
        if kind in _MERGES or kind == "Average":
            return self._merge(layer, kind, sources)
        (source,) = sources
        if kind in ("Flatten", "Reshape"):
            return self._flat(layer, source)
        if source in self._deep:
            raise _refuse(
                layer, "reads an embedding of several dimensions: put Flatten() before it"
            )
        if kind in _IDENTITIES:
            return source
        read = _LAYERS.get(kind)
        if read is None:
            known = ", ".join(sorted((*_LAYERS, *_MERGES)))
            raise _refuse(layer, f"has no exact conversion: use layers of {known}")
        for operation, arrays, options in read(layer):
            source = self._add(operation, [source], arrays, options)
        return source

    def _flat(self, layer: Any, source: int) -> int:
        if type(layer).__name__ == "Reshape" and len(layer.target_shape) != 1:
            raise _refuse(layer, "must leave one dimension: use Flatten()")
        if source not in self._deep:
            return source
        return self._add("linear", [source])

    def _merge(self, layer: Any, kind: str, sources: Sequence[int]) -> int:
        if self._deep & set(sources):
            raise _refuse(
                layer, "reads an embedding of several dimensions: put Flatten() before it"
            )
        if kind == "Concatenate" and layer.axis not in (-1, 1):
            raise _refuse(layer, f"must join columns, axis=-1, got axis={layer.axis}: use axis=-1")
        if kind == "Concatenate":
            return self._add("concatenate", sources)
        widths = [self.widths[source] for source in sources]
        if len(set(widths)) > 1:
            raise _refuse(
                layer,
                "must merge values of the same width: "
                "use Concatenate, or Dense layers of one width before it",
            )
        if kind != "Average":
            return self._add(_MERGES[kind], sources)
        share = np.full(widths[0], 1 / len(sources))
        return self._add("affine", [self._add("add", sources)], (share, np.zeros(widths[0])))

    def _add(
        self,
        operation: str,
        sources: Sequence[int],
        arrays: Sequence[Array] = (),
        options: Mapping[str, float] = {},
    ) -> int:
        width = self.widths[sources[0]]
        if operation == "dense":
            width = arrays[0].shape[1]
        elif operation == "embed":
            self._deep.add(len(self.widths))
            width *= arrays[0].shape[1]
        elif operation == "concatenate":
            width = sum(self.widths[source] for source in sources)
        self.nodes.append(Node(operation, tuple(sources), width, tuple(arrays), dict(options)))
        self.widths.append(width)
        return len(self.widths) - 1


type _Step = tuple[str, tuple[Array, ...], Mapping[str, float]]


def _references(found: Any) -> Iterator[tuple[str, int]]:
    """Yield the layers and nodes that a configuration refers to; one is no list of one."""
    if found and isinstance(found[0], str):
        yield found[0], found[1]
    else:
        for one in found:
            yield one[0], one[1]


def _histories(arguments: Any) -> Iterator[tuple[str, int]]:
    if isinstance(arguments, dict):
        if arguments.get("class_name") == "__keras_tensor__":
            name, node, _ = arguments["config"]["keras_history"]
            yield name, node
    elif isinstance(arguments, (list, tuple)):
        for one in arguments:
            yield from _histories(one)


def _weights(layer: Any) -> list[Array]:
    return [np.asarray(one, dtype=np.float64) for one in layer.get_weights()]


def _activation(layer: Any) -> Iterator[_Step]:
    """Yield the activation of a layer; that of an option is applied to its result."""
    function = layer.activation
    name = _SYNONYMS.get(function.__name__, function.__name__)
    if not function.__module__.startswith("keras.") or name not in OPERATIONS:
        raise _refuse(layer, f"(activation={name}) has no exact conversion: {_USE}")
    if name != "linear":
        yield name, (), {}


_USE: Final = "use relu, gelu, silu, elu, selu, tanh, sigmoid, softplus or softmax"


def _dense(layer: Any) -> Iterator[_Step]:
    if getattr(layer, "lora_enabled", False) or getattr(layer, "quantization_mode", None):
        raise _refuse(layer, "is quantised or has LoRA weights: save plain weights")
    kernel, *bias = _weights(layer)
    yield "dense", (kernel, bias[0] if bias else np.zeros(kernel.shape[1])), {}
    yield from _activation(layer)


def _batch_normalization(layer: Any) -> Iterator[_Step]:
    _require_last_axis(layer)
    weights = _weights(layer)
    scale = weights.pop(0) if layer.scale else 1.0
    shift = weights.pop(0) if layer.center else 0.0
    mean, variance = weights[:2]
    factor = scale / np.sqrt(variance + layer.epsilon)
    yield "affine", (factor, shift - mean * factor), {}


def _layer_normalization(layer: Any) -> Iterator[_Step]:
    _require_last_axis(layer)
    if getattr(layer, "rms_scaling", False):
        raise _refuse(layer, "(rms_scaling=True) has no exact conversion: use rms_scaling=False")
    weights = _weights(layer)
    width = int(layer.input.shape[-1])
    scale = weights.pop(0) if layer.scale else np.ones(width)
    shift = weights.pop(0) if layer.center else np.zeros(width)
    yield "layer_norm", (scale, shift), {"epsilon": float(layer.epsilon)}


def _normalization(layer: Any) -> Iterator[_Step]:
    _require_last_axis(layer)
    width = int(layer.input.shape[-1])
    mean = np.broadcast_to(np.asarray(layer.mean, dtype=np.float64).ravel(), width)
    variance = np.broadcast_to(np.asarray(layer.variance, dtype=np.float64).ravel(), width)
    spread = np.maximum(np.sqrt(variance), _LEAST_SPREAD)
    if layer.invert:
        yield "affine", (spread, mean.copy()), {}
    else:
        yield "affine", (1 / spread, -mean / spread), {}


_LEAST_SPREAD: Final = 1e-7
"""Keras's backend epsilon."""


def _rescaling(layer: Any) -> Iterator[_Step]:
    width = int(layer.input.shape[-1])
    scale = np.broadcast_to(np.asarray(layer.scale, dtype=np.float64), width)
    shift = np.broadcast_to(np.asarray(layer.offset, dtype=np.float64), width)
    yield "affine", (scale.copy(), shift.copy()), {}


def _embedding(layer: Any) -> Iterator[_Step]:
    yield "embed", (_weights(layer)[0],), {}


def _rectifier(layer: Any) -> Iterator[_Step]:
    options = {
        "negative_slope": float(layer.negative_slope or 0.0),
        "threshold": float(layer.threshold or 0.0),
        "max_value": np.inf if layer.max_value is None else float(layer.max_value),
    }
    yield "relu", (), options


def _require_last_axis(layer: Any) -> None:
    axis = layer.axis
    if (list(axis) if isinstance(axis, (list, tuple)) else [axis]) not in ([-1], [1]):
        raise _refuse(layer, "must normalise columns: use axis=-1")


_LAYERS: Final[Mapping[str, Callable[[Any], Iterator[_Step]]]] = {
    "Activation": _activation,
    "BatchNormalization": _batch_normalization,
    "Dense": _dense,
    "ELU": lambda layer: iter([("elu", (), {"alpha": float(layer.alpha)})]),
    "Embedding": _embedding,
    "LayerNormalization": _layer_normalization,
    "LeakyReLU": lambda layer: iter(
        [("leaky_relu", (), {"negative_slope": float(layer.negative_slope)})]
    ),
    "Normalization": _normalization,
    "PReLU": lambda layer: iter([("prelu", tuple(_weights(layer)[:1]), {})]),
    "ReLU": _rectifier,
    "Rescaling": _rescaling,
    "Softmax": lambda layer: iter([("softmax", (), {})]),
}


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
