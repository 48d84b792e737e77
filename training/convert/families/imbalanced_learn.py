"""imbalanced-learn's pipelines and ensembles.

Its samplers draw rows at fitting; at prediction a pipeline passes them over.
"""

from collections.abc import Mapping
from typing import Final

from training.convert.families.bagging_and_ada_boost import BAGGING, BOOSTING, bagged, boosted
from training.convert.families.compose import pipeline
from training.convert.families.forests import FOREST_FITTING, classified
from training.convert.graph.graph import Matrix
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Convert, Estimator, Scope

_SAMPLING: Final = "replacement sampler sampling_strategy "


def _bag(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free=BAGGING + _SAMPLING)
    return bagged(estimator, matrix, scope)


def _forest(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free=FOREST_FITTING + _SAMPLING + "class_weight")
    return classified(estimator, estimator.estimators_, matrix, scope)


def _boosted(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    # scikit-learn's AdaBoost predicts for it, whatever algorithm has weighed the rows.
    scope.admit(estimator, free=BOOSTING + _SAMPLING + "algorithm")
    return boosted(estimator, matrix, scope)


CONVERTERS: Final[Mapping[str, Convert]] = {
    "imblearn.BalancedBaggingClassifier": _bag,
    "imblearn.BalancedRandomForestClassifier": _forest,
    "imblearn.EasyEnsembleClassifier": _bag,
    "imblearn.Pipeline": pipeline,
    "imblearn.RUSBoostClassifier": _boosted,
}
