"""The step of a pipeline whose conversion is wrong, once a score differs."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from sklambda.arrays import Flags, FloatMatrix, IntVector
from sklambda.decision import TOLERANCE
from sklambda.session import Session
from training.convert.graph.scope import Estimator

type ConvertPart = Callable[[Estimator], bytes]


def guilty_step(
    pipeline: Estimator, convert: ConvertPart, frame: pd.DataFrame, X: FloatMatrix
) -> str:
    """Name the first step whose output differs from scikit-learn's.

    Parameters
    ----------
    pipeline : estimator
        The fitted pipeline.
    convert : callable
        Converts a part of it.
    frame, X
        The same row, as input of scikit-learn and of the graph.

    Returns
    -------
    str
        The step's place, as ``preprocess > numbers``; the last step where all before it agree.
    """
    if not isinstance(pipeline, Pipeline):
        return type(pipeline).__name__
    for count in range(1, len(pipeline.steps)):
        part = Pipeline(pipeline.steps[:count])
        name, step = part.steps[-1]
        session = Session(convert(part))
        # The columns of terms that a later step counts come after the columns of this part.
        differs = _differs(part.transform(frame), session.run(X[:, : session.width]))
        if differs.any():
            return " > ".join([name, *_inner(step, np.flatnonzero(differs))])
    return str(pipeline.steps[-1][0])


def _differs(expected: Estimator, found: FloatMatrix) -> Flags:
    dense = np.asarray(expected.toarray() if hasattr(expected, "toarray") else expected)
    if dense.dtype == object:  # categories still: the graph holds their codes
        return np.zeros(found.shape[1], dtype=bool)
    apart = ~np.isclose(dense.astype(np.float64), found, rtol=TOLERANCE, atol=0, equal_nan=True)
    differs: Flags = apart.any(axis=0)
    return differs


def _inner(step: Estimator, columns: IntVector) -> list[str]:
    if not isinstance(step, ColumnTransformer):
        return []
    places = step.output_indices_.items()
    return [name for name, place in places if place.start <= columns[0] < place.stop][:1]
