"""Categories made numbers."""

from collections.abc import Sequence
from math import nan
from typing import Final

import numpy as np
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder

from training.convert.graph.graph import Matrix
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.graph.steps import category_tree, indicators, look_up
from training.convert.graph.trees import Tree
from training.convert.releases import is_before
from training.convert.unconverted import qualified

_NOWHERE: Final = -1.0


def _one_hot_encoder(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(
        estimator,
        free="categories drop sparse_output handle_unknown min_frequency max_categories "
        "feature_name_combiner dtype",
    )
    require_double(estimator, scope)
    trees = [_place_tree(estimator, column, matrix) for column in range(matrix.width)]
    widths = estimator._n_features_outs
    if not sum(widths):
        scope.refuse(
            "OneHotEncoder leaves no column: "
            "encode a column of at least two categories, or set drop=None"
        )
    return indicators(scope.graph, look_up(scope.graph, matrix, trees), widths)


def require_double(estimator: Estimator, scope: Scope) -> None:
    """Refuse a step whose small whole numbers are float32 and, alone, make the next compute in it.

    Beside columns of float64 they become float64, and whole numbers do anyway.
    """
    dtype = np.dtype(estimator.dtype or np.float64)
    if dtype.kind == "f" and dtype.itemsize < np.dtype(np.float64).itemsize and not scope.is_inner:
        scope.refuse(
            f"{qualified(estimator)}(dtype={dtype.name}) makes the next step compute in "
            f"{dtype.name}, which no conversion equals to 1e-9: use dtype=np.float64"
        )


def _place_tree(estimator: Estimator, column: int, matrix: Matrix) -> Tree:
    """Map each category to the position of its column among those of its feature."""
    categories = estimator.categories_[column]
    dropped = _dropped(estimator, column)
    places = [
        _NOWHERE if group == dropped else float(group - (dropped is not None and group > dropped))
        for group in _groups(estimator, column)
    ]
    unknown = _NOWHERE
    # Before 1.8 "warn" does what "ignore" does.
    as_infrequent = ("infrequent_if_exist", None if is_before("1.8") else "warn")
    if estimator.handle_unknown in as_infrequent:
        rare = _rare_group(estimator, column)
        after = rare is not None and dropped is not None and rare > dropped
        unknown = _NOWHERE if rare is None or rare == dropped else float(rare - after)
    return _tree(column, matrix, categories, places, unknown)


def _dropped(estimator: Estimator, column: int) -> int | None:
    dropped = estimator._drop_idx_after_grouping
    return None if dropped is None or dropped[column] is None else int(dropped[column])


def _groups(estimator: Estimator, column: int) -> list[int]:
    """Return the number of each category, with the infrequent ones grouped into one.

    A missing category that is never infrequent stands after the others, where scikit-learn's
    mapping ends.
    """
    count = len(estimator.categories_[column])
    if not estimator._infrequent_enabled:
        return list(range(count))
    mapping = estimator._default_to_infrequent_mappings[column]
    groups = list(range(count)) if mapping is None else [int(group) for group in mapping]
    return groups + [count] * (count - len(groups))


def _rare_group(estimator: Estimator, column: int) -> int | None:
    """Return the number of the infrequent group, which an unknown category joins."""
    if not estimator._infrequent_enabled or estimator._infrequent_indices[column] is None:
        return None
    first = estimator._infrequent_indices[column][0]
    return int(estimator._default_to_infrequent_mappings[column][first])


def _tree(
    column: int,
    matrix: Matrix,
    categories: Sequence[object],
    values: Sequence[float],
    unknown: float,
) -> Tree:
    """Build the look-up of categories; missing is unknown unless None or NaN is a category.

    A column that has None for a missing value is given None for a client's null.
    """
    pairs = list(zip(categories, values, strict=True))
    known = {category: value for category, value in pairs if category == category}
    missing = [value for category, value in pairs if category is None]
    missing += [value for category, value in pairs if category != category]
    vocabulary = matrix.vocabularies[column]
    return category_tree(column, vocabulary, known, unknown, missing[0] if missing else unknown)


def _ordinal_encoder(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(
        estimator,
        free="categories handle_unknown unknown_value encoded_missing_value min_frequency "
        "max_categories dtype",
    )
    require_double(estimator, scope)
    trees = [_ordinal_tree(estimator, column, matrix) for column in range(matrix.width)]
    return look_up(scope.graph, matrix, trees)


def _ordinal_tree(estimator: Estimator, column: int, matrix: Matrix) -> Tree:
    categories = estimator.categories_[column]
    numbers = [float(group) for group in _groups(estimator, column)]
    missing = estimator._missing_indices.get(column)
    if missing is not None:
        numbers[missing] = float(estimator.encoded_missing_value)
    value = estimator.unknown_value
    # Where it refuses the unknown, so does the signature, or the proof fails.
    unknown = nan if value is None else _written(estimator, [value])[0]
    return _tree(column, matrix, categories, _written(estimator, numbers), unknown)


def _written(estimator: Estimator, numbers: Sequence[float]) -> list[float]:
    """Return numbers as the encoder's dtype holds them."""
    found: list[float] = np.array(numbers).astype(estimator.dtype).astype(np.float64).tolist()
    return found


def _target_encoder(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    # The target's type, smoothing and folds are in the encodings, which serving does not fit anew.
    scope.admit(estimator, free="categories target_type smooth cv shuffle random_state")
    means = np.ravel(estimator.target_mean_)
    trees = []
    for place, encodings in enumerate(estimator.encodings_):
        column, output = divmod(place, len(means))
        categories = estimator.categories_[column]
        trees.append(_tree(column, matrix, categories, encodings, float(means[output])))
    return look_up(scope.graph, matrix, trees)


CONVERTERS: Final[dict[type, Convert]] = {
    OneHotEncoder: _one_hot_encoder,
    OrdinalEncoder: _ordinal_encoder,
    TargetEncoder: _target_encoder,
}
