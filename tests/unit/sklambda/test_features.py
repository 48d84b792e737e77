"""The ready-made transformers compute what their names say, and convert exactly."""

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from sklambda import features
from sklambda.features import (
    Cast,
    Clip,
    Cosine,
    DateParts,
    DaysSince,
    Difference,
    LogShifted,
    Product,
    Ratio,
    Select,
    Sine,
    Split,
)
from tests.support.proof import prove

ROWS = 80
GENERATOR = np.random.default_rng(3)
FRAME = pd.DataFrame(
    {
        "a": GENERATOR.normal(size=ROWS).round(2),
        "b": GENERATOR.integers(0, 5, ROWS),
        "c": GENERATOR.lognormal(1, 1, ROWS).round(2),
        "when": pd.date_range("2023-12-30 21:00", periods=ROWS, freq="7h"),
        "code": GENERATOR.choice(["n/7/b", "s/8", "w"], ROWS),
    }
)
LABELS = FRAME["a"] + FRAME["b"] > 2

CASES: dict[str, tuple[Any, list[str]]] = {
    "ratio": (Ratio(where_zero=-1.0), ["c", "b"]),
    "difference": (Difference(), ["c", "b"]),
    "product": (Product(), ["a", "b", "c"]),
    "logarithm": (LogShifted(0.5), ["b", "c"]),
    "sine": (Sine(5), ["b"]),
    "cosine": (Cosine(5), ["b", "a"]),
    "parts of dates": (DateParts(("year", "month", "day", "weekday", "hour")), ["when"]),
    "days": (DaysSince("2020-02-29"), ["when"]),
    "whole": (Cast("integer"), ["a", "c"]),
    "selected": (Select(["c", "a"]), ["a", "b", "c"]),
    "clipped": (Clip(-0.5, 2.0), ["a", "c"]),
    "split": (make_pipeline(Split("/", 3), OneHotEncoder(handle_unknown="ignore")), ["code"]),
}


@pytest.mark.parametrize("name", CASES)
def test_a_feature_converts_exactly(name: str) -> None:
    step, columns = CASES[name]
    model = LogisticRegression(max_iter=500)
    fitted = make_pipeline(ColumnTransformer([("made", step, columns)]), model)

    prove(fitted.fit(FRAME, LABELS), FRAME)


@pytest.mark.parametrize("name", ["ratio", "product", "parts of dates", "days", "whole"])
def test_a_feature_before_trees_converts_exactly(name: str) -> None:
    step, columns = CASES[name]
    forest = RandomForestClassifier(3, random_state=0)
    fitted = make_pipeline(ColumnTransformer([("made", step, columns)]), forest)

    prove(fitted.fit(FRAME, LABELS), FRAME)


@pytest.mark.parametrize(
    ("step", "columns", "row", "expected"),
    [
        (Ratio(), ["c", "b"], [6.0, 4.0], [1.5]),
        (Ratio(where_zero=-1.0), ["c", "b"], [6.0, 0.0], [-1.0]),
        (Difference(), ["c", "b"], [6.0, 4.0], [2.0]),
        (Product(), ["a", "b", "c"], [2.0, 3.0, 4.0], [24.0]),
        (LogShifted(1.0), ["c"], [np.e - 1], [1.0]),
        (Sine(24), ["b"], [6.0], [1.0]),
        (Cosine(24), ["b"], [12.0], [-1.0]),
        (Cast(), ["a"], [-1.9], [-1.0]),
        (Cast("float"), ["a"], [-1.9], [-1.9]),
        (Clip(0.0), ["a"], [-3.0], [0.0]),
    ],
)
def test_a_feature_is_what_its_name_says_of_frames_and_arrays(
    step: Any, columns: list[str], row: list[float], expected: list[float]
) -> None:
    values = np.array([row])
    frame = pd.DataFrame(values, columns=columns)

    for X in (frame, values):
        made = clone(step).fit(X).transform(X)
        np.testing.assert_allclose(made, [expected], rtol=1e-15)


def test_dates_and_texts_are_taken_apart() -> None:
    frame = pd.DataFrame({"when": pd.to_datetime(["2024-02-29 13:45"]), "code": ["n/7"]})

    dates = frame[["when"]]
    parts = DateParts(("year", "month", "day", "weekday", "dayofyear", "hour", "minute"))
    assert parts.fit_transform(dates).tolist() == [[2024, 2, 29, 3, 60, 13, 45]]
    assert DaysSince("2024-02-27").fit_transform(dates).tolist() == [[2]]
    assert Split("/", 3).fit_transform(frame[["code"]]).to_numpy().tolist() == [["n", "7", ""]]


def test_names_of_columns_come_out() -> None:
    names = [
        clone(step).fit(FRAME[columns]).get_feature_names_out().tolist()
        for step, columns in CASES.values()
        if hasattr(step, "_names")
    ]

    assert names[:2] == [["c/b"], ["c-b"]]
    assert names[3] == ["b", "c"]
    assert ["when.year", "when.month", "when.day", "when.weekday", "when.hour"] in names


@pytest.mark.parametrize(
    ("step", "columns", "sentence"),
    [
        (Ratio(), ["a"], "Ratio takes 2 columns, got 1"),
        (Product(), ["a"], "Product takes at least 2 columns, got 1"),
        (Sine(0), ["a"], "period must be above 0, got 0"),
        (DateParts(("year", "century")), ["when"], "got 'century'"),  # type: ignore[arg-type]
        (Cast("text"), ["a"], "to must be 'integer' or 'float', got 'text'"),  # type: ignore[arg-type]
        (Select(["z"]), ["a"], "Select names an unknown column 'z'"),
        (Clip(2.0, 1.0), ["a"], "least must not exceed greatest"),
    ],
)
def test_wrong_columns_and_parameters_are_refused(
    step: Any, columns: list[str], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        step.fit(FRAME[columns])


def test_each_is_public_and_can_be_pickled() -> None:
    steps = [getattr(features, name) for name in features.__all__]

    assert len(steps) == 12
    assert all(pickle.loads(pickle.dumps(step)) is step for step in steps)
    assert all(step.__doc__ for step in steps)
