"""Layers of Keras, read as operations in float64 from configurations and weights."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from training.errors import ConversionRefused
from training.networks.estimators import OPERATIONS, Array, Node

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
