"""A boundary is the last value that goes left, to the last bit."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklambda.signature import Kind
from training.convert import convert
from training.proof.adversary import neighbours
from training.proof.boundaries import boundaries

ROWS = 500
GENERATOR = np.random.default_rng(1)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {"grid": GENERATOR.integers(-50, 50, ROWS) / 10, "large": GENERATOR.normal(1e9, 1e7, ROWS)}
    )


@pytest.fixture(scope="module")
def pipeline(frame: pd.DataFrame) -> Pipeline:
    target = (frame["grid"] > 0) ^ (frame["large"] > 1e9)
    model = HistGradientBoostingClassifier(max_iter=5, random_state=0)
    return make_pipeline(StandardScaler(), model).fit(frame, target)


def thresholds(pipeline: Pipeline, feature: int) -> np.ndarray:
    nodes = np.concatenate([predictor.nodes for (predictor,) in pipeline[-1]._predictors])
    inner = nodes[(nodes["is_leaf"] == 0) & (nodes["feature_idx"] == feature)]
    return np.unique(inner["num_threshold"])


@pytest.mark.parametrize("column", [0, 1])
def test_each_threshold_has_its_boundary_in_the_units_of_the_input(
    pipeline: Pipeline, frame: pd.DataFrame, column: int
) -> None:
    scaler, name = pipeline[0], frame.columns[column]
    found = boundaries(convert(pipeline, [None, None]).model, frame.to_numpy()[0], [column])[column]

    base = pd.concat([frame.head(1)] * len(found), ignore_index=True)
    at = scaler.transform(base.assign(**{name: found}))[:, column]
    above = scaler.transform(base.assign(**{name: np.nextafter(found, np.inf)}))[:, column]
    crossed = [((at <= t) & (above > t)).sum() for t in thresholds(pipeline, column)]

    assert len(found) > 5
    assert crossed == [1] * len(crossed)


@pytest.mark.filterwarnings("ignore:invalid value encountered in log")
@pytest.mark.filterwarnings("ignore:divide by zero encountered in log")
def test_boundaries_are_found_where_one_side_of_the_numbers_is_missing() -> None:
    logs = pd.DataFrame({"log": GENERATOR.normal(0, 2, ROWS)})
    model = HistGradientBoostingClassifier(max_iter=5, random_state=0)
    pipeline = make_pipeline(FunctionTransformer(np.log), model)
    pipeline.fit(np.exp(logs), logs["log"] > GENERATOR.normal(0, 1, ROWS))

    found = boundaries(convert(pipeline, [None]).model, np.ones(1), [0])[0]

    with np.errstate(all="ignore"):
        at, above = np.log(found), np.log(np.nextafter(found, np.inf))
    crossed = [((at <= t) & (above > t)).sum() for t in thresholds(pipeline, 0)]
    assert crossed == [1] * len(crossed)
    assert 0.0 in found


def test_a_falling_input_has_its_boundaries_too(frame: pd.DataFrame) -> None:
    target = (frame["grid"] > 0) ^ (GENERATOR.random(ROWS) < 0.1)
    scaler = StandardScaler().fit(frame[["grid"]])
    model = HistGradientBoostingClassifier(max_iter=1, max_leaf_nodes=2)
    pipeline = make_pipeline(scaler, model).fit(frame[["grid"]], target)
    rising = boundaries(convert(pipeline, [None]).model, np.zeros(1), [0])[0]
    pipeline[0].scale_ *= -1

    falling = boundaries(convert(pipeline, [None]).model, np.zeros(1), [0])[0]

    mirrored = np.sort(2 * scaler.mean_[0] - rising)
    np.testing.assert_allclose(falling, mirrored, rtol=1e-12)


def test_a_graph_without_trees_has_none(frame: pd.DataFrame) -> None:
    linear = LogisticRegression().fit(frame[["grid"]], frame["large"] > 1e9)

    assert boundaries(convert(linear, [None]).model, np.zeros(1), [0])[0].size == 0


@pytest.mark.parametrize(
    ("kind", "centre", "expected"),
    [
        ("integer", 2.5, {2, 3}),
        ("integer", 3.0, {3}),
        ("number", 1.0, {1.0, np.nextafter(1.0, 2.0), np.nextafter(1.0, 0.0)}),
        ("number", 1.0, {float(np.nextafter(np.float32(1), np.float32(2)))}),
    ],
)
def test_the_neighbours_of_a_boundary_are_tried(
    kind: Kind, centre: float, expected: set[float]
) -> None:
    assert expected <= set(neighbours(np.array([centre]), kind))
