"""What holds for the text of a body holds in every dialect: marks, charsets, duplicate members."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from sklambda.predictor import Predictor
from tests.conftest import Trained
from tests.support.invocations import client_of
from tests.support.tensors import tensors
from training.frames import client_rows, kinds_of

JSON = "application/json"
LINES = "application/jsonlines"
DOORS = {
    "predict": ("/predict", JSON),
    "mlflow": ("/invocations", JSON),
    "lines": ("/invocations", LINES),
    "csv": ("/endpoints/churn/invocations", "text/csv"),
    "oip": ("/v2/models/churn/infer", JSON),
}
JSON_DOORS = [name for name in DOORS if name != "csv"]

type Post = Callable[[str, str], Any]


@pytest.fixture(scope="module")
def client(churn: Trained) -> Iterator[TestClient]:
    with client_of(Predictor.open(churn.package)) as client:
        yield client


@pytest.fixture(scope="module")
def bodies(churn: Trained) -> dict[str, str]:
    """A body of three rows for each door."""
    frame = churn.frame.dropna().head(3)
    rows = client_rows(frame, kinds_of(frame))
    signature = Predictor.open(churn.package).package.signature
    return {
        "predict": json.dumps({"instances": rows}),
        "mlflow": json.dumps({"dataframe_records": rows}),
        "lines": "\n".join(map(json.dumps, rows)),
        "csv": frame.to_csv(index=False),
        "oip": json.dumps({"inputs": tensors(signature, frame), "outputs": [{"name": "label"}]}),
    }


def post(client: TestClient, door: str, content: bytes, parameters: str = "") -> Any:
    path, media_type = DOORS[door]
    headers = {"content-type": media_type + parameters}
    return client.post(path, content=content, headers=headers)


def scored(response: Any) -> Any:
    """Return a response without ids."""
    assert response.status_code == 200, response.text
    body = response.json()
    for prediction in body["predictions"] if "model" in body else ():
        del prediction["prediction_id"]
    return body


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("parameters", ["", ';charset="UTF-8"', "; Charset=utf8"])
def test_a_byte_order_mark_changes_nothing(
    client: TestClient, bodies: dict[str, str], door: str, parameters: str
) -> None:
    plain = post(client, door, bodies[door].encode())

    marked = post(client, door, bodies[door].encode("utf-8-sig"), parameters)

    assert scored(marked) == scored(plain)


@pytest.mark.parametrize("door", JSON_DOORS)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_another_encoding_of_unicode_is_refused_by_name(
    client: TestClient, bodies: dict[str, str], door: str, encoding: str
) -> None:
    response = post(client, door, bodies[door].encode(encoding))

    assert response.status_code == 400
    assert response.json()["detail"].endswith("expected UTF-8, got UTF-16 or UTF-32.")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_csv_in_another_encoding_of_unicode_is_known_by_its_mark(
    client: TestClient, bodies: dict[str, str], encoding: str
) -> None:
    expected = post(client, "csv", bodies["csv"].encode()).json()

    response = post(client, "csv", bodies["csv"].encode(encoding))

    assert response.json()["predictions"] == expected["predictions"]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("charset", ["latin-1", "utf-16", "windows-1252", "nonsense"])
def test_a_charset_other_than_utf_8_is_refused(
    client: TestClient, bodies: dict[str, str], door: str, charset: str
) -> None:
    response = post(client, door, bodies[door].encode(), f"; charset={charset}")

    assert response.status_code == 415
    assert response.json()["detail"] == "The charset of Content-Type must be utf-8."


@pytest.mark.parametrize("door", JSON_DOORS)
def test_a_duplicate_member_is_refused(
    client: TestClient, bodies: dict[str, str], door: str
) -> None:
    name = '"shape"' if door == "oip" else '"tenure"'
    body = bodies[door]
    place = body.rindex(name)
    end = body.index(",", place)

    response = post(client, door, f"{body[:end]}, {body[place:end]}{body[end:]}".encode())

    assert response.status_code == 422
    [error] = response.json()["errors"]
    assert error["code"] == "doubled"
    assert error["pointer"].endswith(name.strip('"'))
