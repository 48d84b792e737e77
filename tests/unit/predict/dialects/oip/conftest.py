"""A service of the Open Inference Protocol, and tensors for it."""

from collections.abc import Iterator

import pandas as pd
import pytest
from starlette.testclient import TestClient

from sklambda.predictor import Predictor
from tests.conftest import Trained
from tests.support.tensors import ROWS, Tensor, client_of, tensors


@pytest.fixture(scope="module")
def client(churn: Trained) -> Iterator[TestClient]:
    with client_of(churn.package) as client:
        yield client


@pytest.fixture
def frame(churn: Trained) -> pd.DataFrame:
    """Rows without a missing value, which a tensor of whole numbers cannot hold as bytes."""
    return churn.frame.dropna().head(ROWS)


@pytest.fixture
def inputs(predictor: Predictor, frame: pd.DataFrame) -> list[Tensor]:
    return tensors(predictor.package.signature, frame)
