"""Wrappers around an estimator that was chosen, frozen or trained further."""

from typing import Final

from sklearn.experimental import enable_halving_search_cv
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    RandomizedSearchCV,
)
from sklearn.semi_supervised import SelfTrainingClassifier

from training.convert.graph.graph import Matrix
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Convert, Estimator, Scope

__all__ = ["CONVERTERS", "enable_halving_search_cv"]  # its import is what makes the two halving

_FITTING: Final = (
    "estimator param_grid param_distributions n_iter n_candidates factor resource max_resources "
    "min_resources aggressive_elimination scoring n_jobs refit cv verbose pre_dispatch "
    "random_state error_score return_train_score"
)


def _search(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix | Outputs:
    scope.admit(estimator, free=_FITTING)
    if not hasattr(estimator, "best_estimator_"):
        scope.refuse(
            f"{type(estimator).__name__}(refit=False) has no fitted estimator: use refit=True"
        )
    return scope.run("best_estimator_", estimator.best_estimator_, matrix)


def _frozen(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix | Outputs:
    scope.admit(estimator, free="estimator")
    return scope.run("estimator", estimator.estimator, matrix)


def _self_trained(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix | Outputs:
    # Which rows it labelled itself is in what it fitted last.
    scope.admit(estimator, free="estimator threshold criterion k_best max_iter verbose")
    return scope.run("estimator_", estimator.estimator_, matrix)


CONVERTERS: Final[dict[type, Convert]] = {
    FrozenEstimator: _frozen,
    GridSearchCV: _search,
    HalvingGridSearchCV: _search,
    HalvingRandomSearchCV: _search,
    RandomizedSearchCV: _search,
    SelfTrainingClassifier: _self_trained,
}
