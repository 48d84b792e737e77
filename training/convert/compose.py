"""Steps made of steps: Pipeline and ColumnTransformer."""

from typing import Final

from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from training.convert.answer import Answer
from training.convert.graph import Matrix
from training.convert.scope import Convert, Estimator, Scope


def _pipeline(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix | Answer:
    scope.admit(estimator, free="steps memory verbose", only={"transform_input": (None,)})
    *before, (last_name, last) = estimator.steps
    for name, step in before:
        if not _passes(step):
            matrix = scope.transform(name, step, matrix)
    return matrix if _passes(last) else scope.run(last_name, last, matrix)


def _passes(step: Estimator) -> bool:
    return step is None or (isinstance(step, str) and step == "passthrough")


def _column_transformer(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(
        estimator,
        # The threshold decides how scikit-learn stores the result, not what it holds.
        free="transformers remainder sparse_threshold n_jobs verbose verbose_feature_names_out",
        only={"transformer_weights": (None,)},
    )
    # Names, indices, slices, masks and selectors, as scikit-learn itself resolved them.
    places = estimator._transformer_to_input_indices
    parts = []
    for name, step, _ in estimator.transformers_:
        if len(places[name]) == 0 or step == "drop":
            continue
        part = scope.graph.take(matrix, [int(place) for place in places[name]])
        parts.append(part if step == "passthrough" else scope.transform(name, step, part))
    if not parts:
        scope.refuse("ColumnTransformer leaves no column")
    return scope.graph.join(parts)


CONVERTERS: Final[dict[type, Convert]] = {
    ColumnTransformer: _column_transformer,
    Pipeline: _pipeline,
}
