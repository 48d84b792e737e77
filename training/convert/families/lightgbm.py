"""LightGBM's boosted trees and forests.

A model's text holds every float64 to the last bit, and the values of its parameters; its rules are
those of ``include/LightGBM/tree.h``.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from sklambda.arrays import Flags, FloatMatrix, FloatVector
from training.convert.graph.graph import Elementwise, Graph, Matrix
from training.convert.graph.links import both, logistic, probabilities
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.graph.steps import numbered
from training.convert.graph.trees import Tree, constant_leaf, in_order, leaf_numbers
from training.convert.unconverted import named

ZERO: Final = float(np.float32(1e-35))
"""Up to this magnitude LightGBM takes a number for 0."""

OF_ITS_OWN: Final = "of its own"
"""The objective of a model that was fitted with a function of the user's."""

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
        return self.head.get("objective", OF_ITS_OWN)

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


_AT_DEFAULT: Final = (
    "pred_early_stop predict_contrib is_predict_contrib contrib predict_leaf_index "
    "is_predict_leaf_index leaf_index predict_raw_score is_predict_raw_score predict_rawscore "
    "raw_score"
)
_ONLY: Final[dict[str, tuple[object, ...]]] = dict.fromkeys(_AT_DEFAULT.split(), (False,))
"""The parameters that change predictions; the others have their effect in the model's text."""


def _classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    model, raw = _raw(estimator, matrix, scope)
    return classified(model, raw, len(estimator.classes_), named(estimator), scope)


def classified(model: Model, raw: Matrix, count: int, name: str, scope: Scope) -> Outputs:
    """Return the outputs of a classifier of `count` classes from its raw scores."""
    objective, graph = model.objective.split()[0], scope.graph
    if objective == "multiclass":
        return Outputs(probabilities(graph, raw), raw)
    if objective == "multiclassova":
        return Outputs(logistic(graph, _steepened(model, graph, raw)), raw)
    if objective == "cross_entropy" and count == 2:
        return Outputs(both(graph, logistic(graph, raw)), raw)
    if objective == "binary" and count == 2:
        return Outputs(both(graph, logistic(graph, _steepened(model, graph, raw))), raw)
    scope.refuse(
        f"{name} with an objective {model.objective!r} has no exact conversion: use 'binary' for "
        "two classes and 'multiclass' for more; a function of yours gives no probabilities, and "
        "its scores are exact in an lightgbm.LGBMRegressor"
    )


def _steepened(model: Model, graph: Graph, raw: Matrix) -> Matrix:
    """Apply `sigmoid` with the six digits of the text: the library reads its own after fitting."""
    slope = float(model.objective.rpartition("sigmoid:")[2])
    if slope == 1:
        return raw
    return raw.alike(graph.node("Mul", raw.tensor, graph.constant(slope)))


def _regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    model, raw = _raw(estimator, matrix, scope)
    return valued(model, raw, named(estimator), scope)


def valued(model: Model, raw: Matrix, name: str, scope: Scope) -> Outputs:
    """Return the outputs of a regressor or ranker from its raw scores."""
    if model.objective.startswith("binary sigmoid:"):
        return Outputs(value=logistic(scope.graph, _steepened(model, scope.graph, raw)))
    link = _LINKS.get(model.objective)
    if link is None:
        scope.refuse(
            f"{name} with an objective {model.objective!r} has no exact conversion: use "
            "'regression' or 'regression_l1' for values, and an LGBMClassifier for classes"
        )
    return Outputs(value=link(scope.graph, raw))


def _same(graph: Graph, raw: Matrix) -> Matrix:
    return raw


def _exponential(graph: Graph, raw: Matrix) -> Matrix:
    return raw.alike(graph.node("Exp", raw.tensor))


def _softplus(graph: Graph, raw: Matrix) -> Matrix:
    power = graph.node("Exp", raw.tensor)
    return raw.alike(graph.node("Log", graph.node("Add", power, graph.constant(1.0))))


def _signed_square(graph: Graph, raw: Matrix) -> Matrix:
    return raw.alike(graph.node("Mul", raw.tensor, graph.node("Abs", raw.tensor)))


_OF_VALUES: Final = ("regression", "regression_l1", "huber", "fair", "quantile", "mape")
_LINKS: Final[dict[str, Callable[[Graph, Matrix], Matrix]]] = {
    **dict.fromkeys(_OF_VALUES, _same),
    **{f"{name} sqrt": _signed_square for name in _OF_VALUES},
    **dict.fromkeys(("poisson", "gamma", "tweedie"), _exponential),
    **dict.fromkeys(("lambdarank", "rank_xendcg", OF_ITS_OWN), _same),
    "cross_entropy": logistic,
    "cross_entropy_lambda": _softplus,
}


def _native(booster: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    """Convert what a booster's own `predict` gives."""
    model, raw = raw_scores(booster, matrix, scope)
    if model.objective.startswith("multiclass "):
        return Outputs(value=probabilities(scope.graph, raw))
    if model.objective.startswith("multiclassova "):
        return Outputs(value=logistic(scope.graph, _steepened(model, scope.graph, raw)))
    return valued(model, raw, "lightgbm.Booster", scope)


def _raw(estimator: Estimator, matrix: Matrix, scope: Scope) -> tuple[Model, Matrix]:
    scope.admit(estimator, only=_ONLY)
    return raw_scores(estimator.booster_, matrix, scope)


def raw_scores(booster: Estimator, matrix: Matrix, scope: Scope) -> tuple[Model, Matrix]:
    """Read a booster, and compute its raw scores, [N, width]."""
    graph, model = scope.graph, read_booster(booster)
    lists = booster.pandas_categorical or []
    places = _of_the_category_dtype(len(lists), model, matrix, scope)
    matrix = numbered(graph, matrix, dict(zip(places, lists, strict=True)))
    compared = _compared(matrix, _kinds(model, scope), graph)
    if model.linear:
        sums = _linear_sums(model, compared, matrix, graph)
    else:
        trees = [(read_tree(one), place % model.width) for place, one in enumerate(model.trees)]
        sums = in_order(graph, compared, trees, model.width)
    if model.averaged_over == 1:
        return model, sums
    count = graph.constant(float(model.averaged_over))
    return model, sums.alike(graph.node("Div", sums.tensor, count))


_LINEAR: Final = 4096
"""The greatest number of coefficients of a row that are looked up at once."""


def _linear_sums(model: Model, compared: Matrix, matrix: Matrix, graph: Graph) -> Matrix:
    """Sum the linear models of the leaves, [N, width]; with a missing number a leaf has its value.

    The trees give the numbers of leaves, and these the rows of tables: coefficients, ...
    """
    size = max(1, _LINEAR // matrix.width)
    places = [*enumerate(model.trees)]
    gap = graph.node("IsNaN", matrix.tensor)
    present = graph.node("Where", gap, graph.constant(0.0), matrix.tensor)
    one = graph.constant([1], np.int64)
    row, gaps = (graph.node("Unsqueeze", each, one) for each in (present, graph.double(gap)))
    sums = [
        _linear_part(places[start : start + size], model.width, compared, row, gaps, graph)
        for start in range(0, len(places), size)
    ]
    whole = sums[0] if len(sums) == 1 else graph.node("Sum", *sums)
    return matrix.numbers(whole, model.width)


def _linear_part(
    places: Sequence[tuple[int, Fields]],
    width: int,
    compared: Matrix,
    row: str,
    gaps: str,
    graph: Graph,
) -> str:
    leaves = [read_leaves(fields, compared.width) for _, fields in places]
    found = leaf_numbers(graph, compared, [read_tree(fields) for _, fields in places])

    def of_leaf(tables: Sequence[NDArray[np.float64]]) -> str:
        return graph.node("Gather", graph.constant(np.concatenate(tables)), found, axis=0)

    axis, nothing = graph.constant([2], np.int64), graph.constant(0.0)
    slopes = of_leaf([each.slopes for each in leaves])
    # A slope of 0 times infinity, which a logarithm may be, would not be 0.
    is_read = graph.node("Greater", of_leaf([each.reads for each in leaves]), nothing)
    rises = graph.node("Where", is_read, graph.node("Mul", slopes, row), nothing)
    risen = graph.node("ReduceSum", rises, axis, keepdims=0)
    linear = graph.node("Add", of_leaf([each.start for each in leaves]), risen)
    lacking = graph.node("Where", is_read, gaps, nothing)
    lacks = graph.node("ReduceMax", lacking, axis, keepdims=0)
    is_whole = graph.node("Equal", lacks, graph.constant(0.0))
    values = graph.node("Where", is_whole, linear, of_leaf([each.value for each in leaves]))
    targets = np.eye(width)[[place % width for place, _ in places]]
    return graph.node("MatMul", values, graph.constant(targets))


@dataclass(frozen=True, slots=True)
class Leaves:
    """The linear models of a tree's leaves.

    Attributes
    ----------
    value : FloatVector
        Shape [L]: what a leaf adds where a number that it reads is missing.
    start : FloatVector
        Shape [L]: what it adds else, with the slopes times the numbers.
    slopes, reads : FloatMatrix
        Shape [L, K]: the slopes, and 1 where a leaf has one.
    """

    value: FloatVector
    start: FloatVector
    slopes: FloatMatrix
    reads: FloatMatrix


def read_leaves(fields: Fields, width: int) -> Leaves:
    """Read the leaves of a tree, of which the first of an ensemble may be constants."""
    value = _floats(fields, "leaf_value")
    slopes, reads = np.zeros((len(value), width)), np.zeros((len(value), width))
    if fields["is_linear"] == "0":
        return Leaves(value, value, slopes, reads)
    owner = np.repeat(np.arange(len(value)), _integers(fields, "num_features"))
    feature = _integers(fields, "leaf_features")
    slopes[owner, feature] = _floats(fields, "leaf_coeff")
    reads[owner, feature] = 1.0
    return Leaves(value, _floats(fields, "leaf_const"), slopes, reads)


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
    scope.refuse(
        "categories of numbers that LightGBM puts in order have no exact conversion beside other "
        "columns: name them in categorical_feature, or make them texts by astype(str)"
    )


def _kinds(model: Model, scope: Scope) -> dict[int, Compared]:
    """Return the kind that each feature is compared as."""
    kinds: dict[int, Compared] = {}
    for feature, kind in model.comparisons():
        if kinds.setdefault(feature, kind) != kind:
            scope.refuse(
                "fitted further on other data, lightgbm's trees compare one feature in two ways, "
                "which has no exact conversion: fit anew, with it as a number or as a category"
            )
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
        filled = graph.node("Where", is_zero, graph.constant(np.nan), matrix.tensor)
        of_category = categories[0].tolist()
        steps = [_GAP if gap else _STAYING for gap in gaps[0].tolist()]
        matrix = matrix.mapped(
            filled,
            [None if whole else step for whole, step in zip(of_category, steps, strict=True)],
        )
    return matrix


_STAYING: Final = Elementwise("nothing", lambda values: values)
_GAP: Final = Elementwise(
    "zero_as_missing",
    lambda values: np.where(np.abs(values) <= ZERO, np.nan, values),
    turns=(-ZERO, ZERO),
)


def _whole(graph: Graph, matrix: Matrix, columns: Flags) -> Matrix:
    """Cut off the fractions in some columns: 2.5 is category 2, and -0.5 is category 0."""
    negative = graph.node("Less", matrix.tensor, graph.constant(0.0))
    up, down = graph.node("Ceil", matrix.tensor), graph.node("Floor", matrix.tensor)
    whole = graph.node("Where", negative, up, down)
    chosen = graph.constant(columns, np.bool_)
    return matrix.alike(graph.node("Where", chosen, whole, matrix.tensor))


CONVERTERS: Final[dict[str, Convert]] = {
    "lightgbm.Booster": _native,
    "lightgbm.LGBMClassifier": _classifier,
    "lightgbm.LGBMRanker": _regressor,
    "lightgbm.LGBMRegressor": _regressor,
}
