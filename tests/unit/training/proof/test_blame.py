"""The step that differs is named."""

from typing import Any

import numpy as np
import pytest
from sklearn.cluster import Birch, KMeans
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from tests.support.proof import classes, numbers, prove
from training.convert import convert_steps
from training.convert.graph.scope import Estimator
from training.errors import ParityFailed
from training.proof.conversion import differing_step


@pytest.mark.parametrize("cluster", [KMeans(3, random_state=0), Birch()], ids=["k-means", "birch"])
def test_a_step_that_could_predict_is_compared_by_what_it_transforms(cluster: Any) -> None:
    frame = numbers()
    pipeline = make_pipeline(StandardScaler(), cluster, LogisticRegression(max_iter=10_000))
    pipeline.fit(frame, classes(2))

    def convert(steps: Estimator) -> bytes:
        return convert_steps(steps, [None] * frame.shape[1])

    row = frame.head(1)
    step = differing_step(pipeline, convert, row, row.to_numpy(dtype=np.float64))

    assert step == "logisticregression"


def test_a_step_that_differs_in_the_last_bit_is_named_and_not_the_forest_behind_it() -> None:
    frame = numbers()[["grid", "skewed"]]
    forest = RandomForestClassifier(20, random_state=0)
    pipeline = make_pipeline(StandardScaler(), FunctionTransformer(np.sin), forest)

    with pytest.raises(ParityFailed, match=r"^functiontransformer: .*last bit.*give the trees"):
        prove(pipeline.fit(frame, classes(2)), frame, full=True)
