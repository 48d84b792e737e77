"""Bodies on their way through Lambda and through a server: compressed, and within the limits."""

import base64
import gzip
import json
import zlib
from io import StringIO
from typing import Any

import pandas as pd
import pytest
from starlette.testclient import TestClient

from functions.predict.app.api import Application, create_app
from functions.predict.app.gateway import Gateway
from functions.predict.app.results import payload_bytes, to_result
from functions.predict.http import payload
from functions.predict.http.exchange import Limits
from functions.predict.http.problems import ProblemRaised
from functions.predict.http.response import Response
from functions.predict.model import ServedModel
from functions.predict.registry import Registry
from functions.predict.service import Service
from sklambda.predictor import Predictor
from sklambda.telemetry import Log
from tests.conftest import REPOSITORY, Trained
from tests.support.tensors import INFER, LENGTH, app_of, as_bytes, binary, tensors
from training.frames import client_rows, kinds_of

type Json = dict[str, Any]
type Case = tuple[str, bytes, dict[str, str]]

ROWS = 40
MANY = 40_000
LAMBDA = 6_291_556


@pytest.fixture(scope="module")
def app(churn: Trained) -> Application:
    return app_of(churn.package)


@pytest.fixture(scope="module")
def rows(churn: Trained) -> list[Json]:
    frame = churn.frame.head(ROWS)
    return client_rows(frame, kinds_of(frame))


def case(name: str, churn: Trained, rows: list[Json]) -> Case:
    """Return path, body and headers of a request in one of the dialects."""
    if name == "native":
        return "/predict", json.dumps({"instances": rows}).encode(), {}
    if name == "MLflow":
        return "/invocations", json.dumps({"dataframe_records": rows}).encode(), {}
    if name == "CSV":
        content = pd.DataFrame(rows).to_csv(index=False).encode()
        return "/invocations", content, {"content-type": "text/csv"}
    signature = Predictor.open(churn.package).package.signature
    found = tensors(signature, churn.frame.dropna().head(ROWS))
    if name == "OIP":
        return INFER, json.dumps({"inputs": found}).encode(), {}
    pairs = [as_bytes(one) for one in found]
    document = {
        "inputs": [tensor for tensor, _ in pairs],
        "parameters": {"binary_data_output": True},
    }
    return INFER, *binary(document, [content for _, content in pairs])


CASES = ["native", "MLflow", "CSV", "OIP", "OIP in binary"]


def through_lambda(
    app: Application, path: str, body: bytes, headers: dict[str, str]
) -> tuple[int, bytes, dict[str, str]]:
    """Send a request as API Gateway does that takes all media types for binary."""
    event = json.loads((REPOSITORY / "events/predict.json").read_text())
    event |= {
        "path": path,
        "pathParameters": {"proxy": path[1:]},
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }
    answer = Gateway(app)(event, None)
    content: str = answer["body"]
    decoded = base64.b64decode(content) if answer["isBase64Encoded"] else content.encode()
    return answer["statusCode"], decoded, answer["headers"]


def through_a_server(
    app: Application, path: str, body: bytes, headers: dict[str, str]
) -> tuple[int, bytes, dict[str, str]]:
    with TestClient(app).stream(
        "POST", path, content=body, headers={"accept-encoding": "identity"} | headers
    ) as response:
        return response.status_code, b"".join(response.iter_raw()), dict(response.headers)


DOORS = [through_lambda, through_a_server]


def without_ids(content: bytes, headers: dict[str, str]) -> object:
    length = headers.get(LENGTH.lower())
    document = json.loads(content if length is None else content[: int(length)])
    for prediction in document["predictions"] if "model" in document else ():
        del prediction["prediction_id"]
    for output in document.get("outputs", ()):
        if output["name"] == "prediction_id":
            output.clear()
    return document


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", CASES)
def test_a_compressed_request_has_the_answer_of_a_plain_one(
    app: Application, churn: Trained, rows: list[Json], name: str, door: Any
) -> None:
    path, body, headers = case(name, churn, rows)

    status, plain, sent = door(app, path, body, headers)

    assert status == 200, plain
    for coding, pack in (("gzip", gzip.compress), ("deflate", zlib.compress)):
        packed = headers | {"content-encoding": coding}
        status, content, received = door(app, path, pack(body), packed)
        assert status == 200, content
        assert without_ids(content, received) == without_ids(plain, sent)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", ["native", "OIP", "OIP in binary"])
def test_a_long_answer_is_compressed_where_it_is_accepted(
    app: Application, churn: Trained, rows: list[Json], name: str, door: Any
) -> None:
    path, body, headers = case(name, churn, rows)
    _, plain, sent = door(app, path, body, headers)

    status, content, received = door(app, path, body, headers | {"accept-encoding": "gzip, br"})

    assert (status, received["content-encoding"]) == (200, "gzip")
    assert "Accept-Encoding" in received["vary"]
    assert int(received["content-length"]) == len(content) < len(plain)
    assert without_ids(gzip.decompress(content), received) == without_ids(plain, sent)


@pytest.mark.parametrize("door", DOORS)
def test_a_short_answer_stays_as_it_is(
    app: Application, churn: Trained, rows: list[Json], door: Any
) -> None:
    path, body, headers = case("native", churn, rows[:1])

    status, _, received = door(app, path, body, headers | {"accept-encoding": "gzip"})

    assert status == 200
    assert "content-encoding" not in received


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", CASES)
def test_another_coding_is_unsupported_in_all_dialects(
    app: Application, churn: Trained, rows: list[Json], name: str, door: Any
) -> None:
    path, body, headers = case(name, churn, rows)

    status, content, received = door(app, path, body, headers | {"content-encoding": "br"})

    assert (status, received["accept-encoding"]) == (415, "gzip, deflate")
    assert json.loads(content)["type"] == "urn:sklambda:problem:unsupported-encoding"


@pytest.mark.parametrize("door", DOORS)
def test_what_unpacks_to_more_than_the_limit_is_too_long(app: Application, door: Any) -> None:
    bomb = gzip.compress(bytes(50_000_000))

    status, content, _ = door(app, "/predict", bomb, {"content-encoding": "gzip"})

    assert (status, json.loads(content)["limit"]) == (413, 200_000)


@pytest.fixture(scope="module")
def roomy(churn: Trained) -> Application:
    """An application whose limits are far above Lambda's."""
    registry = Registry(Service(ServedModel(Predictor.open(churn.package))))
    return create_app(registry, Limits(MANY, 10**9), Log("test sizes", "INFO", StringIO()))


def direct(app: Application, instances: list[Json]) -> Any:
    return Gateway(app)({"instances": instances}, None)


def test_an_answer_above_lambdas_limit_says_how_many_rows_fit(
    roomy: Application, rows: list[Json]
) -> None:
    many = rows * (MANY // ROWS)
    event = json.loads((REPOSITORY / "events/predict.json").read_text())

    def ask(count: int, **headers: str) -> Json:
        lists = event["multiValueHeaders"] | {name: [value] for name, value in headers.items()}
        body = json.dumps({"instances": many[:count]})
        answer: Json = Gateway(roomy)(event | {"body": body, "multiValueHeaders": lists}, None)
        return answer

    refused = ask(MANY)
    problem = json.loads(refused["body"])
    fitting = ask(problem["fitting_rows"])
    packed = ask(MANY, **{"Accept-Encoding": "gzip"})

    assert refused["statusCode"] == 413
    assert problem["type"] == "urn:sklambda:problem:response-too-large"
    assert (problem["rows"], problem["limit"]) == (MANY, LAMBDA)
    assert str(problem["fitting_rows"]) in problem["detail"]
    assert fitting["statusCode"] == packed["statusCode"] == 200
    assert 0.85 * LAMBDA < len(json.dumps(fitting, ensure_ascii=False).encode()) <= LAMBDA
    assert direct(roomy, many)["status"] == 413


def test_a_server_has_no_limit_of_lambdas(roomy: Application, rows: list[Json]) -> None:
    body = json.dumps({"instances": rows * (MANY // ROWS)}).encode()

    status, content, _ = through_a_server(roomy, "/predict", body, {})

    assert status == 200
    assert len(content) > LAMBDA


@pytest.mark.parametrize(
    "response",
    [
        Response(bytes(4_800_000), "application/octet-stream"),
        Response(b'"' * 3_200_000),
        Response(b"\0" * 1_100_000, "text/csv"),
        Response("é".encode() * 3_200_000, "text/html"),
    ],
)
def test_a_response_is_counted_as_lambda_writes_it(response: Response) -> None:
    with pytest.raises(ProblemRaised) as raised:
        payload.require_fit(response, payload_bytes, "")

    written = len(json.dumps(to_result(response), ensure_ascii=False).encode())
    assert written > LAMBDA
    assert 0 <= raised.value.members["bytes"] - written < 5000
