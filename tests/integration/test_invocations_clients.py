"""``/invocations`` asked by the clients that people have: boto3, MLflow's own, curl."""

import csv
import json
import math
import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pandas as pd
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.conftest import REPOSITORY, Trained
from tests.support.numeric_model import train_numeric
from tests.support.served import served

MLFLOW = REPOSITORY / ".venv-clients/bin/python3.13"
SCRIPT = Path(__file__).with_name("mlflow_client.py")
JSON_LINES = "application/jsonlines"
NPY = "application/x-npy"
ROWS = 500


@pytest.fixture(scope="module")
def port(churn: Trained, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with served(churn.package, tmp_path_factory.mktemp("server") / "log") as port:
        yield port


@pytest.fixture
def frame(churn: Trained) -> pd.DataFrame:
    frame = churn.frame.head(ROWS)
    charges = frame["TotalCharges"].to_numpy(copy=True)
    charges[:5] = [math.nan, 1.5, 20, 300.25, 0.1]
    return frame.assign(TotalCharges=charges)


@pytest.fixture
def rows(frame: pd.DataFrame, tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture
def sagemaker(port: int) -> Any:
    return client_of(port)


def client_of(port: int) -> Any:
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="eu-central-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


def test_boto3_sends_csv_and_gets_csv(
    sagemaker: Any, churn: Trained, frame: pd.DataFrame, rows: Path
) -> None:
    answer = sagemaker.invoke_endpoint(
        EndpointName="churn",
        ContentType="text/csv",
        Accept="text/csv",
        CustomAttributes="method=predict_proba",
        Body=rows.read_bytes(),
    )

    lines = csv.reader(answer["Body"].read().decode().splitlines())
    expected = churn.pipeline.predict_proba(frame)
    assert answer["ContentType"].startswith("text/csv")
    assert len(answer["InvokedProductionVariant"]) == 64
    assert [list(map(float, line)) for line in lines] == [
        pytest.approx(row, abs=1e-9) for row in expected.tolist()
    ]


def test_boto3_sends_json_lines_and_gets_json_lines(
    sagemaker: Any, churn: Trained, frame: pd.DataFrame
) -> None:
    answer = sagemaker.invoke_endpoint(
        EndpointName="churn",
        ContentType=JSON_LINES,
        Accept=JSON_LINES,
        Body=frame.to_json(orient="records", lines=True),
    )

    labels = [json.loads(line) for line in answer["Body"].read().splitlines()]
    assert labels == churn.pipeline.predict(frame).tolist()


def test_boto3_sends_an_array_and_gets_an_array(tmp_path: Path) -> None:
    numeric = train_numeric(tmp_path / "package", ROWS)
    body = BytesIO()
    np.save(body, numeric.frame.astype(float).to_numpy())

    with served(numeric.package, tmp_path / "log") as port:
        answer = client_of(port).invoke_endpoint(
            EndpointName="numeric",
            ContentType=NPY,
            Accept=NPY,
            CustomAttributes="method=predict_proba",
            TargetVariant="champion",
            InferenceId="order-17",
            Body=body.getvalue(),
        )

    found = np.load(BytesIO(answer["Body"].read()))
    assert answer["ContentType"] == NPY
    assert np.abs(found - numeric.pipeline.predict_proba(numeric.frame)).max() <= 1e-9
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-request-id"] == "order-17"


def test_boto3_shows_why_a_request_was_refused(sagemaker: Any) -> None:
    with pytest.raises(
        ClientError, match="The request body is invalid: /0 must have 19 values"
    ) as raised:
        sagemaker.invoke_endpoint(EndpointName="churn", ContentType="text/csv", Body=b"1,2\n")

    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 422
    with pytest.raises(ClientError, match="Unknown model: must be churn"):
        sagemaker.invoke_endpoint(EndpointName="other", ContentType="text/csv", Body=b"1,2\n")


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_the_client_of_mlflow_gets_what_scikit_learn_gives(
    port: int, churn: Trained, frame: pd.DataFrame, rows: Path, method: str, tmp_path: Path
) -> None:
    if not MLFLOW.exists():
        pytest.skip(".venv-clients is not made: run `make tools`")

    run = subprocess.run(
        [MLFLOW, SCRIPT, str(port), rows, method],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )

    version, found = json.loads(run.stdout.splitlines()[-1])
    expected = getattr(churn.pipeline, method)(frame)
    assert version == "2.0.0"
    if method == "predict":
        assert found == [[label] for label in expected]
    else:
        assert found == [pytest.approx(row, abs=1e-9) for row in expected.tolist()]


def curl(port: int, *arguments: str) -> str:
    command = ["curl", "--silent", "--show-error", f"http://127.0.0.1:{port}/invocations"]
    run = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True)
    return run.stdout


def test_curl_sends_a_file(port: int, churn: Trained, frame: pd.DataFrame, rows: Path) -> None:
    sent = ("-H", "content-type: text/csv", "--data-binary", f"@{rows}")

    as_json = curl(port, *sent)
    as_csv = curl(port, *sent, "-H", "accept: text/csv")
    refused = curl(port, *sent, "-H", "accept: image/png", "-w", "%{http_code}")

    labels = churn.pipeline.predict(frame).tolist()
    assert json.loads(as_json) == {"predictions": labels}
    assert as_csv.splitlines() == labels
    assert refused.endswith("406")
