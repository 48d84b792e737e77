"""Values are Shapley's: those of the definition, which scores every coalition of features."""

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge, SGDClassifier
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    OneHotEncoder,
    PolynomialFeatures,
    PowerTransformer,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sklambda.explain.explainer import Explanation
from sklambda.signature import UNSEEN
from tests.support.explaining import Explained, explained
from tests.support.proof import classes, mixed, numbers, values

ROWS = (0, 7, 31)


def few(kind: Any, **arguments: Any) -> Any:
    """Make an ensemble of few trees."""
    return kind(n_estimators=8, random_state=0, **arguments)


def histogram(kind: Any = HistGradientBoostingClassifier, **arguments: Any) -> Any:
    return kind(max_iter=8, random_state=0, **arguments)


def scaled(estimator: Any) -> Pipeline:
    return make_pipeline(StandardScaler(), estimator)


def require_shapley(found: Explained) -> list[Explanation]:
    """Compare some rows with the definition; returns the explanations of the last."""
    for row in found.rows[list(ROWS)]:
        expected = found.expected(row)
        scale = np.maximum(1, np.abs(expected).max())
        np.testing.assert_allclose(found.found(row), expected, rtol=0, atol=1e-9 * scale)
    return found.explainer.explain(row[None])


BINARY = {
    "logistic": (scaled(LogisticRegression()), "linear", "log-odds"),
    "components": (make_pipeline(StandardScaler(), PCA(3), LogisticRegression()), "linear", None),
    "margin": (scaled(LinearSVC(random_state=0)), "linear", "decision"),
    "splines": (
        make_pipeline(
            SplineTransformer(3),
            LogisticRegression(),
        ),
        "linear",
        "log-odds",
    ),
    "tree": (DecisionTreeClassifier(random_state=0), "trees", "probability"),
    "forest": (few(RandomForestClassifier), "trees", "probability"),
    "shallow forest": (few(RandomForestClassifier, max_depth=4), "trees", "probability"),
    "folded steps": (
        make_pipeline(PowerTransformer(), few(RandomForestClassifier, max_depth=4)),
        "trees",
        "probability",
    ),
    "extra trees": (few(ExtraTreesClassifier), "trees", "probability"),
    "bagged trees": (few(BaggingClassifier, max_features=3), "trees", "probability"),
    "voting trees": (
        VotingClassifier(
            [("one", DecisionTreeClassifier(max_depth=3)), ("many", few(RandomForestClassifier))],
            voting="soft",
            weights=[1, 2],
        ),
        "trees",
        "probability",
    ),
    "boosting": (few(GradientBoostingClassifier), "trees", "log-odds"),
    "exponential": (few(GradientBoostingClassifier, loss="exponential"), "trees", "log-odds"),
    "histogram": (histogram(), "trees", "log-odds"),
    "search": (
        GridSearchCV(scaled(LogisticRegression()), {"logisticregression__C": [0.1, 1.0]}),
        "linear",
        "log-odds",
    ),
    "threshold": (FixedThresholdClassifier(histogram(), threshold=0.3), "trees", "log-odds"),
    "neighbours": (scaled(KNeighborsClassifier()), "kernel", "probability"),
    "network": (scaled(MLPClassifier(max_iter=50, tol=1.0)), "kernel", "probability"),
    "kernel machine": (scaled(SVC()), "kernel", "decision"),
    "bayes": (GaussianNB(), "kernel", "probability"),
    "calibrated": (CalibratedClassifierCV(scaled(LinearSVC()), cv=2), "kernel", "probability"),
    "products": (
        make_pipeline(StandardScaler(), PolynomialFeatures(2), LogisticRegression(max_iter=999)),
        "kernel",
        "probability",
    ),
    "forest of components": (
        make_pipeline(StandardScaler(), PCA(3), few(RandomForestClassifier)),
        "kernel",
        "probability",
    ),
}


@pytest.mark.parametrize(("estimator", "method", "scale"), BINARY.values(), ids=BINARY)
def test_two_classes(estimator: Any, method: str, scale: str | None) -> None:
    frame = numbers()

    [explanation] = require_shapley(explained(clone(estimator).fit(frame, classes(2)), frame))

    assert explanation.method == method
    assert explanation.scale == (scale or "log-odds")
    assert explanation.answer == 1


SEVERAL = {
    "logistic": (scaled(LogisticRegression()), "margin"),
    "one against the rest": (scaled(SGDClassifier(random_state=0)), "decision"),
    "tree": (DecisionTreeClassifier(max_depth=4, random_state=0), "probability"),
    "forest": (few(RandomForestClassifier), "probability"),
    "sure forest": (few(ExtraTreesClassifier, bootstrap=False), "probability"),
    "boosting": (few(GradientBoostingClassifier), "margin"),
    "adaptive": (few(AdaBoostClassifier), "margin"),
    "histogram": (histogram(), "margin"),
}


@pytest.mark.parametrize(("estimator", "scale"), SEVERAL.values(), ids=SEVERAL)
def test_several_classes(estimator: Any, scale: str) -> None:
    frame = numbers()

    [explanation] = require_shapley(explained(clone(estimator).fit(frame, classes(3)), frame))

    assert explanation.method != "kernel"
    assert explanation.scale == scale


REGRESSION = {
    "ridge": (scaled(Ridge()), "value"),
    "poisson": (scaled(PoissonRegressor()), "logarithm"),
    "tree": (DecisionTreeRegressor(random_state=0), "value"),
    "forest": (few(RandomForestRegressor), "value"),
    "extra trees": (few(ExtraTreesRegressor), "value"),
    "boosting": (few(GradientBoostingRegressor), "value"),
    "histogram": (histogram(HistGradientBoostingRegressor), "value"),
    "gamma": (histogram(HistGradientBoostingRegressor, loss="gamma"), "logarithm"),
    "logarithm": (
        TransformedTargetRegressor(
            histogram(HistGradientBoostingRegressor), func=np.log, inverse_func=np.exp
        ),
        "logarithm",
    ),
    "line and trees": (
        VotingRegressor([("line", scaled(Ridge())), ("trees", few(RandomForestRegressor))]),
        "value",
    ),
    "stacked lines": (StackingRegressor([("line", scaled(Ridge()))], Ridge()), "value"),
}


@pytest.mark.parametrize(("estimator", "scale"), REGRESSION.values(), ids=REGRESSION)
def test_values(estimator: Any, scale: str) -> None:
    frame = numbers()

    [explanation] = require_shapley(explained(clone(estimator).fit(frame, values()), frame))

    assert explanation.method != "kernel"
    assert explanation.scale == scale


@pytest.mark.parametrize("estimator", [histogram(), few(RandomForestClassifier)])
def test_missing_values(estimator: Any) -> None:
    frame = numbers(missing=True)
    found = explained(clone(estimator).fit(frame, classes(2)), frame)
    gaps = found.rows[np.isnan(found.rows).any(axis=1)][0]

    np.testing.assert_allclose(found.found(gaps), found.expected(gaps), rtol=0, atol=1e-9)
    assert require_shapley(found)[0].method == "trees"


def encoded(estimator: Any) -> Pipeline:
    filled = make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
    )
    counted = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    columns = [("numbers", counted, ["grid", "skewed", "whole"]), ("text", filled, ["colour"])]
    return make_pipeline(ColumnTransformer(columns), estimator)


@pytest.mark.parametrize("estimator", [LogisticRegression(), few(RandomForestClassifier)])
def test_all_columns_of_a_category_are_one_feature(estimator: Any) -> None:
    frame = mixed()[["grid", "skewed", "whole", "colour"]]

    [explanation] = require_shapley(explained(encoded(estimator).fit(frame, classes(2)), frame))

    assert explanation.method != "kernel"
    assert [*explanation.contributions] == [*frame.columns]


def test_native_categories_and_target_encodings() -> None:
    frame = mixed(missing=True).astype({"colour": "category", "plan": "category"})
    native = histogram(categorical_features="from_dtype").fit(frame, classes(2))
    plain = mixed(missing=False)[["grid", "colour", "plan"]]
    columns = [("means", TargetEncoder(), ["colour", "plan"])]
    means = ColumnTransformer(columns, remainder="passthrough")
    target = make_pipeline(means, histogram()).fit(plain, classes(2))

    for estimator, data in ((native, frame), (target, plain)):
        [explanation] = require_shapley(explained(estimator, data))
        assert explanation.method == "trees"


@pytest.mark.parametrize("native", [True, False])
def test_categories_that_were_never_seen(native: bool) -> None:
    frame = mixed()[["grid", "skewed", "whole", "colour"]]
    if native:
        frame = frame.astype({"colour": "category"})
        model = histogram(categorical_features="from_dtype")
    else:
        model = encoded(few(RandomForestClassifier))
    found = explained(model.fit(frame, classes(2)), frame)
    row = found.rows[0].copy()
    row[-1] = UNSEEN

    np.testing.assert_allclose(found.found(row), found.expected(row), rtol=0, atol=1e-9)
    assert found.explainer.explain(row[None])[0].method == "trees"


def test_the_words_of_a_text_are_one_feature() -> None:
    said = np.array(["good and cheap", "bad", "good", "dear and bad", "cheap"], dtype=object)
    frame = numbers()[["grid", "whole"]].assign(said=said[np.arange(300) % 5])
    columns = [("words", TfidfVectorizer(), "said"), ("numbers", StandardScaler(), ["grid"])]
    model = make_pipeline(ColumnTransformer(columns), LogisticRegression())

    [explanation] = require_shapley(explained(model.fit(frame, classes(2)), frame))

    assert explanation.contributions["said"] != 0
    assert explanation.contributions["whole"] == 0


def test_several_outputs_are_explained_each() -> None:
    frame = numbers()
    several = MultiOutputRegressor(histogram(HistGradientBoostingRegressor))

    found = require_shapley(explained(several.fit(frame, values(2)), frame))

    assert [each.answer for each in found] == ["value_0", "value_1"]


def test_a_frozen_model_is_explained_as_what_it_holds() -> None:
    frame = numbers()
    model = histogram().fit(frame, classes(2))

    plain, frozen = (explained(each, frame) for each in (model, FrozenEstimator(model)))

    assert frozen.explainer.explain(plain.rows[:1]) == plain.explainer.explain(plain.rows[:1])


def test_what_other_libraries_sum_in_float64_is_exact() -> None:
    lightgbm = pytest.importorskip("lightgbm")
    frame = numbers()
    model = lightgbm.LGBMClassifier(n_estimators=8, verbose=-1).fit(frame, classes(2))

    [explanation] = require_shapley(explained(model, frame))

    assert (explanation.method, explanation.scale) == ("trees", "log-odds")
