import io

import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from tests.conftest import REPOSITORY
from training.examples.churn.pipeline import build
from training.examples.churn.sample import generate
from training.train import data
from training.train.config import load

REAL = REPOSITORY.parent / "shared/data/telco_churn.csv"
CONFIG = REPOSITORY / "training/examples/churn/train.toml"
MODELS = ["hist_gradient_boosting", "logistic_regression"]


@pytest.fixture(scope="module")
def sample() -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(data.to_csv(generate(4000, seed=7))))


@pytest.fixture(scope="module")
def real() -> pd.DataFrame:
    if not REAL.is_file():
        pytest.skip("the Telco customer churn data are not here")
    return pd.read_csv(REAL)


def test_the_same_seed_gives_the_same_rows() -> None:
    pd.testing.assert_frame_equal(generate(60, seed=3), generate(60, seed=3))
    assert not generate(60, seed=3).equals(generate(60, seed=4))


@pytest.mark.parametrize("rows", [1, 50, 333])
def test_there_are_as_many_rows_as_asked_for(rows: int) -> None:
    assert len(generate(rows, seed=1)) == rows


def test_total_charges_are_missing_in_the_first_month_alone(sample: pd.DataFrame) -> None:
    assert sample["TotalCharges"].isna().any()
    assert (sample["TotalCharges"].isna() == (sample["tenure"] == 0)).all()


def test_customers_without_internet_have_no_internet_services(sample: pd.DataFrame) -> None:
    without = sample[sample["InternetService"] == "No"]

    assert set(without["TechSupport"]) == {"No internet service"}


def test_row_ids_are_unique(sample: pd.DataFrame) -> None:
    assert sample["customerID"].is_unique


def test_the_sample_is_data_that_training_accepts(sample: pd.DataFrame) -> None:
    assert data.from_frame(sample, load(CONFIG).data).features.shape == (4000, 19)


@pytest.mark.parametrize("model", MODELS)
def test_the_example_pipeline_learns_from_the_sample(sample: pd.DataFrame, model: str) -> None:
    table = data.from_frame(sample, load(CONFIG).data)
    X, X_held_out, y, y_held_out = train_test_split(
        table.features, table.target, random_state=1, stratify=table.target
    )

    pipeline = build(model).fit(X, y)

    assert roc_auc_score(y_held_out, pipeline.predict_proba(X_held_out)[:, 1]) > 0.75


def test_a_model_that_is_not_there_is_refused_with_the_choices() -> None:
    with pytest.raises(ValueError, match=", ".join(MODELS)):
        build("random_forest")


def test_the_columns_are_those_of_the_real_data(sample: pd.DataFrame, real: pd.DataFrame) -> None:
    pd.testing.assert_series_equal(sample.dtypes, real.dtypes)


def test_the_categories_are_those_of_the_real_data(
    sample: pd.DataFrame, real: pd.DataFrame
) -> None:
    texts: list[str] = [*real.select_dtypes(["object", "string"]).columns.drop("customerID")]

    assert {name: set(sample[name]) for name in texts} == {name: set(real[name]) for name in texts}


def test_no_real_customer_is_in_the_sample(sample: pd.DataFrame, real: pd.DataFrame) -> None:
    assert not set(sample["customerID"]) & set(real["customerID"])


def test_as_many_leave_as_in_the_real_data(sample: pd.DataFrame, real: pd.DataFrame) -> None:
    left, really_left = (frame["Churn"].eq("Yes").mean() for frame in (sample, real))

    assert left == pytest.approx(really_left, abs=0.05)
