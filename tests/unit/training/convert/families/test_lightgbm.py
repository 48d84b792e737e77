"""LightGBM's models equal the library's, for each booster, link and kind of missing values."""

import re
from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import StackingRegressor, VotingClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder, StandardScaler

from tests.support.proof import classes, mixed, numbers, prove, values
from training.errors import ConversionRefused
from training.exporter import export_job
from training.frames import kinds_of
from training.proof.conversion import Conversion

lightgbm = pytest.importorskip("lightgbm", reason="the extra lightgbm is not installed")

FITTING = {"n_estimators": 6, "min_child_samples": 5, "n_jobs": 1, "verbose": -1}


def classifier(**parameters: Any) -> Any:
    return lightgbm.LGBMClassifier(**FITTING | parameters)


def regressor(**parameters: Any) -> Any:
    return lightgbm.LGBMRegressor(**FITTING | parameters)


BAGGED: dict[str, Any] = {"subsample": 0.7, "subsample_freq": 1}
CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "boosted": classifier,
    "balanced, few leaves": lambda: classifier(class_weight="balanced", num_leaves=4),
    "dropping trees": lambda: classifier(boosting_type="dart", drop_rate=0.5),
    "forest": lambda: classifier(boosting_type="rf", **BAGGED),
    "of gradients": lambda: classifier(data_sample_strategy="goss"),
    "one tree, of one leaf": lambda: classifier(n_estimators=1, min_child_samples=200),
    "where 0 is missing": lambda: classifier(zero_as_missing=True),
    "where nothing is missing": lambda: classifier(use_missing=False),
}


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_equals_lightgbm(name: str, count: int) -> None:
    frame = numbers(missing=True)

    prove(CLASSIFIERS[name]().fit(frame, classes(count)), frame)


@pytest.mark.parametrize("zero_as_missing", [False, True])
def test_what_is_nearly_0_is_0(zero_as_missing: bool) -> None:
    frame = pd.DataFrame({"x": np.tile([-1.0, -1e-36, 0.0, 1e-36, 1.0], 60)})
    fitted = regressor(zero_as_missing=zero_as_missing, min_data_in_bin=1).fit(
        frame, frame["x"] + (frame["x"] == 0)
    )
    edges = [sign * edge for edge in (1e-35, float(np.float32(1e-35)), 2e-35) for sign in (1, -1)]
    tried = pd.DataFrame({"x": np.resize(edges, len(frame))}).astype("float64")

    prove(fitted, pd.concat([frame, tried], ignore_index=True))


@pytest.mark.parametrize("objective", ["binary", "multiclassova"])
def test_the_slope_of_a_sigmoid_is_kept(objective: str) -> None:
    frame = numbers()
    fitted = classifier(objective=objective, sigmoid=1.23456789)

    prove(fitted.fit(frame, classes(2 if objective == "binary" else 3)), frame)


def test_a_multiclass_loss_on_two_classes_equals_lightgbm() -> None:
    frame = numbers()

    prove(classifier(objective="multiclass", num_class=2).fit(frame, classes(2)), frame, full=True)


def test_fitting_that_stopped_early_ends_at_the_best_iteration() -> None:
    frame, labels = numbers(), classes(2)
    stop = lightgbm.early_stopping(2, verbose=False)
    fitted = classifier(n_estimators=90, learning_rate=0.6)
    # Since 4.7 it warns of a list of pairs.
    other = {"eval_X": frame[150:], "eval_y": labels[150:]}
    pairs = {"eval_set": [(frame[150:], labels[150:])]}
    held_out = other if "eval_X" in signature(fitted.fit).parameters else pairs
    fitted.fit(frame[:150], labels[:150], callbacks=[stop], **held_out)

    prove(fitted, frame)

    assert 0 < fitted.best_iteration_ < 90


def test_names_with_blanks_which_lightgbm_underlines_are_found() -> None:
    frame = numbers().rename(columns={"grid": "mean grid", "tiny": "tiny é (x)"})
    fitted = GridSearchCV(regressor(), {"num_leaves": [4]}, cv=2).fit(frame, values())

    job = export_job(fitted, frame[frame.columns[::-1]].assign(other=1))

    assert [*job.kinds] == [*frame]


def test_behind_a_scaler_ties_are_decided_as_lightgbm_does() -> None:
    frame = numbers().drop(columns="tiny")

    prove(make_pipeline(StandardScaler(), classifier()).fit(frame, classes(3)), frame)


@pytest.mark.parametrize(
    "objective",
    [
        *("regression", "regression_l1", "huber", "fair", "quantile", "mape"),
        *("poisson", "gamma", "tweedie"),
    ],
)
def test_regression_equals_lightgbm(objective: str) -> None:
    frame = numbers(missing=True)

    prove(regressor(objective=objective).fit(frame, values()), frame)


@pytest.mark.parametrize("objective", ["regression", "poisson"])
def test_a_forest_averages_before_the_link(objective: str) -> None:
    frame = numbers(missing=True)
    fitted = regressor(objective=objective, boosting_type="rf", **BAGGED)

    prove(fitted.fit(frame, values()), frame)


@pytest.mark.parametrize("objective", ["regression", "regression_l1"])
def test_regression_of_roots_equals_lightgbm(objective: str) -> None:
    frame = numbers()

    prove(regressor(objective=objective, reg_sqrt=True).fit(frame, values() - 5), frame)


def test_regression_of_shares_equals_lightgbm() -> None:
    frame, target = numbers(), values()

    prove(regressor(objective="cross_entropy").fit(frame, target / target.max()), frame)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("shift", [0, 0.5, -3])
def test_categories_are_whole_and_the_rest_goes_right(shift: float, missing: bool) -> None:
    codes = numbers()["whole"] + shift
    frame = pd.DataFrame({"code": codes.where(codes != 4) if missing else codes})
    fitted = regressor(min_data_per_group=5, cat_smooth=1)

    prove(fitted.fit(frame, np.sin(codes), categorical_feature=[0]), frame)


def test_more_categories_than_a_machine_word_has_bits_equal_lightgbm() -> None:
    codes = np.random.default_rng(5).integers(0, 300, 900).astype(float)
    frame = pd.DataFrame({"code": codes, "x": numbers(rows=900)["grid"]})
    fitted = regressor(min_data_per_group=2, cat_smooth=1, max_cat_threshold=100)

    prove(fitted.fit(frame, np.sin(codes), categorical_feature=[0]), frame)


@pytest.mark.parametrize("unknown", [-1, np.nan])
def test_strings_are_categories_behind_an_encoder(unknown: float) -> None:
    frame = mixed()
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=unknown)
    columns = make_column_transformer((encoder, ["colour", "plan"]), remainder="passthrough")
    pipeline = Pipeline([("columns", columns), ("model", classifier(min_data_per_group=5))])

    prove(pipeline.fit(frame, classes(3), model__categorical_feature=[0, 1]), frame)


def test_inside_other_estimators_it_is_converted_too() -> None:
    frame = numbers()

    prove(VotingClassifier([("a", classifier())], voting="soft").fit(frame, classes(3)), frame)
    prove(CalibratedClassifierCV(classifier(), cv=2).fit(frame, classes(2)), frame)
    prove(StackingRegressor([("a", regressor())], cv=2).fit(frame, values()), frame)


def squared(target: Any, found: Any) -> tuple[Any, Any]:
    return found - target, np.ones_like(target)


@pytest.mark.parametrize("objective", [squared, "cross_entropy_lambda", "binary", "fair sqrt"])
def test_regression_with_another_objective_equals_lightgbm(objective: Any) -> None:
    frame, target = numbers(missing=True), values() / values().max()
    more = {"objective": objective} if objective != "fair sqrt" else {"objective": "fair"}
    fitted = regressor(**more, reg_sqrt=objective == "fair sqrt")

    prove(fitted.fit(frame, classes(2) if objective == "binary" else target), frame)


LINEAR: dict[str, Any] = {
    "boosted": {},
    "dropping trees": {"boosting_type": "dart", "drop_rate": 0.5},
    "forest": {"boosting_type": "rf", **BAGGED},
    "beside categories": {"min_data_per_group": 5},
    "of positive values": {"objective": "poisson"},
    "of many trees": {"n_estimators": 700, "num_leaves": 2},
}


@pytest.mark.parametrize("name", LINEAR)
def test_linear_leaves_equal_lightgbm(name: str) -> None:
    frame = numbers(missing=True)
    if name == "beside categories":
        frame["whole"] = frame["whole"].astype("category")
    fitted = regressor(linear_tree=True, **LINEAR[name]).fit(frame, values())

    report = prove(fitted, frame, rounds=True)

    assert report.max_difference < 1e-12
    assert re.search(r"leaf_coeff=\s*-?\d", fitted.booster_.model_to_string())


@pytest.mark.parametrize("count", [2, 3])
def test_a_classifier_of_linear_leaves_equals_lightgbm(count: int) -> None:
    frame = numbers(missing=True)

    prove(classifier(linear_tree=True).fit(frame, classes(count)), frame, rounds=True)


def test_linear_leaves_behind_a_logarithm_do_not_read_what_is_infinite_elsewhere() -> None:
    frame = numbers(missing=True)[["skewed", "whole", "constant"]]
    logarithm = FunctionTransformer(np.log1p)

    prove(make_pipeline(logarithm, regressor(linear_tree=True)).fit(frame, values()), frame)


def test_a_classifier_of_shares_equals_lightgbm() -> None:
    frame = numbers(missing=True)

    prove(classifier(objective="cross_entropy").fit(frame, classes(2)), frame)


def test_a_ranker_answers_with_its_scores() -> None:
    frame = numbers(missing=True)
    ranker = lightgbm.LGBMRanker(**FITTING)

    prove(ranker.fit(frame, classes(2), group=[100, 200]), frame)


def test_what_users_pass_on_to_fitting_does_not_matter() -> None:
    frame = numbers()

    prove(classifier(histogram_pool_size=99, feature_contri=[1] * 6).fit(frame, classes(2)), frame)


@pytest.mark.parametrize(
    ("fitted", "reason"),
    [
        (lambda: regressor(pred_early_stop=True), r"pred_early_stop=True"),
        (lambda: classifier(objective=squared), r"'of its own'.* lightgbm.LGBMRegressor"),
        (lambda: regressor(objective="multiclass", num_class=2), r"'multiclass .* LGBMClassifier"),
    ],
)
def test_what_has_no_exact_conversion_is_refused(fitted: Callable[[], Any], reason: str) -> None:
    frame = numbers()

    with pytest.raises(ConversionRefused, match=reason):
        prove(fitted().fit(frame, classes(2)), frame)


COLOURS, WHOLE = mixed()["colour"], numbers()["whole"]
ORDER = ["nan", "never", "red", "", "blue", "green"]
DTYPES: dict[str, "pd.Series[Any]"] = {
    "strings": COLOURS.astype("category"),
    "strings, of which no row has one": COLOURS.astype(pd.CategoricalDtype(ORDER)),
    "strings in an order": COLOURS.astype(pd.CategoricalDtype(ORDER, ordered=True)),
    "integers": WHOLE.where(WHOLE != 4).astype("Int64").astype("category"),
    "numbers": (WHOLE / 8).astype("category"),
    "truths": (WHOLE > 5).astype("category"),
}
SMALL = {"min_data_per_group": 5, "cat_smooth": 1}


def dtyped(column: "pd.Series[Any]") -> tuple[pd.DataFrame, "pd.Series[float]"]:
    """Make a frame with a column of the category dtype, and a target that depends on it."""
    frame = numbers(missing=True)[["grid"]].assign(column=column)
    return frame, numbers()["grid"] + 2 * np.sin(2.0 * column.cat.codes)


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("what", DTYPES)
def test_a_classifier_of_the_category_dtype_equals_lightgbm(what: str, count: int) -> None:
    frame, target = dtyped(DTYPES[what])
    fitted = classifier(**SMALL).fit(frame, pd.qcut(target, count, labels=False))

    prove(fitted, frame)

    assert fitted.feature_importances_[1] > 0


@pytest.mark.parametrize("what", DTYPES)
def test_regression_of_the_category_dtype_equals_lightgbm(what: str) -> None:
    frame, target = dtyped(DTYPES[what])

    prove(regressor(**SMALL).fit(frame, target), frame)


def test_an_unseen_category_is_accepted_and_one_that_only_the_dtype_has_is_known() -> None:
    frame, target = dtyped(DTYPES["strings, of which no row has one"])
    fitted = regressor(**SMALL).fit(frame, target)

    _, signature = Conversion(fitted, frame, kinds_of(frame)).convert()

    assert signature.features[1].accepts_unseen
    assert set(signature.features[1].vocabulary) == set(ORDER)


def test_the_category_dtype_that_other_steps_let_through_equals_lightgbm() -> None:
    frame = mixed().astype({"colour": "category", "plan": "category", "whole": "category"})
    columns = make_column_transformer((StandardScaler(), ["skewed"]), remainder="passthrough")
    columns.set_output(transform="pandas")

    prove(make_pipeline(columns, classifier(**SMALL)).fit(frame, classes(3)), frame)


def test_ordered_categories_of_numbers_convert_where_nothing_else_is_there() -> None:
    frame = numbers()[["whole"]].astype(pd.CategoricalDtype([*range(11, -1, -1)], ordered=True))

    prove(regressor().fit(frame, values()), frame)


def test_ordered_categories_of_numbers_among_other_columns_are_refused() -> None:
    dtype = pd.CategoricalDtype([*range(12)], ordered=True)
    frame = numbers()[["grid", "whole"]].astype({"whole": dtype})

    with pytest.raises(ConversionRefused, match="numbers that LightGBM puts in order"):
        prove(regressor().fit(frame, values()), frame)


def test_a_feature_that_was_a_number_and_then_a_category_is_refused() -> None:
    frame = numbers()[["whole"]]
    first = regressor().fit(frame, values())
    fitted = regressor(min_data_per_group=5).fit(
        frame, values(), init_model=first, categorical_feature=[0]
    )

    with pytest.raises(ConversionRefused, match="in two ways"):
        prove(fitted, frame)
