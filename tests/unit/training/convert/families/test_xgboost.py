"""XGBoost's models equal the library's, to the last bit of its float32."""

import platform
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from tests.support.proof import classes, mixed, numbers, prove, values
from training.errors import ConversionRefused, ParityFailed
from training.frames import kinds_of
from training.proof.conversion import Conversion

xgboost = pytest.importorskip("xgboost", reason="the extra xgboost is not installed")
pytestmark = [
    pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library's expf"),
    pytest.mark.filterwarnings("ignore:.*XGBRF.*:FutureWarning"),
]

FITTING = {"n_estimators": 8, "max_depth": 4, "n_jobs": 1, "verbosity": 0}
SOME = ["q", "q", "q", "q", "c", "q"]


def classifier(**parameters: Any) -> Any:
    return xgboost.XGBClassifier(**FITTING | parameters)


def regressor(**parameters: Any) -> Any:
    return xgboost.XGBRegressor(**FITTING | parameters)


def codes(count: int) -> Any:
    return np.unique(classes(count), return_inverse=True)[1]


CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "boosted": classifier,
    "of many trees": lambda: classifier(n_estimators=60),
    "of exact splits, pruned": lambda: classifier(tree_method="exact", gamma=1),
    "grown by loss": lambda: classifier(grow_policy="lossguide", max_leaves=9),
    "dropping trees": lambda: classifier(booster="dart", rate_drop=0.5),
    "forest": lambda: xgboost.XGBRFClassifier(**FITTING),
    "boosted forests": lambda: classifier(num_parallel_tree=3, subsample=0.5),
    "of trees without branches": lambda: classifier(gamma=1e9),
    "from a given start": lambda: classifier(base_score=0.3),
    "of a category": lambda: classifier(feature_types=SOME, max_cat_to_onehot=2),
    "of a category against the rest": lambda: classifier(feature_types=SOME, max_cat_to_onehot=99),
}


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_equals_xgboost_to_the_last_bit(name: str, count: int) -> None:
    frame = numbers(missing=True)

    report = prove(CLASSIFIERS[name]().fit(frame, codes(count)), frame)

    assert report.max_difference == 0


def test_fitting_that_stopped_early_ends_at_the_best_iteration() -> None:
    frame, labels = numbers(), codes(3)
    fitted = classifier(n_estimators=90, learning_rate=0.6, early_stopping_rounds=2)
    fitted.fit(frame[:150], labels[:150], eval_set=[(frame[150:], labels[150:])], verbose=False)

    prove(fitted, frame, full=True)

    assert 0 < fitted.best_iteration < 80


@pytest.mark.parametrize("count", [2, 3])
def test_behind_a_scaler_ties_are_decided_as_xgboost_does(count: int) -> None:
    frame = numbers().drop(columns="tiny")

    prove(make_pipeline(StandardScaler(), classifier()).fit(frame, codes(count)), frame)


@pytest.mark.parametrize(
    "objective",
    [
        *("reg:squarederror", "reg:squaredlogerror", "reg:pseudohubererror", "reg:absoluteerror"),
        *("reg:gamma", "reg:tweedie", "count:poisson"),
    ],
)
def test_regression_equals_xgboost_to_the_last_bit(objective: str) -> None:
    frame = numbers(missing=True)

    report = prove(regressor(objective=objective).fit(frame, values()), frame)

    assert report.max_difference == 0


def test_a_forest_for_regression_equals_xgboost() -> None:
    frame = numbers(missing=True)

    prove(xgboost.XGBRFRegressor(**FITTING).fit(frame, values()), frame)


def test_regression_of_shares_equals_xgboost() -> None:
    frame, target = numbers(), values()

    prove(regressor(objective="reg:logistic").fit(frame, target / target.max()), frame)


def test_regression_to_a_quantile_equals_xgboost() -> None:
    frame = numbers()
    fitted = regressor(objective="reg:quantileerror", quantile_alpha=0.3)

    prove(fitted.fit(frame, values()), frame)


def test_several_targets_with_trees_of_their_own_equal_xgboost() -> None:
    frame = numbers()

    prove(regressor().fit(frame, values(3)), frame)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("shift", [0, 0.5])
def test_a_category_out_of_range_goes_left(shift: float, missing: bool) -> None:
    places = numbers()["whole"]
    frame = pd.DataFrame({"code": (places + shift).where((places != 4) | (not missing))})
    fitted = regressor(feature_types=["c"], max_cat_to_onehot=2)

    prove(fitted.fit(frame, np.sin(places)), frame)


def test_more_categories_than_a_machine_word_has_bits_equal_xgboost() -> None:
    places = np.random.default_rng(5).integers(0, 300, 900).astype(float)
    frame = pd.DataFrame({"code": places, "x": numbers(rows=900)["grid"]})
    fitted = regressor(feature_types=["c", "q"], max_cat_threshold=200)

    prove(fitted.fit(frame, np.sin(places)), frame)


@pytest.mark.parametrize("unknown", [-1, np.nan])
def test_strings_are_categories_behind_an_encoder(unknown: float) -> None:
    frame = mixed()
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=unknown)
    columns = make_column_transformer((encoder, ["colour", "plan"]), remainder="passthrough")
    pipeline = make_pipeline(columns, classifier(feature_types=["c", "c", "q", "q", "q"]))

    prove(pipeline.fit(frame, codes(3)), frame)


def test_inside_other_estimators_it_is_converted_too() -> None:
    frame = numbers()

    prove(VotingClassifier([("a", classifier())], voting="soft").fit(frame, codes(3)), frame)
    prove(CalibratedClassifierCV(classifier(), cv=2).fit(frame, codes(2)), frame)
    prove(BaggingClassifier(classifier(), n_estimators=2).fit(frame, codes(2)), frame)


def test_what_scikit_learn_computes_in_float32_around_it_is_refused_with_a_remedy() -> None:
    frame = numbers()
    scaled = TransformedTargetRegressor(regressor(), transformer=StandardScaler())

    with pytest.raises(ParityFailed, match="LightGBM, CatBoost or HistGradientBoosting"):
        prove(scaled.fit(frame, values()), frame)


def squared(target: Any, found: Any) -> tuple[Any, Any]:
    return found - target, np.ones_like(target)


@pytest.mark.parametrize("missing", [-999, 0, 0.1, 1e7])
def test_a_number_that_means_missing_is_missing(missing: float) -> None:
    frame = numbers(missing=True)
    frame["whole"] = frame["whole"].where(frame["grid"] > 0, -999)

    prove(classifier(missing=missing).fit(frame, codes(2)), frame)


@pytest.mark.parametrize("objective", ["binary:logistic", "multi:softprob"])
@pytest.mark.filterwarnings("ignore:.*gblinear.*deprecated:UserWarning")
def test_a_linear_classifier_equals_xgboost_to_the_last_bit(objective: str) -> None:
    frame = numbers(missing=True)
    fitted = classifier(booster="gblinear", objective=objective)

    report = prove(fitted.fit(frame, codes(2 if "binary" in objective else 3)), frame)

    assert report.max_difference == 0


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.filterwarnings("ignore:.*gblinear.*deprecated:UserWarning")
def test_a_linear_regressor_equals_xgboost_to_the_last_bit(outputs: int) -> None:
    frame = numbers(missing=True)[["grid", "tiny", "whole"]]

    report = prove(regressor(booster="gblinear").fit(frame, values(outputs)), frame)

    assert report.max_difference == 0


def test_trees_of_several_targets_equal_xgboost() -> None:
    frame, grown = numbers(missing=True), {"multi_strategy": "multi_output_tree"}

    assert prove(regressor(**grown).fit(frame, values(3)), frame).max_difference == 0
    assert prove(classifier(**grown).fit(frame, codes(3)), frame).max_difference == 0


@pytest.mark.parametrize(
    ("objective", "count"),
    [("multi:softmax", 3), ("multi:softmax", 2), ("binary:logitraw", 2), ("binary:hinge", 2)],
)
def test_a_classifier_without_probabilities_answers_with_its_label(
    objective: str, count: int
) -> None:
    frame = numbers(missing=True)
    more = {"num_class": count} if "multi" in objective else {}

    prove(classifier(objective=objective, **more).fit(frame, codes(count)), frame)


@pytest.mark.parametrize("objective", ["binary:logistic", "survival:cox", squared])
def test_a_regressor_with_another_objective_equals_xgboost(objective: Any) -> None:
    frame, target = numbers(missing=True), codes(2)

    report = prove(regressor(objective=objective).fit(frame, target), frame)

    assert report.max_difference == 0


def test_quantiles_that_cross_are_put_in_order() -> None:
    frame, alphas = numbers(missing=True), [0.1, 0.5, 0.6]
    fitted = regressor(objective="reg:quantileerror", quantile_alpha=alphas, learning_rate=0.9)

    prove(fitted.fit(frame, values()), frame, full=True)


@pytest.mark.parametrize("objective", ["rank:ndcg", "rank:pairwise"])
def test_a_ranker_answers_with_its_scores(objective: str) -> None:
    frame = numbers(missing=True)
    ranker = xgboost.XGBRanker(**FITTING, objective=objective)

    prove(ranker.fit(frame, codes(2), group=[100, 200]), frame)


def test_what_users_pass_on_to_fitting_does_not_matter() -> None:
    frame = numbers()

    prove(classifier(sketch_ratio=2, refresh_leaf=True).fit(frame, codes(2)), frame)


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"device": "cuda"}, "device='cuda'"),
        ({"objective": squared}, r"objective=squared\).*xgboost.XGBRegressor"),
    ],
)
def test_what_has_no_exact_conversion_is_refused(parameters: Any, reason: str) -> None:
    frame = numbers()
    fitted = classifier().fit(frame, codes(2)).set_params(**parameters)

    with pytest.raises(ConversionRefused, match=reason):
        prove(fitted, frame)


def test_several_labels_are_refused_with_a_remedy() -> None:
    fitted = classifier().fit(numbers(), np.column_stack([codes(2), codes(3) > 0]))

    with pytest.raises(ConversionRefused, match="MultiOutputClassifier"):
        prove(fitted, numbers())


COLOURS, WHOLE = mixed()["colour"], numbers()["whole"]
ORDER = ["nan", "never", "red", "", "blue", "green"]
DTYPES: dict[str, "pd.Series[Any]"] = {
    "strings": COLOURS.replace("red", "rød").astype("category"),
    "strings, of which no row has one": COLOURS.astype(pd.CategoricalDtype(ORDER)),
    "strings in an order": COLOURS.astype(pd.CategoricalDtype(ORDER, ordered=True)),
    "integers": WHOLE.where(WHOLE != 4).astype("Int64").astype(pd.CategoricalDtype([*range(12)])),
    "negative integers in an order": (3 - WHOLE.astype("int8")).astype(
        pd.CategoricalDtype([*range(3, -9, -1)], ordered=True)
    ),
}
SETS = {"max_cat_to_onehot": 2}


def dtyped(column: "pd.Series[Any]") -> tuple[pd.DataFrame, "pd.Series[float]"]:
    """Make a frame with a column of the category dtype, and a target that depends on it."""
    frame = numbers(missing=True)[["grid"]].assign(column=column)
    return frame, numbers()["grid"] + 2 * np.sin(2.0 * column.cat.codes)


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("what", DTYPES)
def test_a_classifier_of_the_category_dtype_equals_xgboost(what: str, count: int) -> None:
    frame, target = dtyped(DTYPES[what])
    fitted = classifier(enable_categorical=True, **SETS)

    report = prove(fitted.fit(frame, pd.qcut(target, count, labels=False)), frame)

    assert report.max_difference == 0
    assert fitted.feature_importances_[1] > 0


@pytest.mark.parametrize("to_one_hot", [2, 99])
@pytest.mark.parametrize("what", DTYPES)
def test_regression_of_the_category_dtype_equals_xgboost(what: str, to_one_hot: int) -> None:
    frame, target = dtyped(DTYPES[what])
    fitted = regressor(enable_categorical=True, max_cat_to_onehot=to_one_hot)

    prove(fitted.fit(frame, target), frame)


def test_an_unseen_category_is_refused_and_one_that_only_the_dtype_has_is_known() -> None:
    frame, target = dtyped(DTYPES["strings, of which no row has one"])
    fitted = regressor(enable_categorical=True).fit(frame, target)

    _, signature = Conversion(fitted, frame, kinds_of(frame)).convert()

    assert not signature.features[1].accepts_unseen
    assert set(signature.features[1].vocabulary) == set(ORDER)


def test_an_unseen_integer_is_out_of_bounds() -> None:
    frame, target = dtyped(DTYPES["integers"])
    fitted = regressor(enable_categorical=True).fit(frame, target)

    _, signature = Conversion(fitted, frame, kinds_of(frame)).convert()

    assert (signature.features[1].least, signature.features[1].greatest) == (0, 11)


def test_the_category_dtype_that_other_steps_let_through_equals_xgboost() -> None:
    frame = mixed().astype({"colour": "category", "plan": "category", "whole": "category"})
    columns = make_column_transformer((StandardScaler(), ["skewed"]), remainder="passthrough")
    columns.set_output(transform="pandas")
    fitted = make_pipeline(columns, classifier(enable_categorical=True, **SETS))

    prove(fitted.fit(frame, codes(3)), frame)


def test_categories_that_are_integers_with_gaps_are_refused() -> None:
    frame, target = dtyped((2 * WHOLE).astype("category"))

    with pytest.raises(ConversionRefused, match="integers with gaps"):
        prove(regressor(enable_categorical=True).fit(frame, target), frame)


def test_codes_of_categories_in_a_sparse_matrix_are_1_or_missing() -> None:
    frame = mixed()[["colour", "plan"]]
    pipeline = make_pipeline(OneHotEncoder(handle_unknown="ignore"), classifier())

    prove(pipeline.fit(frame, codes(2)), frame, full=True)


@pytest.mark.parametrize("passing", [None, SelectKBest(k=6)])
def test_zeros_of_a_sparse_matrix_are_missing_values_as_xgboost_takes_them(passing: Any) -> None:
    frame = mixed(missing=False)
    frame["plan"] = [f"plan {place % 23}" for place in range(len(frame))]
    encoder = OneHotEncoder(handle_unknown="ignore")
    columns = make_column_transformer((encoder, ["plan", "colour"]), remainder=SimpleImputer())
    fitted = make_pipeline(columns, passing, classifier()).fit(frame, codes(2))
    assert columns.sparse_output_

    prove(fitted, frame)
