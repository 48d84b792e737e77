"""XGBoost's boosted trees and forests.

It computes in float32: inputs, thresholds, leaves, their sums one tree after the other, and links.
The JSON of a model holds every float32 to the last bit; its rules are those of
``src/predictor/cpu_predictor.cc`` and ``src/common/categorical.h``.
"""

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from sklambda.arrays import Flags, FloatVector
from training.convert.graph import single_precision
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.graph.steps import numbered, with_columns
from training.convert.graph.trees import Ensemble, Tree, constant_leaf

_CATEGORICAL: Final = 1

type Fields = dict[str, Any]
type Category = str | int


@dataclass(frozen=True, slots=True)
class Model:
    """The JSON of a model, up to the best iteration where fitting stopped early.

    Attributes
    ----------
    objective : str
        The loss by which it was fitted.
    start : FloatVector
        Shape [groups]: what the trees of each column of the raw scores are added to.
    trees : list
        In the order in which they are added.
    groups : list of int
        The column that each tree adds to.
    weights : FloatVector
        What each tree's leaves are multiplied with.
    categories : dict of int to list
        By feature of pandas' category dtype: the categories, in the order of their codes.
    """

    objective: str
    start: FloatVector
    trees: list[Fields]
    groups: list[int]
    weights: FloatVector
    categories: dict[int, list[Category]]

    @property
    def several_targets(self) -> bool:
        """Whether a leaf holds a vector."""
        return any(int(fields["tree_param"]["size_leaf_vector"]) > 1 for fields in self.trees)

    def numeric(self) -> set[int]:
        """Return the features that are compared with thresholds."""
        return {
            feature
            for fields in self.trees
            for feature, kind, child in zip(
                fields["split_indices"], fields["split_type"], fields["left_children"], strict=True
            )
            if kind != _CATEGORICAL and child >= 0
        }

    def sizes(self) -> dict[int, int]:
        """Return the number of categories of each categorical feature, as the branches have it."""
        sizes: dict[int, int] = {}
        for fields in self.trees:
            for node, members in _members(fields).items():
                feature = fields["split_indices"][node]
                sizes[feature] = max(sizes.get(feature, 0), *(member + 1 for member in members))
        return sizes


def read_booster(booster: Estimator) -> Model:
    """Read a fitted ``Booster``."""
    whole = json.loads(booster.save_raw("json"))
    inner = whole["learner"]["gradient_booster"]["model"]
    best = booster.attr("best_iteration")
    count = inner["iteration_indptr"][-1 if best is None else int(best) + 1]
    weights = inner.get("weight_drop") or [1.0] * len(inner["trees"])
    return Model(
        objective=whole["learner"]["objective"]["name"],
        start=_start(booster, whole),
        trees=inner["trees"][:count],
        groups=inner["tree_info"][:count],
        weights=np.array(weights[:count]),
        categories=_categories(inner["cats"]["enc"]),
    )


def _categories(features: Sequence[Fields]) -> dict[int, list[Category]]:
    return {feature: _listed(held) for feature, held in enumerate(features) if held["values"]}


def _listed(held: Fields) -> list[Category]:
    """Decode categories: numbers unchanged, strings from the signed bytes that join them."""
    if "offsets" not in held:
        return list(held["values"])
    joined = np.array(held["values"]).astype(np.int8).tobytes()
    return [joined[start:end].decode() for start, end in pairwise(held["offsets"])]


def _start(booster: Estimator, whole: Fields) -> FloatVector:
    """Compute the margin that the trees are added to: the library's with all leaves at 0."""
    bare = copy.deepcopy(whole)
    for fields in bare["learner"]["gradient_booster"]["model"]["trees"]:
        fields["split_conditions"] = [0.0] * len(fields["split_conditions"])
    empty = type(booster)()
    empty.load_model(bytearray(json.dumps(bare), "utf-8"))
    row = np.zeros((1, booster.num_features()), dtype=np.float32)
    margin = empty.inplace_predict(row, predict_type="margin", validate_features=False)
    return np.ravel(margin).astype(np.float64)


def read_tree(fields: Fields, weight: float, sizes: Mapping[int, int]) -> Tree:
    """Read a tree from its part of the JSON.

    Parameters
    ----------
    fields : dict
        The part.
    weight : float
        What the leaves are multiplied with, in float32.
    sizes : mapping of int to int
        By feature of categories: the code of a missing one.
    """
    left, right = np.array(fields["left_children"]), np.array(fields["right_children"])
    leaf, missing_left = left < 0, np.array(fields["default_left"], dtype=bool)
    members = _going_right(fields, missing_left, sizes)
    swapped = list(members)
    left[swapped], right[swapped] = right[swapped], left[swapped]
    split = np.array(fields["split_conditions"], dtype=np.float32)
    return Tree(
        left=left,
        right=right,
        leaf=leaf,
        feature=np.where(leaf, 0, fields["split_indices"]),
        # What is equal goes right.
        threshold=np.nextafter(split, np.float32(-np.inf)).astype(np.float64),
        missing_left=missing_left,
        value=(split * np.float32(weight)).astype(np.float64),
        members=members,
    )


def _going_right(
    fields: Fields, missing_left: Flags, sizes: Mapping[int, int]
) -> dict[int, FloatVector]:
    sets = _members(fields)
    for node in sets:
        if not missing_left[node]:
            sets[node] = [*sets[node], sizes[fields["split_indices"][node]]]
    return {node: np.array(members, dtype=np.float64) for node, members in sets.items()}


def _members(fields: Fields) -> dict[int, list[int]]:
    """Return the categories that go right, by branch."""
    segments = zip(
        fields["categories_nodes"],
        fields["categories_segments"],
        fields["categories_sizes"],
        strict=True,
    )
    return {node: fields["categories"][start : start + size] for node, start, size in segments}


_FITTING: Final = (
    "alpha base_score callbacks colsample_bylevel colsample_bynode colsample_bytree "
    "early_stopping_rounds enable_categorical eta eval_metric feature_types feature_weights gamma "
    "grow_policy huber_slope importance_type interaction_constraints lambda learning_rate max_bin "
    "max_cat_threshold max_cat_to_onehot max_delta_step max_depth max_leaves min_child_weight "
    "monotone_constraints n_estimators n_jobs normalize_type nthread num_parallel_tree objective "
    "one_drop quantile_alpha random_state rate_drop reg_alpha reg_lambda sample_type "
    "sampling_method scale_pos_weight seed skip_drop subsample tree_method tweedie_variance_power "
    "validate_parameters verbosity"
)
_ONLY: Final[dict[str, tuple[object, ...]]] = {
    "booster": (None, "gbtree", "dart"),
    "device": (None, "cpu"),
    "missing": (np.nan,),
    "multi_strategy": (None, "one_output_per_tree"),
}


def _classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    model, raw = _raw(estimator, matrix, scope)
    graph, count = scope.graph, int(estimator.n_classes_)
    if model.objective == "multi:softprob" and raw.width == count:
        return Outputs(single_precision.softmax(graph, raw))
    if model.objective == "binary:logistic" and count == 2 and raw.width == 1:
        return Outputs(single_precision.both(graph, single_precision.logistic(graph, raw)))
    scope.refuse(f"{_named(estimator)} of {count} classes has no exact conversion")


def _regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    model, raw = _raw(estimator, matrix, scope)
    if model.objective not in _LINKS or (raw.width > 1 and "quantile" in model.objective):
        scope.refuse(f"{_named(estimator)} has no exact conversion")
    return Outputs(value=_LINKS[model.objective](scope.graph, raw))


def _named(estimator: Estimator) -> str:
    return f"{type(estimator).__name__}(objective={estimator.objective!r})"


def _same(graph: Graph, raw: Matrix) -> Matrix:
    return raw


def _exponential(graph: Graph, raw: Matrix) -> Matrix:
    return raw.alike(single_precision.exponential(graph, raw.tensor))


_SAME: Final = (
    "reg:squarederror reg:squaredlogerror reg:pseudohubererror reg:absoluteerror reg:quantileerror"
)
_LINKS: Final[dict[str, Callable[[Graph, Matrix], Matrix]]] = {
    **dict.fromkeys(_SAME.split(), _same),
    **dict.fromkeys(("count:poisson", "reg:gamma", "reg:tweedie"), _exponential),
    "reg:logistic": single_precision.logistic,
}


def _raw(estimator: Estimator, matrix: Matrix, scope: Scope) -> tuple[Model, Matrix]:
    scope.admit(estimator, free=_FITTING, only=_ONLY)
    model, graph = _model(estimator, scope), scope.graph
    width, sizes = len(model.start), model.sizes()
    ensemble = Ensemble(width + len(model.trees))
    for target, value in enumerate(model.start.tolist()):
        ensemble.add(constant_leaf(value), target)
    parts = [1] * width
    for fields, group, weight in zip(model.trees, model.groups, model.weights, strict=True):
        ensemble.add(read_tree(fields, weight, sizes), parts[group] * width + group)
        parts[group] += 1
    matrix = numbered(graph, matrix, model.categories)
    matrix = single_precision.narrowed(graph, matrix)
    leaves = ensemble.node(graph, _coded(graph, matrix, sizes))
    return model, single_precision.added_in_order(graph, leaves, width)


def _model(estimator: Estimator, scope: Scope) -> Model:
    if callable(estimator.objective):
        scope.refuse(f"{type(estimator).__name__} has an objective of its own")
    model = read_booster(estimator.get_booster())
    if model.several_targets:
        scope.refuse("trees of several targets have no exact conversion")
    if model.numeric().intersection(model.sizes()):
        scope.refuse("fitted further on other data, trees compare one feature in two ways")
    _refuse_gaps(model, scope)
    return model


def _refuse_gaps(model: Model, scope: Scope) -> None:
    """Refuse integers with gaps: there XGBoost raises, and a signature has bounds alone."""
    for categories in model.categories.values():
        numbers = [category for category in categories if isinstance(category, int)]
        if numbers and max(numbers) - min(numbers) >= len(numbers):
            scope.refuse("categories that are integers with gaps have no exact conversion")


def _coded(graph: Graph, matrix: Matrix, sizes: Mapping[int, int]) -> Matrix:
    """Number the categories; a missing one comes behind the last, and -1 is any other."""
    if not sizes:
        return matrix
    columns = graph.take(matrix, list(sizes))
    count = graph.constant([[float(size) for size in sizes.values()]])
    known = graph.node("Less", columns.tensor, count)
    whole = graph.node("Floor", columns.tensor)
    code = graph.node("Where", known, whole, graph.constant(-1.0))
    missing = graph.node("IsNaN", columns.tensor)
    code = graph.node("Where", missing, count, code)
    return with_columns(graph, matrix, list(sizes), columns.numbers(code))


CONVERTERS: Final[dict[str, Convert]] = {
    "xgboost.XGBClassifier": _classifier,
    "xgboost.XGBRFClassifier": _classifier,
    "xgboost.XGBRegressor": _regressor,
    "xgboost.XGBRFRegressor": _regressor,
}
