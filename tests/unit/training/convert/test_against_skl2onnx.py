"""Why the graphs are our own: scikit-learn's standard converter differs where ours does not.

The day that these fail, the library has become exact here, and should take over.
"""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklambda.session import Session, load
from training.convert import convert
from training.frames import kinds_of
from training.proof.conversion import Conversion

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its own use of what numpy and onnx have renamed
    import skl2onnx
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

ROWS = 2000
VISIBLE = 1e-4


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "grid": np.round(generator.normal(size=ROWS), 1),
            "count": generator.integers(0, 60, ROWS).astype(float),
        }
    )


@pytest.fixture(scope="module")
def pipeline(frame: pd.DataFrame) -> Pipeline:
    model = HistGradientBoostingClassifier(max_iter=30, random_state=0)
    noise = np.random.default_rng(1).normal(size=ROWS)
    target = frame["grid"] + frame["count"] / 30 + noise > 1
    return make_pipeline(SimpleImputer(), StandardScaler(), model).fit(frame, target)


@pytest.fixture(scope="module")
def rows(pipeline: Pipeline, frame: pd.DataFrame) -> pd.DataFrame:
    """The rows at the boundaries, of which scikit-learn has an answer in each case."""
    conversion = Conversion(pipeline, frame, kinds_of(frame))
    model, signature = conversion.convert()
    cases = conversion.cases(model, signature)
    made: pd.DataFrame = conversion.reference(signature.target).frame(
        [case.row for case in cases if case.group == "boundaries"]
    )
    return made


def stock(pipeline: Pipeline, kind: Any) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = skl2onnx.convert_sklearn(
            pipeline,
            initial_types=[("X", kind([None, 2]))],
            target_opset={"": 22, "ai.onnx.ml": 3},
            options={id(pipeline): {"zipmap": False}},
        )
    content: bytes = model.SerializeToString()
    return content


def test_ours_is_exact_at_the_boundaries(pipeline: Pipeline, rows: pd.DataFrame) -> None:
    found = Session(convert(pipeline, [None, None]).model).run(rows.to_numpy())

    np.testing.assert_allclose(found, pipeline.predict_proba(rows), rtol=0, atol=1e-12)


def test_the_standard_conversion_is_visibly_wrong_at_the_boundaries(
    pipeline: Pipeline, rows: pd.DataFrame
) -> None:
    session = load(stock(pipeline, FloatTensorType))

    found = session.run(["probabilities"], {"X": rows.to_numpy(dtype=np.float32)})[0]

    wrong = np.abs(found - pipeline.predict_proba(rows)).max(axis=1) > VISIBLE
    assert wrong.mean() > 0.05, f"{wrong.mean():.1%} of the rows are wrong"


def test_the_standard_conversion_in_float64_does_not_load(pipeline: Pipeline) -> None:
    with pytest.raises(Exception, match=r"model.onnx cannot be loaded by onnxruntime"):
        load(stock(pipeline, DoubleTensorType))
