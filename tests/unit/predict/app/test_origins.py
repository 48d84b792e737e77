"""Which origins may read responses, and which request id a response has."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from functions.predict.assembly import Dependencies, assemble
from functions.predict.settings import Settings
from sklambda.telemetry import Log
from tests.conftest import Trained

ORIGIN = "https://example.org"


def client_of(package: Path, origin: str) -> TestClient:
    settings = Settings(
        model_dir=package, max_rows=5, max_bytes=10_000, log_level="INFO", cors_origin=origin
    )
    dependencies = Dependencies(
        Log("test", settings.log_level), lambda line: None, lambda: pytest.fail("no S3")
    )
    return TestClient(assemble(settings, dependencies).app)


@pytest.fixture(scope="module")
def client(churn: Trained) -> Iterator[TestClient]:
    with client_of(churn.package, ORIGIN) as client:
        yield client


@pytest.mark.parametrize("path", ["/health/live", "/nowhere"])
def test_answers_and_problems_name_the_origin(client: TestClient, path: str) -> None:
    response = client.get(path, headers={"origin": ORIGIN})

    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert response.headers["access-control-expose-headers"] == "x-request-id"


def test_no_other_origin_is_named(client: TestClient) -> None:
    response = client.get("/health/live", headers={"origin": "https://else.example"})

    assert "access-control-allow-origin" not in response.headers


def test_a_closed_service_names_none(churn: Trained) -> None:
    with client_of(churn.package, "") as closed:
        response = closed.get("/health/live", headers={"origin": ORIGIN})

    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("path", ["/health/live", "/nowhere"])
def test_answers_and_problems_have_the_requests_id(client: TestClient, path: str) -> None:
    response = client.get(path, headers={"x-request-id": "a-name"})

    assert response.headers.get_list("x-request-id") == ["a-name"]
