"""Boosters of the libraries' own interfaces: the answer is what their `predict` gives."""

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.support.proof import classes, mixed, numbers, prove, values
from training.convert.families.native_boosters import NativeBooster, adopted
from training.exporter import export_job

lightgbm = pytest.importorskip("lightgbm", reason="the extra lightgbm is not installed")
xgboost = pytest.importorskip("xgboost", reason="the extra xgboost is not installed")

LIGHTGBM = {"num_leaves": 7, "min_data_in_leaf": 5, "num_threads": 1, "verbose": -1}
XGBOOST = {"max_depth": 4, "nthread": 1, "verbosity": 0}


def target_of(objective: str) -> Any:
    if objective.startswith("multi"):
        return np.unique(classes(3), return_inverse=True)[1]
    return classes(2) if "binary" in objective else values()


def more(objective: str) -> dict[str, Any]:
    several = {"num_class": 3} if objective.startswith("multi") else {}
    return {"objective": objective, **several}


def grown(frame: pd.DataFrame, objective: str, rounds: int = 6, **parameters: Any) -> Any:
    data = lightgbm.Dataset(frame, target_of(objective))
    return lightgbm.train(LIGHTGBM | more(objective) | parameters, data, rounds)


def boosted(frame: pd.DataFrame, objective: str, rounds: int = 6, **parameters: Any) -> Any:
    data = xgboost.DMatrix(frame, target_of(objective), enable_categorical=True)
    return xgboost.train(XGBOOST | more(objective) | parameters, data, rounds)


@pytest.mark.parametrize("objective", ["binary", "multiclass", "multiclassova", "poisson"])
def test_a_booster_of_lightgbm_answers_with_what_it_predicts(objective: str) -> None:
    frame = numbers(missing=True)
    booster = grown(frame, objective)

    prove(adopted(booster), frame)

    np.testing.assert_array_equal(adopted(booster).predict(frame), booster.predict(frame))


@pytest.mark.parametrize("objective", ["binary:logistic", "multi:softprob", "multi:softmax"])
def test_a_booster_of_xgboost_answers_with_what_it_predicts(objective: str) -> None:
    frame = numbers(missing=True)
    booster = boosted(frame, objective)

    report = prove(adopted(booster), frame)

    assert report.max_difference == 0
    found = adopted(booster).predict(frame)
    np.testing.assert_array_equal(found, booster.predict(xgboost.DMatrix(frame)))


@pytest.mark.parametrize("make", [grown, boosted])
def test_categories_of_the_category_dtype_are_known_to_a_booster(make: Any) -> None:
    frame = mixed().astype({"colour": "category", "plan": "category"})
    objective = "binary" if make is grown else "binary:logistic"

    prove(adopted(make(frame, objective)), frame)


def test_trees_after_the_best_iteration_count_for_xgboost_and_not_for_lightgbm() -> None:
    frame, labels = numbers(), classes(2)
    parts = [(frame[:150], labels[:150]), (frame[150:], labels[150:])]
    first, second = (xgboost.DMatrix(*part) for part in parts)
    of_xgboost = xgboost.train(
        XGBOOST | {"objective": "binary:logistic", "eta": 0.9},
        first,
        60,
        evals=[(second, "later")],
        early_stopping_rounds=3,
        verbose_eval=False,
    )
    of_lightgbm = lightgbm.train(
        LIGHTGBM | {"objective": "binary", "learning_rate": 0.9},
        lightgbm.Dataset(*parts[0]),
        60,
        valid_sets=[lightgbm.Dataset(*parts[1])],
        callbacks=[lightgbm.early_stopping(3, verbose=False)],
    )

    prove(adopted(of_xgboost), frame)
    prove(adopted(of_lightgbm), frame)

    assert of_xgboost.best_iteration + 1 < of_xgboost.num_boosted_rounds()
    assert 0 < of_lightgbm.best_iteration < 60


@pytest.mark.parametrize("make", [grown, boosted])
def test_the_names_are_those_of_training_or_the_frames(make: Any) -> None:
    frame = numbers().rename(columns={"grid": "mean grid"})
    objective = "binary" if make is grown else "binary:logistic"
    job = export_job(make(frame, objective), frame[frame.columns[::-1]].assign(other=1))
    nameless = export_job(make(frame.to_numpy(dtype=float), objective), frame)

    assert isinstance(job.pipeline, NativeBooster)
    assert [*job.kinds] == [*frame]
    assert [*nameless.kinds] == [*frame]


def test_a_booster_reaches_another_process() -> None:
    frame = numbers()
    booster = adopted(boosted(frame, "binary:logistic"))

    copied = pickle.loads(pickle.dumps(booster))

    np.testing.assert_array_equal(copied.predict(frame), booster.predict(frame))
