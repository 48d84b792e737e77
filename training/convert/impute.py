"""Missing values filled in."""

from math import nan
from typing import Final

import numpy as np
from sklearn.impute import SimpleImputer

from training.convert.graph import Matrix
from training.convert.scope import Convert, Estimator, Scope


def _simple_imputer(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(
        estimator,
        free="strategy fill_value copy keep_empty_features",
        only={"missing_values": (nan,), "add_indicator": (False,)},
    )
    fills = [
        float(statistic) if vocabulary is None else vocabulary.code(statistic)
        for statistic, vocabulary in zip(estimator.statistics_, matrix.vocabularies, strict=True)
    ]
    if np.isnan(fills).any():
        scope.refuse("SimpleImputer met a column without any value, which scikit-learn drops")
    graph = scope.graph
    missing = graph.node("IsNaN", matrix.tensor)
    return matrix.alike(graph.node("Where", missing, graph.constant([fills]), matrix.tensor))


CONVERTERS: Final[dict[type, Convert]] = {SimpleImputer: _simple_imputer}
