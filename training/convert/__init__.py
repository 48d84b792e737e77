"""Exact conversion of a fitted pipeline to a float64 ONNX graph: right or refused.

A family of estimators is a module with a table ``CONVERTERS``: from a class to a function that adds
its nodes. What is not in a table is refused by name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sklambda.session import INPUT
from training.convert import (
    adaptive,
    bagging,
    boosting,
    calibration,
    clusters,
    compose,
    decomposition,
    discriminant,
    dummy,
    encoding,
    ensembles,
    expansion,
    forests,
    functions,
    gaussian,
    gradient,
    impute,
    kernel_models,
    linear,
    multiclass,
    naive_bayes,
    neighbors,
    neural,
    quantiles,
    regression,
    scaling,
    search,
    selection,
    splines,
    svm,
    targets,
)
from training.convert.answer import Scores
from training.convert.graph import Graph, Matrix
from training.convert.scope import Convert, Estimator, Scope
from training.convert.vocabulary import Vocabulary

FAMILIES = (
    adaptive,
    bagging,
    boosting,
    calibration,
    clusters,
    compose,
    decomposition,
    discriminant,
    dummy,
    encoding,
    ensembles,
    expansion,
    forests,
    gaussian,
    gradient,
    functions,
    impute,
    kernel_models,
    linear,
    multiclass,
    naive_bayes,
    neighbors,
    neural,
    quantiles,
    regression,
    scaling,
    search,
    selection,
    splines,
    svm,
    targets,
)

CONVERTERS: dict[type, Convert] = {
    estimator: convert for family in FAMILIES for estimator, convert in family.CONVERTERS.items()
}


@dataclass(frozen=True, slots=True)
class Converted:
    """A converted estimator.

    Attributes
    ----------
    model : bytes
        An ONNX model: ``X`` [N, K] float64 in, ``scores`` [N, C] float64 out.
    scores : {"probability", "decision", "value"} or None
        Which of scikit-learn's answers the scores are; None for a transformer's output.
    width : int
        How many columns the scores have.
    threshold : float or None
        The decision threshold, where the estimator has one of its own.
    """

    model: bytes
    scores: Scores | None
    width: int
    threshold: float | None = None


def convert(
    pipeline: Estimator,
    vocabularies: Sequence[Vocabulary | None],
    converters: Mapping[type, Convert] = CONVERTERS,
) -> Converted:
    """Convert a fitted predictor, or a fitted transformer on the way to one.

    Parameters
    ----------
    pipeline : estimator
        A fitted scikit-learn estimator.
    vocabularies : sequence of (Vocabulary or None)
        One a column of the pipeline's input, in its order; None for numbers. They grow by the
        categories that only a fitted step knows.
    converters : mapping of type to Convert
        The estimators that can be converted.

    Raises
    ------
    ConversionRefused
        A step, or a parameter of it, has no exact conversion.
    """
    graph = Graph()
    columns = Matrix(INPUT, tuple(vocabularies))
    scope = Scope(graph, converters)
    result = scope.run("", pipeline, columns)
    if isinstance(result, Matrix):
        return Converted(graph.build(columns.width, result), None, result.width)
    if result.scores is None:
        scope.refuse(f"{type(pipeline).__name__} gives no scores")
    kind, scores = result.scores
    return Converted(graph.build(columns.width, scores), kind, scores.width, result.threshold)
