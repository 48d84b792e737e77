"""Dates and times count as the numbers that scikit-learn takes them for."""

from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MinMaxScaler,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)

from sklambda.codec.codec import Codec
from sklambda.datetimes import Unit
from tests.support.proof import ROWS, classes, prove
from training.errors import DataError, ParityFailed
from training.frames import kinds_of
from training.proof.conversion import Conversion

UNITS = get_args(Unit.__value__)
STEPS: dict[str, Callable[[], Any]] = {
    "standard": StandardScaler,
    "range": MinMaxScaler,
    "robust": RobustScaler,
    "filled": lambda: make_pipeline(SimpleImputer(), StandardScaler()),
    "bins": lambda: KBinsDiscretizer(4, encode="ordinal"),
}


def dated(unit: str = "us") -> pd.DataFrame:
    generator = np.random.default_rng(26)
    nanoseconds = generator.integers(0, 3 * 10**16, ROWS) + 1_700_000_000_123_456_789
    when = pd.Series(nanoseconds.view("datetime64[ns]").astype(f"datetime64[{unit}]"))
    return pd.DataFrame({"when": when, "amount": generator.normal(size=ROWS)})


def pipeline(step: Any, model: Any) -> Any:
    columns = ColumnTransformer([("when", step, ["when"]), ("rest", "passthrough", ["amount"])])
    return make_pipeline(columns, model)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("name", STEPS)
def test_scaled_moments_equal_scikit_learns(name: str, unit: str) -> None:
    frame = dated(unit)
    trees = HistGradientBoostingClassifier(max_iter=3, random_state=0)

    fitted = pipeline(STEPS[name](), trees).fit(frame, classes(2))
    prove(fitted, frame, full=unit == next(iter(UNITS)))


@pytest.mark.parametrize("unit", UNITS)
def test_moments_alone_equal_scikit_learns(unit: str) -> None:
    frame = dated(unit)[["when"]]

    prove(HistGradientBoostingClassifier(max_iter=3).fit(frame, classes(3)), frame)


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
def test_moments_in_a_forest_equal_scikit_learns(unit: str) -> None:
    frame = dated(unit)[["when"]]

    prove(RandomForestClassifier(3, random_state=0).fit(frame, classes(3)), frame)


def test_nanoseconds_in_a_forest_are_stopped_by_the_gate() -> None:
    # scikit-learn rounds the int64 to float32 at once, and a client's moment is a float64 between.
    frame = dated("ns")[["when"]]
    forest = RandomForestClassifier(3, random_state=0).fit(frame, classes(3))

    with pytest.raises(ParityFailed, match="when at a boundary"):
        prove(forest, frame, full=True)


@pytest.mark.parametrize("unit", UNITS)
def test_the_signature_tells_the_unit_and_writes_moments_as_clients_do(unit: str) -> None:
    frame = dated(unit)
    fitted = pipeline(StandardScaler(), LogisticRegression()).fit(frame, classes(2))

    _, signature = Conversion(fitted, frame, kinds_of(frame)).convert()

    when = signature.features[0]
    counts = frame["when"].astype("int64").astype("float64")
    first, last = np.datetime_as_string(np.sort(frame["when"].to_numpy())[[0, -1]])
    assert (when.kind, when.unit, when.nullable) == ("datetime", unit, False)
    assert when.range == (first, last)
    assert when.span == (counts.min(), counts.max())
    assert Codec(signature).encode([signature.example])[0, 0] in counts.tolist()


def test_a_column_with_a_zone_is_refused_by_name() -> None:
    frame = dated().assign(when=lambda frame: frame["when"].dt.tz_localize("UTC"))

    with pytest.raises(DataError, match="column 'when' has a time zone: before fitting, remove it"):
        kinds_of(frame)


def test_a_column_that_misses_dates_is_refused_by_name() -> None:
    frame = dated()
    frame.loc[3, "when"] = pd.NaT

    with pytest.raises(DataError, match="column 'when' has missing dates"):
        kinds_of(frame)


def test_dates_as_objects_are_refused_by_name() -> None:
    frame = dated().assign(when=lambda frame: frame["when"].dt.date)

    with pytest.raises(DataError, match="column 'when' has dates as objects: before fitting"):
        kinds_of(frame)


def test_moments_as_categories_are_stopped_by_the_gate() -> None:
    frame = dated("s")
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    fitted = pipeline(ordinal, LogisticRegression()).fit(frame, classes(2))

    with pytest.raises(ParityFailed, match=r"^columntransformer > when: "):
        prove(fitted, frame, full=True)


def test_a_model_that_cannot_score_moments_is_refused() -> None:
    frame = dated()[["when"]]
    fitted = LogisticRegression().fit(frame, classes(2))

    with pytest.raises(DataError, match="cannot score the frame"):
        prove(fitted, frame, full=True)
