"""The releases of scikit-learn that pipelines may be fitted with, and what differs in them."""

import sys
from collections.abc import Mapping
from typing import Any, Final

import sklearn

from training.convert.unconverted import package

type Estimator = Any  # scikit-learn ships no types
type Values = tuple[object, ...] | None

SUPPORTED: Final = "1.7 to 1.9"

_ANY: Final = None
"""The parameter has no effect, or its effect is in the fitted attributes."""

_RETIRED: Final[Mapping[str, Mapping[str, Values]]] = {
    "AdaBoostClassifier": {"algorithm": ("deprecated", "SAMME")},
    "Birch": {"copy": _ANY},
    "ClassifierChain": {"base_estimator": _ANY},
    "ColumnTransformer": {"force_int_remainder_cols": _ANY},
    "ElasticNetCV": {"n_alphas": _ANY},
    "LassoCV": {"n_alphas": _ANY},
    "LogisticRegression": {"multi_class": ("deprecated", "auto")},
    "LogisticRegressionCV": {"multi_class": ("deprecated", "auto")},
    "MultiTaskElasticNetCV": {"n_alphas": _ANY},
    "MultiTaskLassoCV": {"n_alphas": _ANY},
    "RegressorChain": {"base_estimator": _ANY},
    "SelfTrainingClassifier": {"base_estimator": _ANY},
    "TheilSenRegressor": {"copy_X": _ANY},
}


def retired_parameters(estimator: Estimator) -> Mapping[str, Values]:
    """Return the parameters that a newer scikit-learn has no more, with the values that convert.

    The values are None where any converts: the parameter has no effect on a prediction, or has it
    through the fitted attributes.
    """
    if package(estimator) != "sklearn":
        return {}
    retired = _RETIRED.get(type(estimator).__name__, {})
    if "multi_class" in retired:
        # Of two classes "multinomial" doubles the decision; of more, "ovr" is another formula.
        same = "ovr" if len(estimator.classes_) <= 2 else "multinomial"
        return {"multi_class": ("deprecated", "auto", same)}
    return retired


def is_before(release: str) -> bool:
    """Return whether the scikit-learn of this process is older than a release, as "1.8"."""
    return _numbers(sklearn.__version__) < _numbers(release)


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split(".")[:2])


def release_of(estimator: Estimator) -> str:
    """Return the library of an estimator's class with its version, as "scikit-learn 1.9.1"."""
    name = package(estimator)
    version = getattr(sys.modules.get(name), "__version__", "of an unknown version")
    return f"{_LIBRARIES.get(name, name)} {version}"


def supported_releases(estimator: Estimator) -> str:
    """Return the releases of an estimator's library whose parameters are known."""
    name = package(estimator)
    if name == "sklearn":
        return f"scikit-learn {SUPPORTED}"
    return f"the release of {_LIBRARIES.get(name, name)} that docs/estimators.md names"


_LIBRARIES: Final = {
    "category_encoders": "category-encoders",
    "feature_engine": "feature-engine",
    "imblearn": "imbalanced-learn",
    "sklearn": "scikit-learn",
}
