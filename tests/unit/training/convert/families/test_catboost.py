"""CatBoost's models equal the library's: each shape of trees, each link, numbers and categories."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import VotingClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tests.support.explaining import explained
from tests.support.proof import classes, mixed, numbers, prove, values
from training.errors import ConversionRefused
from training.exporter import export_job
from training.frames import kinds_of
from training.proof.conversion import Conversion

catboost = pytest.importorskip("catboost", reason="the extra catboost is not installed")

FITTING = {
    "iterations": 6,
    "depth": 4,
    "thread_count": 1,
    "verbose": 0,
    "allow_writing_files": False,
}


def classifier(**parameters: Any) -> Any:
    return catboost.CatBoostClassifier(**FITTING | parameters)


def regressor(**parameters: Any) -> Any:
    return catboost.CatBoostRegressor(**FITTING | parameters)


CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "of levels": classifier,
    "grown by depth": lambda: classifier(grow_policy="Depthwise"),
    "grown by loss, missing last": lambda: classifier(grow_policy="Lossguide", nan_mode="Max"),
    "balanced, with another start": lambda: classifier(auto_class_weights="Balanced"),
}


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_equals_catboost(name: str, count: int) -> None:
    frame = numbers(missing=True)

    report = prove(CLASSIFIERS[name]().fit(frame, classes(count)), frame)

    assert report.max_difference < 1e-15


@pytest.mark.parametrize(
    ("loss", "count"), [("CrossEntropy", 2), ("MultiClassOneVsAll", 3), ("MultiClass", 2)]
)
def test_another_loss_equals_catboost(loss: str, count: int) -> None:
    frame = numbers(missing=True)

    prove(classifier(loss_function=loss).fit(frame, classes(count)), frame)


@pytest.mark.parametrize(
    "loss",
    [
        *("RMSE", "MAE", "Quantile:alpha=0.3", "Huber:delta=1", "MAPE", "LogLinQuantile"),
        *("Poisson", "Tweedie:variance_power=1.5", "RMSEWithUncertainty"),
        "MultiQuantile:alpha=0.1,0.9",
    ],
)
def test_regression_equals_catboost(loss: str) -> None:
    frame = numbers(missing=True)

    prove(regressor(loss_function=loss).fit(frame, values()), frame)


def test_several_targets_equal_catboost() -> None:
    frame = numbers()

    prove(regressor(loss_function="MultiRMSE").fit(frame, values(3)), frame)


def test_a_ranker_and_a_model_without_a_task_answer_with_raw_scores() -> None:
    frame = numbers()
    ranker = catboost.CatBoostRanker(**FITTING, loss_function="QueryRMSE")
    untold = catboost.CatBoost(FITTING | {"loss_function": "Logloss"})

    prove(ranker.fit(frame, values(), group_id=np.arange(len(frame)) // 10), frame)
    prove(untold.fit(frame, classes(2)), frame)


def test_a_scale_and_a_bias_of_the_users_are_kept() -> None:
    frame = numbers()
    fitted = regressor().fit(frame, values())
    fitted.set_scale_and_bias(2.5, -3.0)

    prove(fitted, frame)


def test_fitting_that_stopped_early_ends_at_the_best_iteration() -> None:
    frame, labels = numbers(), classes(2)
    fitted = classifier(iterations=90, learning_rate=0.9, early_stopping_rounds=3)
    fitted.fit(frame[:150], labels[:150], eval_set=(frame[150:], labels[150:]))

    prove(fitted, frame)

    assert 0 < fitted.tree_count_ < 80


def dtyped() -> tuple[pd.DataFrame, Any]:
    """Make categories of all sorts beside numbers, and labels that depend on them."""
    frame = mixed(missing=False).rename(columns={"whole": "place"})
    frame["size"] = pd.Categorical(frame["plan"].map({"a": "small", "b": "großartig"}))
    frame["high"] = frame["skewed"] > 1
    labels = (frame["colour"] == "nan") ^ (frame["place"] % 3 == 1) ^ frame["high"]
    return frame, labels ^ (frame["size"] == "small")


@pytest.mark.parametrize("grow_policy", ["SymmetricTree", "Lossguide"])
def test_a_category_against_the_rest_equals_catboost(grow_policy: str) -> None:
    frame, labels = dtyped()
    named = ["colour", "plan", "place", "size", "high"]
    fitted = classifier(cat_features=named, one_hot_max_size=20, grow_policy=grow_policy)
    fitted.set_params(iterations=20)

    prove(fitted.fit(frame, labels), frame)

    assert (fitted.feature_importances_[2:] > 0).all()


def test_an_unseen_category_is_accepted_and_a_missing_one_is_not() -> None:
    frame, labels = dtyped()
    fitted = classifier(cat_features=["colour", "plan", "size"], one_hot_max_size=20)

    _, signature = Conversion(fitted.fit(frame, labels), frame, kinds_of(frame)).convert()

    assert signature.features[3].name == "colour"
    assert signature.features[3].accepts_unseen
    assert not signature.features[3].nullable
    assert signature.features[0].nullable


def test_inside_other_estimators_it_is_converted_too() -> None:
    frame, labels = mixed(), classes(2)
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    steps = make_column_transformer((encoder, ["colour", "plan"]), remainder=StandardScaler())

    prove(make_pipeline(steps, classifier()).fit(frame, labels), frame)
    voting = VotingClassifier([("a", classifier()), ("b", classifier(depth=2))], voting="soft")
    prove(voting.fit(numbers(), labels), numbers())
    several = MultiOutputClassifier(classifier())
    prove(several.fit(numbers(), np.column_stack([labels, labels[::-1]])), numbers())


def test_its_scores_have_exact_shapley_values() -> None:
    found = explained(classifier().fit(numbers(), classes(2)), numbers())

    assert found.explainer.explain(found.rows[:1])[0].method == "trees"


def test_columns_in_another_order_are_put_into_that_of_fitting() -> None:
    frame = numbers()
    fitted = classifier().fit(frame, classes(2))

    job = export_job(fitted, frame[frame.columns[::-1]].assign(other=1))

    assert [*job.kinds] == [*frame]


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"cat_features": ["colour"]}, r"one_hot_max_size=2\).* greater one_hot_max_size"),
        ({"text_features": ["colour"]}, "TfidfVectorizer"),
    ],
)
def test_what_has_no_exact_conversion_is_refused_with_a_remedy(
    parameters: Any, reason: str
) -> None:
    frame, labels = dtyped()
    words = frame["colour"].map({"nan": "not a colour", "": "colour of nothing"}).fillna("a colour")
    tried = frame[["grid", "place"]].assign(colour=words)
    fitted = classifier(**parameters).fit(tried, labels)

    with pytest.raises(ConversionRefused, match=reason):
        prove(fitted, tried)


def test_a_probability_threshold_of_its_own_is_refused_with_a_remedy() -> None:
    fitted = classifier().fit(numbers(), classes(2))
    fitted.set_probability_threshold(0.3)

    with pytest.raises(ConversionRefused, match="FixedThresholdClassifier"):
        prove(fitted, numbers())
