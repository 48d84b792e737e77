"""Histogram gradient boosting."""

from typing import Final

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from training.convert.answer import Answer
from training.convert.graph import Matrix
from training.convert.links import probabilities
from training.convert.scope import Convert, Estimator, Scope
from training.convert.trees import Ensemble, Tree

_FITTING = (
    "loss learning_rate max_iter max_leaf_nodes max_depth min_samples_leaf l2_regularization "
    "max_features max_bins categorical_features monotonic_cst interaction_cst warm_start "
    "early_stopping scoring validation_fraction n_iter_no_change tol verbose random_state "
    "class_weight"
)


def _classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Answer:
    scope.admit(estimator, free=_FITTING)
    if estimator.is_categorical_ is not None:
        scope.refuse("HistGradientBoostingClassifier has categorical features of its own")
    graph = scope.graph
    ensemble = Ensemble(estimator.n_trees_per_iteration_)
    for iteration in estimator._predictors:
        for target, predictor in enumerate(iteration):
            ensemble.add(_tree(predictor.nodes), target)
    # It compares float64 with float64, so nothing is cast before the trees.
    sums = ensemble.node(graph, matrix)
    baseline = graph.constant(np.reshape(estimator._baseline_prediction, (1, -1)))
    decision = sums.alike(graph.node("Add", sums.tensor, baseline))
    return Answer(probabilities(graph, decision), decision)


def _tree(nodes: Estimator) -> Tree:
    return Tree(
        left=nodes["left"].astype(np.int64),
        right=nodes["right"].astype(np.int64),
        leaf=nodes["is_leaf"].astype(bool),
        feature=nodes["feature_idx"].astype(np.int64),
        threshold=nodes["num_threshold"].astype(np.float64),
        missing_left=nodes["missing_go_to_left"].astype(bool),
        value=nodes["value"].astype(np.float64),
    )


CONVERTERS: Final[dict[type, Convert]] = {HistGradientBoostingClassifier: _classifier}
