"""A service for clients of MLflow and SageMaker, and rows for it."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from starlette.testclient import TestClient

from sklambda.predictor import Predictor
from tests.conftest import Trained
from tests.support.invocations import client_of
from training.frames import client_rows, kinds_of


@pytest.fixture(scope="module")
def client(churn: Trained) -> Iterator[TestClient]:
    with client_of(Predictor.open(churn.package)) as client:
        yield client


@pytest.fixture
def frame(churn: Trained) -> pd.DataFrame:
    return churn.frame.head(20)


@pytest.fixture
def rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return client_rows(frame, kinds_of(frame))
