"""Multi-layer perceptrons."""

from typing import Final

from sklearn.neural_network import MLPClassifier, MLPRegressor

from training.convert.graph.graph import Matrix
from training.convert.graph.links import probabilities
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Convert, Estimator, Scope

_FITTING: Final = (
    "hidden_layer_sizes solver alpha batch_size learning_rate learning_rate_init power_t max_iter "
    "shuffle random_state tol verbose warm_start momentum nesterovs_momentum early_stopping "
    "validation_fraction beta_1 beta_2 epsilon n_iter_no_change max_fun"
)
_OPERATORS: Final = {
    "identity": "Identity",
    "logistic": "Sigmoid",
    "tanh": "Tanh",
    "relu": "Relu",
    "exp": "Exp",
}
_ACTIVATIONS: Final[dict[str, tuple[object, ...]]] = {
    "activation": ("identity", "logistic", "tanh", "relu")
}


def _classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free=_FITTING, only=_ACTIVATIONS)
    graph, raw = scope.graph, _layers(estimator, matrix, scope)
    if not estimator._label_binarizer.y_type_.startswith("multilabel"):
        return Outputs(probabilities(graph, raw))
    labels = (graph.take(raw, [place]) for place in range(raw.width))
    return Outputs(parts=tuple(Outputs(probabilities(graph, label)) for label in labels))


def _regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    losses = ("squared_error", "poisson")
    scope.admit(estimator, free=_FITTING, only=_ACTIVATIONS | {"loss": losses})
    raw = _layers(estimator, matrix, scope)
    link = _OPERATORS[estimator.out_activation_]
    return Outputs(value=raw.alike(scope.graph.node(link, raw.tensor)))


def _layers(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    """Run all layers but the link of the last one."""
    graph = scope.graph
    tensor = matrix.tensor
    last = len(estimator.coefs_) - 1
    for place, (weights, bias) in enumerate(
        zip(estimator.coefs_, estimator.intercepts_, strict=True)
    ):
        tensor = graph.node("Gemm", tensor, graph.constant(weights), graph.constant([bias]))
        if place < last:
            tensor = graph.node(_OPERATORS[estimator.activation], tensor)
    return matrix.numbers(tensor, estimator.n_outputs_)


CONVERTERS: Final[dict[type, Convert]] = {
    MLPClassifier: _classifier,
    MLPRegressor: _regressor,
}
