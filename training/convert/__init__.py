"""Exact conversion of a fitted pipeline to a float64 ONNX graph: right or refused.

A family of estimators is a module with a table ``CONVERTERS``: from a class to a function that adds
its nodes. What is not in a table is refused by name.
"""

from collections.abc import Mapping, Sequence

from sklambda.session import INPUT
from training.convert import boosting, compose, impute, linear, preprocessing
from training.convert.graph import Graph, Matrix
from training.convert.scope import Convert, Estimator, Scope
from training.convert.vocabulary import Vocabulary

CONVERTERS: dict[type, Convert] = {
    **boosting.CONVERTERS,
    **compose.CONVERTERS,
    **impute.CONVERTERS,
    **linear.CONVERTERS,
    **preprocessing.CONVERTERS,
}


def convert(
    pipeline: Estimator,
    vocabularies: Sequence[Vocabulary | None],
    converters: Mapping[type, Convert] = CONVERTERS,
) -> bytes:
    """Convert a fitted classifier, or a fitted transformer on the way to one.

    Parameters
    ----------
    pipeline : estimator
        A fitted scikit-learn estimator.
    vocabularies : sequence of (Vocabulary or None)
        One a column of the pipeline's input, in its order; None for numbers. They grow by the
        categories that only a fitted step knows.
    converters : mapping of type to Convert
        The estimators that can be converted.

    Returns
    -------
    bytes
        An ONNX model: ``X`` [N, K] float64 in, ``scores`` [N, C] float64 out.

    Raises
    ------
    ConversionRefused
        A step, or a parameter of it, has no exact conversion.
    """
    graph = Graph()
    columns = Matrix(INPUT, tuple(vocabularies))
    scores = Scope(graph, converters).convert("", pipeline, columns)
    return graph.build(columns.width, scores)
