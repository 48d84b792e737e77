"""Exact conversion of a fitted pipeline to a float64 ONNX graph: right or refused.

A family of estimators is a module with a table ``CONVERTERS``: from a class, or the name of one in
a library that only some users have, to a function that adds its nodes. An estimator that no table
has is refused by name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Final

from sklambda.session import INPUT
from training.convert.graph.folding import infinite_at
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Convert, Converters, Estimator, Follow, Scope
from training.convert.graph.vocabulary import Vocabulary

FAMILIES: Final = (
    "anomalies",
    "bagging_and_ada_boost",
    "bins_and_polynomials",
    "calibration_thresholds",
    "catboost",
    "category_encoders",
    "clusters",
    "compose",
    "decomposition",
    "dense_networks",
    "discriminant",
    "dictionaries",
    "dummy",
    "encoding",
    "feature_engine",
    "feature_engine_numbers",
    "forests",
    "functions",
    "gaussian_process",
    "gradient_boosting",
    "hist_gradient_boosting",
    "imbalanced_learn",
    "impute",
    "kernel_models",
    "lightgbm",
    "linear_models",
    "mixtures",
    "multiclass_and_multioutput",
    "naive_bayes",
    "native_boosters",
    "neighbors",
    "neural",
    "powers_and_quantiles",
    "scaling",
    "selection",
    "skrub",
    "splines",
    "svm",
    "text",
    "transformed_target",
    "voting_stacking",
    "wrappers",
    "xgboost",
)
"""The modules of `training.convert.families`, a file for each of scikit-learn's families."""

CONVERTERS: dict[type | str, Convert] = {}
for _family in FAMILIES:
    CONVERTERS |= import_module(f"training.convert.families.{_family}").CONVERTERS


@dataclass(frozen=True, slots=True)
class Converted:
    """A converted estimator.

    Attributes
    ----------
    model : bytes
        An ONNX model: ``X`` [N, K] float64 in, ``scores`` [N, C] float64 out.
    outputs : Outputs or None
        The predictor's outputs, among them the scores; None for a transformer.
    infinite : mapping of int to tuple of float
        By column of the pipeline's input: numbers that a step makes infinite, which others refuse.
    is_partial : bool
        Whether some rows have no score: theirs are NaN.
    present : frozenset of int
        Columns of the pipeline's input that may not be missing.
    known : frozenset of int
        Columns of the pipeline's input that may have the numbers of training alone.
    """

    model: bytes
    outputs: Outputs | None
    infinite: Mapping[int, tuple[float, ...]] = field(default_factory=dict)
    is_partial: bool = False
    present: frozenset[int] = frozenset()
    known: frozenset[int] = frozenset()


def convert(
    pipeline: Estimator,
    vocabularies: Sequence[Vocabulary | None],
    converters: Converters = CONVERTERS,
    unread: Sequence[int] = (),
    user_code: Follow | None = None,
    names: Sequence[str] = (),
) -> Converted:
    """Convert a fitted predictor, or a fitted transformer before one.

    Parameters
    ----------
    pipeline : estimator
        A fitted scikit-learn estimator.
    vocabularies : sequence of (Vocabulary or None)
        One a column of the pipeline's input, in its order; None for numbers. They grow by the
        categories that only a fitted step knows.
    converters : mapping of type or str to Convert
        The estimators that can be converted.
    unread : sequence of int
        Columns that the pipeline never reads: the graph's input is without them.
    user_code : Follow, optional
        Converts transformers that run the user's code; see `training.convert.tracing`.
    names : sequence of str
        The names of the columns, for a first step that reads dictionaries by them.

    Raises
    ------
    ConversionRefused
        A step, or a parameter of it, has no exact conversion.
    """
    columns = Matrix(INPUT, tuple(vocabularies))
    graph = Graph(columns.width, names)
    scope = Scope(graph, converters, user_code=user_code)
    result = scope.run("", pipeline, columns)
    if isinstance(result, Matrix):
        return Converted(graph.build(graph.width, result, unread), None)
    scores = graph.join([_scores(part, pipeline, scope) for part in result.parts or (result,)])
    infinite, partial = infinite_at(graph.turning), graph.is_partial
    restricted = graph.restricted(scores)
    model = graph.build(graph.width, restricted, unread)
    present, known = frozenset(graph.present), frozenset(graph.known)
    return Converted(model, result, infinite, partial, present, known)


def convert_steps(
    steps: Estimator,
    vocabularies: Sequence[Vocabulary | None],
    converters: Converters = CONVERTERS,
    unread: Sequence[int] = (),
    user_code: Follow | None = None,
    names: Sequence[str] = (),
) -> bytes:
    """Convert fitted steps before a predictor: what they transform, also where they predict.

    Parameters and errors are those of `convert`; the result is an ONNX model.
    """
    columns = Matrix(INPUT, tuple(vocabularies))
    graph = Graph(columns.width, names)
    scope = Scope(graph, converters, user_code=user_code)
    transformed = scope.transform("", steps, columns)
    return graph.build(graph.width, transformed, unread)


def _scores(outputs: Outputs, pipeline: Estimator, scope: Scope) -> Matrix:
    if outputs.scores is None:
        scope.refuse(
            f"{type(pipeline).__name__} has no scores: "
            "end the pipeline in a classifier or a regressor"
        )
    deciding = () if outputs.deciding is None else (outputs.deciding[1],)
    return scope.graph.join([outputs.scores[1], *deciding])
