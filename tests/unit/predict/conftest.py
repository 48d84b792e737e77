"""Two models in one folder, which share no feature."""

import pytest

from tests.conftest import Trained
from tests.support.numeric_model import train_numeric
from tests.support.several_models import Several, gather


@pytest.fixture(scope="session")
def numeric(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train_numeric(tmp_path_factory.mktemp("numeric") / "numeric")


@pytest.fixture(scope="session")
def several(churn: Trained, numeric: Trained, tmp_path_factory: pytest.TempPathFactory) -> Several:
    return gather(tmp_path_factory.mktemp("models"), churn=churn, numeric=numeric)
