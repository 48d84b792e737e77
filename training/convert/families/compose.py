"""Steps made of steps: Pipeline, ColumnTransformer and FeatureUnion."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction import DictVectorizer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import KBinsDiscretizer

from training.convert.families.text import takes_texts
from training.convert.graph.graph import Elementwise, Matrix
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Convert, Estimator, Scope, joined
from training.errors import ConversionRefused


def pipeline(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix | Outputs:
    """Convert the steps of a pipeline, one after the other."""
    scope.admit(estimator, free="steps memory verbose", only={"transform_input": (None,)})
    steps = predicting(estimator)
    for place, (name, step) in enumerate(steps[:-1]):
        try:
            matrix = scope.transform(name, step, matrix)
        except ConversionRefused as refused:
            rest = steps[place + 1 :]
            raise joined([*refused.each, *scope.unconverted(rest)]) from None
        _require_width(matrix, *steps[place + 1], scope)
    if not steps:
        return matrix
    return replace(scope, sparse=_gives_sparse(steps[:-1], scope.sparse)).run(*steps[-1], matrix)


def _require_width(matrix: Matrix, name: str, step: Estimator, scope: Scope) -> None:
    """Refuse a step that scikit-learn refuses too: what was fitted transforms to other columns."""
    width = getattr(step, "n_features_in_", None)
    if isinstance(width, int) and width != matrix.width:
        scope.refuse(
            f"{name!r} was fitted on {width} columns and the steps before it make {matrix.width}: "
            "use steps whose fit_transform and transform give the same columns, and fit again"
        )


def _gives_sparse(steps: Sequence[tuple[str, Estimator]], given: bool) -> bool:
    """Return whether fitted steps end in a sparse matrix, of one that is `given` sparse or not."""
    sparse = given
    for _, step in steps:
        name = type(step).__name__
        if isinstance(step, Pipeline):
            sparse = _gives_sparse(predicting(step), sparse)
        elif isinstance(step, ColumnTransformer):
            sparse = bool(step.sparse_output_)
        elif isinstance(step, FeatureUnion):
            sparse = any(_gives_sparse([one], sparse) for one in step.transformer_list)
        elif name in _SPARSE:
            sparse = True
        elif hasattr(step, "sparse_output"):
            sparse = bool(step.sparse_output)
        elif isinstance(step, DictVectorizer):
            sparse = bool(step.sparse)
        elif isinstance(step, KBinsDiscretizer):
            sparse = step.encode == "onehot"
        elif name not in _AS_GIVEN:
            sparse = False
    return sparse


_SPARSE: Final = ("CountVectorizer", "HashingVectorizer", "TfidfTransformer", "TfidfVectorizer")
_AS_GIVEN: Final = (
    "FrozenEstimator",
    "FunctionTransformer",
    "GenericUnivariateSelect",
    "MaxAbsScaler",
    "Normalizer",
    "PolynomialFeatures",
    "SelectFromModel",
    "SelectFdr",
    "SelectFpr",
    "SelectFwe",
    "SelectKBest",
    "SelectPercentile",
    "SimpleImputer",
    "StandardScaler",
    "VarianceThreshold",
)
"""Steps whose result is sparse where what they are given is."""


def predicting(estimator: Estimator) -> list[tuple[str, Estimator]]:
    """Return the steps of a pipeline that do something at prediction.

    Samplers of imbalanced-learn draw rows at fitting, and nothing else.
    """
    return [
        (name, step)
        for name, step in estimator.steps
        if not (_passes(step) or hasattr(step, "fit_resample"))
    ]


def _passes(step: Estimator) -> bool:
    return step is None or (isinstance(step, str) and step == "passthrough")


def _column_transformer(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(
        estimator,
        # The threshold decides how scikit-learn stores the result, not what it holds.
        free="transformers remainder sparse_threshold n_jobs transformer_weights verbose "
        "verbose_feature_names_out",
    )
    # Names, indices, slices, masks and selectors, as scikit-learn itself resolved them.
    places = estimator._transformer_to_input_indices

    def part(name: str, step: Estimator, columns: object) -> Matrix:
        if takes_texts(step) and not isinstance(columns, (str, int)):
            scope.refuse(f"{name!r} takes texts: name its column by a string, not by a list")
        taken = scope.graph.take(matrix, [int(place) for place in places[name]])
        made = taken if _passes(step) else scope.transform(name, step, taken)
        return _weighted(made, name, estimator.transformer_weights, scope)

    used = [one for one in estimator.transformers_ if len(places[one[0]]) > 0 and one[1] != "drop"]
    return _side_by_side(scope.each(partial(part, *one) for one in used), estimator, scope)


def _feature_union(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(
        estimator,
        free="transformer_list n_jobs transformer_weights verbose verbose_feature_names_out",
    )

    def part(name: str, step: Estimator) -> Matrix:
        made = matrix if _passes(step) else scope.transform(name, step, matrix)
        return _weighted(made, name, estimator.transformer_weights, scope)

    used = [(name, step) for name, step in estimator.transformer_list if step != "drop"]
    return _side_by_side(scope.each(partial(part, *one) for one in used), estimator, scope)


def _weighted(part: Matrix, name: str, weights: Mapping[str, float] | None, scope: Scope) -> Matrix:
    weight = None if weights is None else weights.get(name)
    if weight is None:
        return part
    if any(vocabulary is not None for vocabulary in part.vocabularies):
        scope.refuse(
            f"a weight of {name!r}, which holds strings, has no exact conversion: "
            "leave the weight out"
        )
    weighted = scope.graph.node("Mul", part.tensor, scope.graph.constant(float(weight)))
    step = Elementwise(f"the weight of {name!r}", lambda values: values * weight)
    return part.mapped(weighted, [step] * part.width)


def _side_by_side(parts: list[Matrix], estimator: Estimator, scope: Scope) -> Matrix:
    if not parts:
        scope.refuse(f"{type(estimator).__name__} leaves no column: keep at least one")
    return scope.graph.join(parts)


CONVERTERS: Final[dict[type, Convert]] = {
    ColumnTransformer: _column_transformer,
    FeatureUnion: _feature_union,
    Pipeline: pipeline,
}
