"""Numbers scaled, categories made columns."""

from typing import Final

import numpy as np
from onnx import TensorProto
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from training.convert.graph import Matrix
from training.convert.scope import Convert, Estimator, Scope
from training.convert.vocabulary import Vocabulary

_MISSING_CODE: Final = -2.0


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


def _one_hot_encoder(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(
        estimator,
        free="categories sparse_output feature_name_combiner",
        only={
            "drop": (None,),
            "dtype": (np.float64,),
            "handle_unknown": ("ignore", "error"),
            "min_frequency": (None,),
            "max_categories": (None,),
        },
    )
    graph = scope.graph
    # NaN equals nothing, so a missing category needs a code of its own to be one.
    missing = graph.node("IsNaN", matrix.tensor)
    coded = graph.node("Where", missing, graph.constant(_MISSING_CODE), matrix.tensor)
    codes = [
        _codes(categories, vocabulary, scope)
        for categories, vocabulary in zip(estimator.categories_, matrix.vocabularies, strict=True)
    ]
    # Each column is set beside its own categories, so that one comparison serves all of them.
    places = np.repeat(np.arange(len(codes)), [len(column) for column in codes])
    spread = graph.node("Gather", coded, graph.constant(places, np.int64), axis=1)
    hot = graph.node("Equal", spread, graph.constant([np.concatenate(codes)]))
    return matrix.numbers(graph.node("Cast", hot, to=TensorProto.DOUBLE), len(places))


def _codes(categories: Estimator, vocabulary: Vocabulary | None, scope: Scope) -> list[float]:
    missing = [category is None or category != category for category in categories]
    if vocabulary is None:
        if any(missing):
            scope.refuse("OneHotEncoder has missing as a category of a column of numbers")
        return [float(category) for category in categories]
    return [
        _MISSING_CODE if absent else vocabulary.code(category)
        for category, absent in zip(categories, missing, strict=True)
    ]


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
    OneHotEncoder: _one_hot_encoder,
    StandardScaler: _standard_scaler,
}
