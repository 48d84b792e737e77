"""Numbers scaled and bent."""

from typing import Final

from sklearn.preprocessing import FunctionTransformer, StandardScaler

from training.convert.graph import Matrix
from training.convert.scope import Convert, Estimator, Scope


def _standard_scaler(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(estimator, free="copy with_mean with_std")
    graph, scaled = scope.graph, matrix.tensor
    # Two operations, as scikit-learn does them: a product with the inverse differs in the last
    # bit, and a tree after it may then take the other branch.
    if estimator.with_mean:
        scaled = graph.node("Sub", scaled, graph.constant([estimator.mean_]))
    if estimator.with_std:
        scaled = graph.node("Div", scaled, graph.constant([estimator.scale_]))
    return matrix.numbers(scaled)


def _function_transformer(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    # Without a function it is the identity, as which ColumnTransformer writes "passthrough".
    scope.admit(
        estimator,
        free="inverse_func validate accept_sparse check_inverse feature_names_out kw_args "
        "inv_kw_args",
        only={"func": (None,)},
    )
    return matrix


CONVERTERS: Final[dict[type, Convert]] = {
    FunctionTransformer: _function_transformer,
    StandardScaler: _standard_scaler,
}
