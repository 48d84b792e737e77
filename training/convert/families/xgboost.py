"""XGBoost's boosted trees, forests and linear models.

It computes in float32: inputs, thresholds, leaves, their sums one tree after the other, and links.
The JSON of a model holds every float32 to the last bit; its rules are those of
``src/predictor/cpu_predictor.cc``, ``src/common/categorical.h`` and ``src/gbm/gblinear.cc``.
"""

import copy
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sklambda.arrays import Flags, FloatMatrix, FloatVector
from training.convert.graph import single_precision
from training.convert.graph.graph import Elementwise, Graph, Matrix
from training.convert.graph.outputs import Outputs, class_position, one_hot
from training.convert.graph.scope import Convert, Estimator, Scope, shown
from training.convert.graph.steps import numbered, with_columns
from training.convert.graph.trees import Ensemble, Tree, constant_leaf
from training.convert.unconverted import named

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
    linear : FloatMatrix or None
        Shape [K + 1, groups]: the weights of the features and the bias, of a linear model.
    """

    objective: str
    start: FloatVector
    trees: list[Fields]
    groups: list[int]
    weights: FloatVector
    categories: dict[int, list[Category]]
    linear: FloatMatrix | None = None

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


def read_booster(booster: Estimator, *, whole_model: bool = False) -> Model:
    """Read a fitted ``Booster``, up to the best iteration unless the `whole_model` predicts."""
    whole = json.loads(booster.save_raw("json"))
    objective, start = whole["learner"]["objective"]["name"], _start(booster, whole)
    inner = whole["learner"]["gradient_booster"]["model"]
    if "weights" in inner:
        linear = np.array(inner["weights"], dtype=np.float32).reshape(-1, len(start))
        return Model(objective, start, [], [], np.empty(0), {}, linear.astype(np.float64))
    best = None if whole_model else booster.attr("best_iteration")
    count = inner["iteration_indptr"][-1 if best is None else int(best) + 1]
    weights = inner.get("weight_drop") or [1.0] * len(inner["trees"])
    return Model(
        objective=objective,
        start=start,
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
    from xgboost import DMatrix

    bare = copy.deepcopy(whole)
    inner = bare["learner"]["gradient_booster"]["model"]
    for fields in inner.get("trees", ()):
        for leaves in ("split_conditions", "leaf_weights"):
            fields[leaves] = [0.0] * len(fields.get(leaves, ()))
    if "weights" in inner:
        inner["weights"] = [0.0] * len(inner["weights"])
    empty = type(booster)()
    empty.load_model(bytearray(json.dumps(bare), "utf-8"))
    row = DMatrix(np.zeros((1, booster.num_features()), dtype=np.float32))
    margin = empty.predict(row, output_margin=True, validate_features=False)
    return np.ravel(margin).astype(np.float64)


def read_tree(fields: Fields, weight: float, sizes: Mapping[int, int], target: int = 0) -> Tree:
    """Read a tree from its part of the JSON.

    Parameters
    ----------
    fields : dict
        The part.
    weight : float
        What the leaves are multiplied with, in float32.
    sizes : mapping of int to int
        By feature of categories: the code of a missing one.
    target : int
        Which value of a leaf is read, where a leaf holds one for each target.
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
        value=(_leaves(fields, split, target) * np.float32(weight)).astype(np.float64),
        members=members,
    )


def width_of(fields: Fields) -> int:
    """Return the number of values that a leaf of a tree holds."""
    return max(1, int(fields["tree_param"]["size_leaf_vector"]))


def _leaves(fields: Fields, split: NDArray[np.float32], target: int) -> NDArray[np.float32]:
    """Return the value of each leaf by node; anything at a branch."""
    width = width_of(fields)
    if width == 1:
        return split
    table = np.array(fields["leaf_weights"], dtype=np.float32).reshape(-1, width)
    # Of a leaf, the right child is its number.
    numbers = np.where(np.array(fields["left_children"]) < 0, fields["right_children"], 0)
    chosen: NDArray[np.float32] = table[numbers, target]
    return chosen


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


_ONLY: Final[dict[str, tuple[object, ...]]] = {
    "booster": (None, "gbtree", "dart", "gblinear"),
    "device": (None, "cpu"),
    "multi_strategy": (None, "one_output_per_tree", "multi_output_tree"),
}


def _classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    if callable(estimator.objective):
        scope.refuse(
            f"{_named(estimator)} has no probabilities, for an objective of its own has no link: "
            "fit an xgboost.XGBRegressor with it, whose scores are exact, or use 'binary:logistic'"
        )
    model, raw = _raw(estimator, matrix, scope)
    return classified(model, raw, int(estimator.n_classes_), _named(estimator), scope)


def classified(model: Model, raw: Matrix, count: int, name: str, scope: Scope) -> Outputs:
    """Return the outputs of a classifier of `count` classes from its raw scores."""
    graph = scope.graph
    if model.objective == "multi:softprob" and raw.width == count:
        return Outputs(single_precision.softmax(graph, raw))
    if model.objective == "multi:softmax" and raw.width == count:
        # scipy computes its probabilities, in float32 and otherwise on other processors.
        return Outputs(label=one_hot(graph, class_position(graph, raw), count))
    if count == 2 and raw.width == 1:
        if model.objective == "binary:logistic":
            return Outputs(single_precision.both(graph, single_precision.logistic(graph, raw)))
        if model.objective == "binary:hinge":
            return Outputs(single_precision.both(graph, _step(graph, raw)))
        if model.objective == "binary:logitraw":
            # Its raw score of 0.5 and its complement are no probabilities.
            above = graph.node("Greater", raw.tensor, graph.constant(0.5))
            return Outputs(label=one_hot(graph, raw.alike(graph.double(above)), count))
    scope.refuse(
        f"{name} of {count} classes has no exact conversion: use 'binary:logistic' for two "
        "classes, 'multi:softprob' for more, and for several targets "
        "sklearn.multioutput.MultiOutputClassifier around it"
    )


def _regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    model, raw = _raw(estimator, matrix, scope)
    return valued(model, raw, _named(estimator), scope)


def valued(model: Model, raw: Matrix, name: str, scope: Scope) -> Outputs:
    """Return the outputs of a regressor or ranker from its raw scores."""
    link = _same if model.objective.startswith("rank:") else _LINKS.get(model.objective)
    if link is None:
        scope.refuse(
            f"{name} has no exact conversion as a regressor: use an xgboost.XGBClassifier for "
            "classes, or 'reg:squarederror' or 'reg:absoluteerror' for values"
        )
    return Outputs(value=link(scope.graph, raw))


def _named(estimator: Estimator) -> str:
    return f"{named(estimator)}(objective={shown(estimator.objective)})"


def _same(graph: Graph, raw: Matrix) -> Matrix:
    return raw


def _exponential(graph: Graph, raw: Matrix) -> Matrix:
    return raw.alike(single_precision.exponential(graph, raw.tensor))


def _ascending(graph: Graph, raw: Matrix) -> Matrix:
    """Put the quantiles of each row in order, where those of separate trees cross."""
    if raw.width == 1:
        return raw
    count = graph.constant([raw.width], np.int64)
    ordered, _ = graph.several("TopK", raw.tensor, count, outputs=2, axis=1, largest=0)
    return raw.alike(ordered)


def _step(graph: Graph, raw: Matrix) -> Matrix:
    above = graph.node("Greater", raw.tensor, graph.constant(0.0))
    return raw.alike(graph.double(above))


_SAME: Final = (
    "reg:squarederror reg:squaredlogerror reg:pseudohubererror reg:absoluteerror "
    "reg:expectileerror binary:logitraw"
)
_POWERS: Final = "count:poisson reg:gamma reg:tweedie survival:cox survival:aft"
_LINKS: Final[dict[str, Callable[[Graph, Matrix], Matrix]]] = {
    **dict.fromkeys(_SAME.split(), _same),
    **dict.fromkeys(_POWERS.split(), _exponential),
    **dict.fromkeys(("reg:logistic", "binary:logistic"), single_precision.logistic),
    "binary:hinge": _step,
    "reg:quantileerror": _ascending,
}


def _native(booster: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    """Convert what a booster's own `predict` gives, which is by all trees."""
    model = read_booster(booster, whole_model=True)
    raw, graph = raw_scores(model, matrix, math.nan, scope), scope.graph
    if model.objective == "multi:softprob":
        return Outputs(value=single_precision.softmax(graph, raw))
    if model.objective == "multi:softmax":
        return Outputs(value=class_position(graph, raw))
    return valued(model, raw, f"xgboost.Booster(objective={model.objective!r})", scope)


def _raw(estimator: Estimator, matrix: Matrix, scope: Scope) -> tuple[Model, Matrix]:
    scope.admit(estimator, only=_ONLY)
    model = read_booster(estimator.get_booster())
    return model, raw_scores(model, matrix, float(estimator.missing), scope)


def raw_scores(model: Model, matrix: Matrix, missing: float, scope: Scope) -> Matrix:
    """Compute the raw scores, [N, groups]; a number that is `missing` is one as NaN is."""
    if model.numeric().intersection(model.sizes()):
        scope.refuse(
            "fitted further on other data, xgboost's trees compare one feature in two ways, which "
            "has no exact conversion: fit anew, with the feature as a number or as a category"
        )
    _refuse_gaps(model, scope)
    graph = scope.graph
    if scope.sparse:  # in float64: a number that is 0 in float32 alone is stored
        matrix = _lacking(0.0, matrix, graph)
    matrix = numbered(graph, matrix, model.categories)
    matrix = single_precision.narrowed(graph, matrix)
    if not np.isnan(missing):
        matrix = _lacking(float(np.float32(missing)), matrix, graph)
    if model.linear is not None:
        return _weighted(model, model.linear, matrix, graph)
    return _grown(model, matrix, graph)


def _lacking(missing: float, matrix: Matrix, graph: Graph) -> Matrix:
    """Replace the number that means a missing one by NaN."""
    is_missing = graph.node("Equal", matrix.tensor, graph.constant(missing))
    tensor = graph.node("Where", is_missing, graph.constant(np.nan), matrix.tensor)
    step = Elementwise(
        "missing", lambda values: np.where(values == missing, np.nan, values), turns=(missing,)
    )
    kinds = [step if vocabulary is None else None for vocabulary in matrix.vocabularies]
    return matrix.mapped(tensor, kinds)


def _grown(model: Model, matrix: Matrix, graph: Graph) -> Matrix:
    width, sizes = len(model.start), model.sizes()
    grown = [
        (fields, weight, group + target, target)
        for fields, group, weight in zip(model.trees, model.groups, model.weights, strict=True)
        for target in range(width_of(fields))
    ]
    ensemble = Ensemble(width + len(grown))
    for target, value in enumerate(model.start.tolist()):
        ensemble.add(constant_leaf(value), target)
    parts = [1] * width
    for fields, weight, group, target in grown:
        tree = read_tree(fields, weight, sizes, target)
        ensemble.add(tree, parts[group] * width + group)
        parts[group] += 1
    leaves = ensemble.node(graph, _coded(graph, matrix, sizes))
    return single_precision.added_in_order(graph, leaves, width)


def _weighted(model: Model, linear: FloatMatrix, matrix: Matrix, graph: Graph) -> Matrix:
    """Add up bias and start, and then each number times its weight, in float32; NaN adds none."""
    width = len(model.start)
    start = (linear[-1] + model.start).astype(np.float32)
    present = graph.node("Not", graph.node("IsNaN", matrix.tensor))
    numbers = graph.node("Where", present, matrix.tensor, graph.constant(0.0))
    # A float32 times another is exact in float64.
    each = matrix.numbers(numbers)
    terms = graph.take(each, np.repeat(np.arange(matrix.width), width).tolist())
    products = graph.node("Mul", terms.tensor, graph.constant(linear[:-1].reshape(1, -1)))
    rounded = terms.numbers(single_precision.rounded(graph, products))
    nothing = graph.node("Mul", graph.take(each, [0] * width).tensor, graph.constant(0.0))
    first = rounded.numbers(graph.node("Add", nothing, graph.constant(start[None])), width)
    return single_precision.added_in_order(graph, graph.join([first, rounded]), width)


def _refuse_gaps(model: Model, scope: Scope) -> None:
    """Refuse integers with gaps: there XGBoost raises, and a signature has bounds alone."""
    for categories in model.categories.values():
        numbers = [category for category in categories if isinstance(category, int)]
        if numbers and max(numbers) - min(numbers) >= len(numbers):
            scope.refuse(
                "xgboost's categories that are integers with gaps have no exact conversion: number "
                "them 0, 1, 2, ..., or make them texts by astype(str).astype('category')"
            )


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
    "xgboost.Booster": _native,
    "xgboost.XGBClassifier": _classifier,
    "xgboost.XGBRFClassifier": _classifier,
    "xgboost.XGBRanker": _regressor,
    "xgboost.XGBRegressor": _regressor,
    "xgboost.XGBRFRegressor": _regressor,
}
