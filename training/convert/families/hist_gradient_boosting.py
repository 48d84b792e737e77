"""Histogram gradient boosting, and what it shares with gradient boosting."""

from typing import Final

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from sklambda.arrays import FloatVector
from training.convert.graph.graph import Matrix
from training.convert.graph.links import chances
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.graph.trees import Ensemble, Tree, constant_leaf

_FITTING: Final = (
    "loss learning_rate max_iter max_leaf_nodes max_depth min_samples_leaf l2_regularization "
    "max_features max_bins categorical_features monotonic_cst interaction_cst warm_start "
    "early_stopping scoring validation_fraction n_iter_no_change tol verbose random_state "
)
_LINKS: Final = {"IdentityLink": None, "LogLink": "Exp"}

type Members = dict[int, list[float]]  # by feature, what the graph holds for each category


def _classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free=_FITTING + "class_weight")
    raw = _raw(estimator, matrix, scope)
    return Outputs(chances(scope.graph, raw), raw)


def _regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free=_FITTING + "quantile")
    link = type(estimator._loss.link).__name__
    if link not in _LINKS:
        scope.refuse(
            f"HistGradientBoostingRegressor has an unknown link {link}: "
            "use one of scikit-learn's losses"
        )
    raw, inverse = _raw(estimator, matrix, scope), _LINKS[link]
    value = raw if inverse is None else raw.alike(scope.graph.node(inverse, raw.tensor))
    return Outputs(value=value)


def _raw(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    matrix, members = _categories(estimator, matrix, scope)
    ensemble = Ensemble(estimator.n_trees_per_iteration_)
    # As a tree before the others, the baseline is added where scikit-learn adds it.
    for target, baseline in enumerate(np.ravel(estimator._baseline_prediction)):
        ensemble.add(constant_leaf(float(baseline)), target)
    for iteration in estimator._predictors:
        for target, predictor in enumerate(iteration):
            ensemble.add(_tree(predictor, members), target)
    # It compares float64 with float64, so nothing is cast before the trees.
    return ensemble.node(scope.graph, matrix)


def _categories(estimator: Estimator, matrix: Matrix, scope: Scope) -> tuple[Matrix, Members]:
    """Order the columns as its own preprocessing does, which sets the categories first."""
    if estimator.is_categorical_ is None:
        return matrix, {}
    flags = np.asarray(estimator.is_categorical_, dtype=bool)
    order = [*np.flatnonzero(flags).tolist(), *np.flatnonzero(~flags).tolist()]
    encoder = estimator._preprocessor.named_transformers_["encoder"]
    columns, members = [], {}
    for place, categories in enumerate(encoder.categories_):
        column = scope.graph.take(matrix, [order[place]])
        coded, members[place] = _coded(column, categories, scope)
        columns.append(coded)
    numbers = order[len(columns) :]
    if numbers:
        columns.append(scope.graph.take(matrix, numbers))
    return scope.graph.join(columns), members


def _coded(column: Matrix, categories: Estimator, scope: Scope) -> tuple[Matrix, list[float]]:
    """Return a column of small integers, with the integer of each category but the missing."""
    present = [value for value in categories if value is not None and value == value]
    vocabulary = column.vocabularies[0]
    if vocabulary is not None:
        return column, [vocabulary.code(category) for category in present]
    if any(isinstance(category, str) for category in present):
        scope.refuse(
            "a category is a string where the column before holds numbers: "
            "encode the column by OrdinalEncoder, or leave it in pandas' category dtype"
        )
    # onnxruntime looks integers up, and takes 2.5 for 2; here what equals no category becomes 0.
    graph, codes = scope.graph, np.arange(1.0, len(present) + 1)
    hot = graph.node("Equal", column.tensor, graph.constant([[float(x) for x in present]]))
    found = graph.node("MatMul", graph.double(hot), graph.constant(codes[:, None]))
    return column.alike(found), codes.tolist()


def _tree(predictor: Estimator, members: Members) -> Tree:
    nodes = predictor.nodes
    left, right = nodes["left"].astype(np.int64), nodes["right"].astype(np.int64)
    branches = np.flatnonzero(nodes["is_categorical"].astype(bool) & ~nodes["is_leaf"].astype(bool))
    # A missing or unseen category is in no set, so the set is of the side that it does not take.
    missing_left = nodes["missing_go_to_left"].astype(bool)
    swapped = branches[missing_left[branches]]
    left[swapped], right[swapped] = right[swapped], left[swapped]
    missing_left[branches] = False
    return Tree(
        left=left,
        right=right,
        leaf=nodes["is_leaf"].astype(bool),
        feature=nodes["feature_idx"].astype(np.int64),
        threshold=nodes["num_threshold"].astype(np.float64),
        missing_left=missing_left,
        value=nodes["value"].astype(np.float64),
        members={int(node): _set(predictor, nodes[node], members) for node in branches},
    )


def _set(predictor: Estimator, node: Estimator, members: Members) -> FloatVector:
    words = predictor.raw_left_cat_bitsets[node["bitset_idx"]]
    goes_left = [
        bool(int(words[code // 32]) >> (code % 32) & 1) != bool(node["missing_go_to_left"])
        for code in range(len(members[int(node["feature_idx"])]))
    ]
    return np.array(members[int(node["feature_idx"])], dtype=np.float64)[goes_left]


CONVERTERS: Final[dict[type, Convert]] = {
    HistGradientBoostingClassifier: _classifier,
    HistGradientBoostingRegressor: _regressor,
}
