"""A model of a regressor's errors is fitted, converted, and read back."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import training
from functions.monitor.performance.estimated import estimate_error
from sklambda.arrays import FloatMatrix, FloatVector
from sklambda.error_model import ErrorModel
from sklambda.errors import PackageRefused
from sklambda.package import BASELINE, ERROR_MODEL, ModelPackage
from sklambda.sketch.sketch import to_json
from tests.support.packages import forge
from training.baseline.monitoring_files import FEWEST

ROWS = 4000


def houses(rows: int, seed: int, larger: float = 0.0) -> tuple[pd.DataFrame, "pd.Series[float]"]:
    """Draw houses whose prices are the less certain, the larger they are."""
    drawn = np.random.default_rng(seed)
    frame = pd.DataFrame({"size": drawn.gamma(4, 20, rows) + larger, "age": drawn.random(rows)})
    price = 3 * frame["size"] - 40 * frame["age"] + drawn.normal(size=rows) * frame["size"] / 4
    return frame, price


@pytest.fixture(scope="module")
def fitted() -> Any:
    return make_pipeline(StandardScaler(), LinearRegression()).fit(*houses(ROWS, 1))


@pytest.fixture(scope="module")
def package(fitted: Any, tmp_path_factory: pytest.TempPathFactory) -> ModelPackage:
    return training.export(
        fitted,
        houses(300, 1)[0],
        out=tmp_path_factory.mktemp("houses") / "package",
        name="houses",
        target="price",
        held_out=houses(ROWS, 2),
    )


@pytest.mark.parametrize("larger", [0.0, 60.0])
def test_the_error_of_rows_without_outcomes_is_estimated(
    package: ModelPackage, fitted: Any, larger: float
) -> None:
    model, baseline = ErrorModel.open(package), package.baseline
    assert model is not None
    assert baseline is not None
    frame, price = houses(20_000, 3, larger)

    columns = model.count(frame.to_numpy())

    known = baseline.errors["price"]
    found = estimate_error(known.reference, columns["price"], known.deviation)
    seen = np.abs(fitted.predict(frame) - price).mean()
    assert found.value == pytest.approx(seen, rel=0.05)
    assert known.rows == ROWS
    assert baseline.metrics["mean_absolute_error"].value == pytest.approx(16, rel=0.1)


def test_there_is_one_for_each_value(tmp_path: Path) -> None:
    frame, price = houses(ROWS, 1)
    both = pd.DataFrame({"price": price, "rent": price / 100})
    pipeline = LinearRegression().fit(frame, both)
    apart, later = houses(500, 2)
    outcomes = pd.DataFrame({"price": later, "rent": later / 100})

    package = training.export(
        pipeline,
        frame.head(300),
        out=tmp_path / "p",
        name="houses",
        target=["price", "rent"],
        held_out=(apart, outcomes),
    )

    model, baseline = ErrorModel.open(package), package.baseline
    assert model is not None
    assert baseline is not None
    predicted: FloatMatrix = model.predict(apart.to_numpy())
    assert list(baseline.errors) == ["price", "rent"]
    assert predicted.shape == (500, 2)
    means: FloatVector = predicted.mean(axis=0)
    assert means[0] == pytest.approx(100 * means[1], rel=0.02)
    assert {"price: bias", "rent: mean_absolute_error"} <= baseline.metrics.keys()


def test_few_rows_have_none(fitted: Any, tmp_path: Path) -> None:
    package = training.export(
        fitted,
        houses(200, 1)[0],
        out=tmp_path / "p",
        name="houses",
        held_out=houses(FEWEST - 1, 2),
    )

    assert ErrorModel.open(package) is None
    assert package.error_model is None
    assert package.baseline is not None
    assert package.baseline.errors == {}


def test_that_of_another_model_is_refused(package: ModelPackage, tmp_path: Path) -> None:
    assert package.baseline is not None
    optional = {ERROR_MODEL: package.model, BASELINE: to_json(package.baseline.replace(errors={}))}
    odd = ModelPackage.open(forge(package, tmp_path / "p", optional=optional))

    with pytest.raises(PackageRefused, match=r"error\.onnx belongs to another model"):
        ErrorModel.open(odd)
