"""Selected columns are scikit-learn's."""

from collections.abc import Callable
from typing import Any

import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_selection import (
    RFE,
    RFECV,
    GenericUnivariateSelect,
    SelectFdr,
    SelectFpr,
    SelectFromModel,
    SelectFwe,
    SelectKBest,
    SelectPercentile,
    SequentialFeatureSelector,
    VarianceThreshold,
    f_classif,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from tests.support.proof import classes, numbers, prove
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion

MODELS: dict[str, Callable[[], Any]] = {
    "linear": lambda: LogisticRegression(solver="newton-cholesky"),
    "trees": lambda: HistGradientBoostingClassifier(max_iter=5, random_state=0),
}
SELECTORS: dict[str, Callable[[], Any]] = {
    "variance": lambda: VarianceThreshold(0.1),
    "best": lambda: SelectKBest(k=2),
    "share": lambda: SelectPercentile(percentile=50),
    "false positives": lambda: SelectFpr(alpha=0.2),
    "false discoveries": lambda: SelectFdr(alpha=0.2),
    "family of errors": lambda: SelectFwe(alpha=0.2),
    "generic": lambda: GenericUnivariateSelect(f_classif, mode="k_best", param=3),
    "from a model": lambda: SelectFromModel(MODELS["linear"](), threshold="median"),
    "recursive": lambda: RFE(MODELS["linear"](), n_features_to_select=2),
    "recursive, validated": lambda: RFECV(MODELS["linear"](), cv=3),
    "sequential": lambda: SequentialFeatureSelector(
        MODELS["linear"](), n_features_to_select=2, cv=2
    ),
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", SELECTORS)
def test_selected_columns_equal_scikit_learn(name: str, model: str) -> None:
    frame = numbers().drop(columns=["large", "constant"])

    prove(make_pipeline(SELECTORS[name](), MODELS[model]()).fit(frame, classes(2)), frame)


@pytest.mark.parametrize("name", ["recursive", "recursive, validated"])
def test_a_recursive_selector_predicts_by_the_model_it_kept(name: str) -> None:
    frame = numbers().drop(columns=["large", "constant"])

    prove(make_pipeline(SELECTORS[name]()).fit(frame, classes(3)), frame)


def test_what_is_missing_passes_a_selector() -> None:
    frame = numbers(missing=True)

    fitted = make_pipeline(VarianceThreshold(), MODELS["trees"]()).fit(frame, classes(3))
    prove(fitted, frame, full=True)


@pytest.mark.filterwarnings("ignore:No features were selected")  # said by scikit-learn on purpose
def test_a_selector_that_leaves_nothing_is_refused() -> None:
    frame = numbers()[["grid", "tiny"]]
    selector = make_pipeline(SelectFwe(alpha=0.0)).fit(frame, classes(2))

    with pytest.raises(ConversionRefused, match=r"^selectfwe: SelectFwe selects no column"):
        Conversion(selector, frame, kinds_of(frame)).convert()
