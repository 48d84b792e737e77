"""A second model, of how far a regressor's values will be off (NannyML's direct loss estimation).

It learns the absolute errors of held-out rows from their features, so that a window without
outcomes has an error to be expected. As the model itself it becomes an exact graph.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import cross_val_predict
from sklearn.multioutput import MultiOutputRegressor
from threadpoolctl import threadpool_limits

from sklambda.arrays import FloatMatrix, FloatVector
from sklambda.sketch.baseline import ErrorReference
from training.baseline.baseline import numbers
from training.baseline.rulers import quantile_ruler
from training.convert import convert

FEWEST: Final = 100
"""On fewer held-out rows there is no error model."""

_FOLDS: Final = 5


@dataclass(frozen=True, slots=True)
class Errors:
    """A model of errors.

    Attributes
    ----------
    model : bytes
        An ONNX model: ``X`` [N, K] to ``scores`` [N, V], the absolute error of each value.
    references : tuple of ErrorReference
        What it says of held-out rows, by value.
    """

    model: bytes
    references: tuple[ErrorReference, ...]


def model_errors(X: FloatMatrix, errors: FloatMatrix) -> Errors:
    """Fit a model of errors.

    Parameters
    ----------
    X : FloatMatrix
        Shape [M, K]: encoded rows that the regressor was not fitted on, at least `FEWEST`.
    errors : FloatMatrix
        Shape [M, V]: its absolute errors on them.

    Returns
    -------
    Errors
        The references are of predictions for rows that the error model was not fitted on either.
        No leaf of it is of fewer than 20 rows, so that it tells of none.
    """
    # One thread adds up in one order: the same rows give the same model.
    with threadpool_limits(limits=1):
        model = MultiOutputRegressor(_regressor()).fit(X, errors)
        apart = np.column_stack([_unseen(X, column) for column in errors.T])
    graph = convert(model, [None] * X.shape[1]).model
    return Errors(
        graph,
        tuple(_reference(*columns) for columns in zip(apart.T.copy(), errors.T, strict=True)),
    )


def _regressor() -> HistGradientBoostingRegressor:
    # Few and small trees: errors are mostly noise.
    return HistGradientBoostingRegressor(
        max_iter=60, max_leaf_nodes=8, early_stopping=False, random_state=0
    )


def _unseen(X: FloatMatrix, errors: FloatVector) -> FloatVector:
    predicted: FloatVector = cross_val_predict(_regressor(), X, errors, cv=_FOLDS)
    return predicted


def _reference(predicted: FloatVector, errors: FloatVector) -> ErrorReference:
    return ErrorReference(
        reference=numbers(quantile_ruler(predicted), predicted),
        deviation=float(np.std(errors - predicted)),
        rows=len(errors),
    )
