"""Categories made numbers."""

from typing import Final

import numpy as np
from sklearn.preprocessing import OneHotEncoder

from training.convert.graph import Matrix
from training.convert.scope import Convert, Estimator, Scope
from training.convert.vocabulary import Vocabulary

_MISSING_CODE: Final = -2.0


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
    return matrix.numbers(graph.double(hot), len(places))


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


CONVERTERS: Final[dict[type, Convert]] = {OneHotEncoder: _one_hot_encoder}
