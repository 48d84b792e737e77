"""LightGBM's boosted trees and forests.

A model's text holds every float64 to the last bit, and the values of its parameters; its rules are
those of ``include/LightGBM/tree.h``.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from sklambda.arrays import Flags, FloatVector
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.links import both, logistic, probabilities
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.graph.steps import numbered
from training.convert.graph.trees import Ensemble, Tree, constant_leaf

ZERO: Final = float(np.float32(1e-35))
"""Up to this magnitude LightGBM takes a number for 0."""

_CATEGORICAL: Final = 1
_DEFAULT_LEFT: Final = 2
_NEVER_MISSING: Final = 0
_ZERO_IS_MISSING: Final = 1

type Integers = NDArray[np.int64]
type Fields = dict[str, str]
type Compared = Literal["number", "number or gap", "category"]


@dataclass(frozen=True, slots=True)
class Model:
    """The text of a model, up to the best iteration where fitting stopped early."""

    head: Fields
    trees: list[Fields]
    declared: frozenset[int]
    """The features that were declared as categories at fitting."""

    @property
    def objective(self) -> str:
        """The loss by which it was fitted, with what its link needs."""
        return self.head.get("objective", "of its own")

    @property
    def width(self) -> int:
        """The number of columns of the raw scores, and of trees in an iteration."""
        return int(self.head["num_tree_per_iteration"])

    @property
    def averaged_over(self) -> int:
        """The divisor of the trees' sums."""
        return len(self.trees) // self.width if "average_output" in self.head else 1

    @property
    def linear(self) -> bool:
        """Whether a leaf holds a linear model."""
        return any(fields["is_linear"] != "0" for fields in self.trees)

    def comparisons(self) -> Iterator[tuple[int, Compared]]:
        """Yield the feature that each branch compares, and as what kind."""
        for fields in self.trees:
            decisions = _integers(fields, "decision_type").tolist()
            for feature, decision in zip(
                _integers(fields, "split_feature").tolist(), decisions, strict=True
            ):
                if decision & _CATEGORICAL:
                    yield feature, "category"
                else:
                    gap = decision >> 2 == _ZERO_IS_MISSING
                    yield feature, "number or gap" if gap else "number"


def read_booster(booster: Estimator) -> Model:
    """Read a fitted ``Booster``."""
    head, _, rest = booster.model_to_string().partition("\n\n")
    grown, _, settings = rest.partition("end of trees")
    trees = [_fields(tree) for tree in grown.split("\n\n") if tree.strip()]
    return Model(_fields(head), trees, _declared(settings))


def _declared(settings: str) -> frozenset[int]:
    found = re.search(r"\[categorical_feature: ([\d,]+)\]", settings)
    return frozenset(map(int, found[1].split(","))) if found else frozenset()


def _fields(text: str) -> Fields:
    pairs = (line.partition("=") for line in text.strip().splitlines())
    return {name: value for name, _, value in pairs}


def read_tree(fields: Fields) -> Tree:
    """Read a tree from its part of the text; categories are whole, and gaps are NaN."""
    leaves = _floats(fields, "leaf_value")
    if len(leaves) == 1:
        return constant_leaf(float(leaves[0]))
    decision, threshold = _integers(fields, "decision_type"), _floats(fields, "threshold")
    is_set = decision & _CATEGORICAL > 0
    # Where a feature was never missing, NaN counts as 0.
    by_default = np.where(decision >> 2 == _NEVER_MISSING, threshold >= 0, decision & _DEFAULT_LEFT)
    nothing = np.zeros(len(leaves), dtype=np.int64)
    return Tree(
        left=np.append(_places(fields, "left_child"), nothing),
        right=np.append(_places(fields, "right_child"), nothing),
        leaf=np.repeat([False, True], [len(threshold), len(leaves)]),
        feature=np.append(_integers(fields, "split_feature"), nothing),
        threshold=np.append(_beside_zero(threshold), nothing),
        missing_left=np.append((by_default > 0) & ~is_set, nothing > 0),
        value=np.append(np.zeros(len(threshold)), leaves),
        members=_members(fields, threshold, is_set),
    )


def _places(fields: Fields, name: str) -> Integers:
    """Number the leaves, which are complements in the text, after the branches."""
    children = _integers(fields, name)
    return np.where(children >= 0, children, len(children) + ~children)


def _beside_zero(threshold: FloatVector) -> FloatVector:
    """Move thresholds out from among the numbers that LightGBM takes for 0."""
    inside = np.abs(threshold) <= ZERO
    below = np.where(threshold < 0, np.nextafter(-ZERO, -np.inf), ZERO)
    return np.where(inside, below, threshold)


def _members(fields: Fields, threshold: FloatVector, is_set: Flags) -> dict[int, FloatVector]:
    """Return the categories that go left, by branch; there, a threshold is the number of a set."""
    if not is_set.any():
        return {}
    bounds, words = _integers(fields, "cat_boundaries"), _integers(fields, "cat_threshold")
    octets = words.astype("<u4").view(np.uint8)
    sets = [
        np.flatnonzero(np.unpackbits(octets[4 * start : 4 * end], bitorder="little"))
        for start, end in pairwise(bounds)
    ]
    return {
        int(branch): sets[int(threshold[branch])].astype(np.float64)
        for branch in np.flatnonzero(is_set)
    }


def _integers(fields: Fields, name: str) -> Integers:
    return np.array(fields[name].split(), dtype=np.int64)


def _floats(fields: Fields, name: str) -> FloatVector:
    return np.array(fields[name].split(), dtype=np.float64)


_FITTING: Final = (
    "alpha bagging_by_query bagging_fraction bagging_freq bagging_seed boost_from_average boosting "
    "boosting_type cat_l2 cat_smooth categorical_feature class_weight colsample_bytree "
    "data_random_seed data_sample_strategy deterministic device_type drop_rate drop_seed "
    "early_stopping_min_delta early_stopping_round enable_bundle extra_seed extra_trees fair_c "
    "feature_fraction feature_fraction_bynode feature_fraction_seed feature_pre_filter "
    "first_metric_only force_col_wise force_row_wise importance_type interaction_constraints "
    "is_unbalance lambda_l1 lambda_l2 learning_rate linear_tree max_bin max_bin_by_feature "
    "max_cat_threshold max_cat_to_onehot max_delta_step max_depth max_drop metric "
    "min_child_samples min_child_weight min_data_in_bin min_data_in_leaf min_data_per_group "
    "min_gain_to_split min_split_gain min_sum_hessian_in_leaf monotone_constraints "
    "monotone_constraints_method monotone_penalty neg_bagging_fraction num_class num_leaves "
    "num_threads n_estimators n_jobs objective other_rate path_smooth poisson_max_delta_step "
    "pos_bagging_fraction random_state reg_alpha reg_lambda reg_sqrt scale_pos_weight seed sigmoid "
    "skip_drop subsample subsample_for_bin subsample_freq top_rate tweedie_variance_power "
    "uniform_drop use_missing verbose verbosity xgboost_dart_mode zero_as_missing"
)


def _classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    model, raw = _raw(estimator, matrix, scope)
    objective, graph = model.objective.split()[0], scope.graph
    if objective == "multiclass":
        return Outputs(probabilities(graph, raw), raw)
    if objective == "multiclassova":
        return Outputs(logistic(graph, _steepened(model, graph, raw)), raw)
    if objective == "binary" and len(estimator.classes_) == 2:
        return Outputs(both(graph, logistic(graph, _steepened(model, graph, raw))), raw)
    scope.refuse(f"LGBMClassifier with an objective {objective!r} has no exact conversion")


def _steepened(model: Model, graph: Graph, raw: Matrix) -> Matrix:
    """Apply `sigmoid` with the six digits of the text: the library reads its own after fitting."""
    slope = float(model.objective.rpartition("sigmoid:")[2])
    if slope == 1:
        return raw
    return raw.alike(graph.node("Mul", raw.tensor, graph.constant(slope)))


def _regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    model, raw = _raw(estimator, matrix, scope)
    if model.objective not in _LINKS:
        scope.refuse(f"LGBMRegressor with an objective {model.objective!r} has no exact conversion")
    return Outputs(value=_LINKS[model.objective](scope.graph, raw))


def _same(graph: Graph, raw: Matrix) -> Matrix:
    return raw


def _exponential(graph: Graph, raw: Matrix) -> Matrix:
    return raw.alike(graph.node("Exp", raw.tensor))


def _signed_square(graph: Graph, raw: Matrix) -> Matrix:
    return raw.alike(graph.node("Mul", raw.tensor, graph.node("Abs", raw.tensor)))


_LINKS: Final[dict[str, Callable[[Graph, Matrix], Matrix]]] = {
    **dict.fromkeys(("regression", "regression_l1", "huber", "fair", "quantile", "mape"), _same),
    **dict.fromkeys(("regression sqrt", "regression_l1 sqrt"), _signed_square),
    **dict.fromkeys(("poisson", "gamma", "tweedie"), _exponential),
    "cross_entropy": logistic,
}


def _raw(estimator: Estimator, matrix: Matrix, scope: Scope) -> tuple[Model, Matrix]:
    scope.admit(estimator, free=_FITTING)
    booster, graph = estimator.booster_, scope.graph
    model = read_booster(booster)
    lists = booster.pandas_categorical or []
    places = _of_the_category_dtype(len(lists), model, matrix, scope)
    matrix = numbered(graph, matrix, dict(zip(places, lists, strict=True)))
    ensemble = Ensemble(model.width)
    for place, fields in enumerate(model.trees):
        ensemble.add(read_tree(fields), place % model.width)
    sums = ensemble.node(graph, _compared(matrix, _kinds(model, scope), graph))
    if model.averaged_over == 1:
        return model, sums
    count = graph.constant(float(model.averaged_over))
    return model, sums.alike(graph.node("Div", sums.tensor, count))


def _of_the_category_dtype(count: int, model: Model, matrix: Matrix, scope: Scope) -> list[int]:
    """Find the columns of the category dtype: LightGBM keeps their categories, not their places.

    Strings are of that dtype, and so is what fitting took for categories of itself. Categories of
    numbers that it puts in order look like numbers, unless nothing else is there.
    """
    everything = range(matrix.width)
    strings = {place for place in everything if matrix.vocabularies[place] is not None}
    for places in (strings, strings | model.declared, everything):
        if len(places) == count:
            return sorted(places)
    scope.refuse("categories of numbers that LightGBM puts in order have no exact conversion here")


def _kinds(model: Model, scope: Scope) -> dict[int, Compared]:
    """Return the kind that each feature is compared as."""
    if model.linear:
        scope.refuse("linear_tree has no exact conversion")
    kinds: dict[int, Compared] = {}
    for feature, kind in model.comparisons():
        if kinds.setdefault(feature, kind) != kind:
            scope.refuse("fitted further on other data, trees compare one feature in two ways")
    return kinds


def _compared(matrix: Matrix, kinds: dict[int, Compared], graph: Graph) -> Matrix:
    """Truncate categories to whole numbers, and replace each 0 that means missing by NaN."""
    categories, gaps = (
        np.array([[kinds.get(place) == kind for place in range(matrix.width)]])
        for kind in ("category", "number or gap")
    )
    if categories.any():
        matrix = _whole(graph, matrix, categories)
    if gaps.any():
        # No magnitude is below -1, so that the other columns stay as they are.
        greatest = graph.constant(np.where(gaps, ZERO, -1.0))
        is_zero = graph.node("LessOrEqual", graph.node("Abs", matrix.tensor), greatest)
        matrix = matrix.alike(graph.node("Where", is_zero, graph.constant(np.nan), matrix.tensor))
    return matrix


def _whole(graph: Graph, matrix: Matrix, columns: Flags) -> Matrix:
    """Cut off the fractions in some columns: 2.5 is category 2, and -0.5 is category 0."""
    negative = graph.node("Less", matrix.tensor, graph.constant(0.0))
    up, down = graph.node("Ceil", matrix.tensor), graph.node("Floor", matrix.tensor)
    whole = graph.node("Where", negative, up, down)
    chosen = graph.constant(columns, np.bool_)
    return matrix.alike(graph.node("Where", chosen, whole, matrix.tensor))


CONVERTERS: Final[dict[str, Convert]] = {
    "lightgbm.LGBMClassifier": _classifier,
    "lightgbm.LGBMRegressor": _regressor,
}
