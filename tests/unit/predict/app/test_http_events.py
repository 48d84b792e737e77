"""Events of HTTP: every gateway's path leads to its route, and whatever is odd gets an answer."""

import base64
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.predict.app.api import Application
from functions.predict.app.gateway import Gateway
from tests.conftest import REPOSITORY, Trained
from tests.support.tensors import app_of

type Json = dict[str, Any]
type Make = Callable[..., Json]

BODY = json.loads((REPOSITORY / "events/predict.json").read_text())["body"]
HEADERS = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def app(churn: Trained) -> Application:
    return app_of(churn.package)


@pytest.fixture(scope="module")
def gateway(app: Application) -> Gateway:
    return Gateway(app)


def read(name: str) -> Json:
    document: Json = json.loads((REPOSITORY / name).read_text())
    return document


def rest(method: str, path: str, base: str = "", resource: str = "/{proxy+}") -> Json:
    """Return the event of a REST API, behind a base path of a custom domain if there is one."""
    event = read("events/predict.json")
    is_root = path == "/"
    resource = "/" if is_root else resource
    outer = {"path": (base or "/v1") + path, "resourcePath": resource}
    context = event["requestContext"] | outer
    return event | {
        "httpMethod": method,
        "path": base + path,
        "resource": resource,
        "pathParameters": None if is_root else {"proxy": path[1:]},
        "requestContext": context,
        "body": BODY if method == "POST" else None,
    }


def http_api(method: str, path: str, stage: str = "v1", route: str = "$default") -> Json:
    """Return an event of an HTTP API with payload 2.0."""
    event = read("events/predict-http-api.json")
    raw = path if stage == "$default" else f"/{stage}{path}"
    http = event["requestContext"]["http"] | {"method": method, "path": raw}
    context = event["requestContext"] | {"stage": stage, "http": http, "routeKey": route}
    return event | {
        "rawPath": raw,
        "routeKey": route,
        "pathParameters": {"proxy": path[1:]} if "{proxy+}" in route else None,
        "rawQueryString": "",
        "queryStringParameters": None,
        "requestContext": context,
        "body": BODY if method == "POST" else None,
    }


def http_api_1(method: str, path: str, stage: str = "v1") -> Json:
    """Return an event of an HTTP API with payload 1.0."""
    event = rest(method, path)
    resource = {"version": "1.0", "resource": "$default", "pathParameters": None}
    context = event["requestContext"] | {"stage": stage, "resourcePath": "$default"}
    return event | resource | {"path": f"/{stage}{path}", "requestContext": context}


def alb(method: str, path: str, prefix: str = "") -> Json:
    body = BODY if method == "POST" else ""
    return read("events/predict-alb.json") | {
        "httpMethod": method,
        "path": prefix + path,
        "body": body,
    }


def function_url(method: str, path: str, prefix: str = "") -> Json:
    event = read("events/predict-function-url.json")
    http = event["requestContext"]["http"] | {"method": method, "path": prefix + path}
    context = event["requestContext"] | {"http": http}
    body = BODY if method == "POST" else None
    return event | {"rawPath": prefix + path, "requestContext": context, "body": body}


EVENTS: dict[str, Make] = {
    "REST": rest,
    "REST, base path": lambda m, p: rest(m, p, "/churn"),
    "REST, base path of two segments": lambda m, p: rest(m, p, "/team/churn"),
    "REST, base path named as a route": lambda m, p: rest(m, p, "/health"),
    "REST, stage in the path": lambda m, p: rest(m, p) | {"path": "/v1" + p},
    "REST, resource below another": lambda m, p: rest(m, p, "/ml", resource="/ml/{proxy+}"),
    "HTTP 2.0": lambda m, p: http_api(m, p, "$default"),
    "HTTP 2.0, stage": http_api,
    "HTTP 2.0, stage v2": lambda m, p: http_api(m, p, "v2"),
    "HTTP 2.0, greedy route": lambda m, p: http_api(m, p, "v1", "ANY /{proxy+}"),
    "HTTP 1.0, stage": http_api_1,
    "HTTP 1.0, stage v2": lambda m, p: http_api_1(m, p, "v2"),
    "function URL": function_url,
    "ALB": alb,
}
WITH_PREFIX: dict[str, Make] = {
    "ALB, prefix rule": lambda m, p: alb(m, p, "/churn"),
    "function URL, behind a distribution": lambda m, p: function_url(m, p, "/team/churn"),
    "HTTP 2.0, mapping key": lambda m, p: http_api(m, "/churn" + p, "$default"),
}
PATHS = [
    ("POST", "/predict", 200),
    ("POST", "/predict/", 200),
    ("POST", "/pre%64ict", 200),
    ("GET", "/health/live", 200),
    ("GET", "/v2/models/churn", 200),
    ("GET", "/v2/models/other", 404),
    ("GET", "/predict", 405),
    ("POST", "/nowhere", 404),
    ("POST", "/docs/predict", 404),
]


@pytest.mark.parametrize(("method", "path", "status"), PATHS)
@pytest.mark.parametrize("source", [*EVENTS, *WITH_PREFIX])
def test_the_path_leads_to_its_route(
    gateway: Gateway, source: str, method: str, path: str, status: int
) -> None:
    answer = gateway((EVENTS | WITH_PREFIX)[source](method, path), None)

    assert answer["statusCode"] == status, answer["body"]


@pytest.mark.parametrize("path", ["/", "/docs", "/docs/"])
@pytest.mark.parametrize("source", EVENTS)
def test_links_of_a_page_lead_to_the_service(gateway: Gateway, source: str, path: str) -> None:
    event = EVENTS[source]("GET", path)
    context = event["requestContext"]
    is_rest = event.get("resource", "").startswith("/")
    outer = context["path"] if is_rest else event.get("rawPath") or event["path"]

    page = gateway(event, None)["body"]

    links = re.findall(r'<a (?:data-route="\w+" )?href="([^"#]+)"', page)
    assert len(links) > 1
    root = outer.rstrip("/").removesuffix("/docs")
    found = {urljoin(f"https://example.org{outer}", link) for link in links}
    assert found <= {f"https://example.org{root}/{name}" for name in ("", *NAMES)}


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("base", ["", "/prod", "/team/churn"])
def test_the_server_of_the_document_is_its_own(gateway: Gateway, base: str, slash: str) -> None:
    event = rest("GET", f"/openapi.json{slash}", base)

    [server] = json.loads(gateway(event, None)["body"])["servers"]

    outer = f"https://example.org{event['requestContext']['path']}"
    assert urljoin(outer, server["url"]).rstrip("/") == f"https://example.org{base or '/v1'}"


NAMES = ("docs", "model", "openapi.json")


def test_a_root_without_its_slash_has_links_below_it(gateway: Gateway) -> None:
    page = gateway(rest("GET", "/", "/churn") | {"path": "/churn"}, None)["body"]
    bare = rest("GET", "/", "/churn")
    bare |= {"path": "/churn", "requestContext": bare["requestContext"] | {"path": "/churn"}}

    without = gateway(bare, None)["body"]

    assert 'href="./docs"' in page
    assert 'href="./churn/docs"' in without


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (alb("GET", "/", "/churn"), 200),
        (alb("GET", "", "/churn"), 404),
        (alb("GET", "/", "/docs/x"), 404),
        (alb("GET", "/", "/x/health/y"), 404),
        (function_url("GET", "/", "/churn"), 404),
    ],
)
def test_the_page_is_below_the_prefix_of_a_rule(gateway: Gateway, event: Json, status: int) -> None:
    assert gateway(event, None)["statusCode"] == status


def test_the_page_is_below_the_mapping_key_of_a_domain(gateway: Gateway) -> None:
    event = http_api("GET", "/churn/", "$default")
    event["requestContext"] |= {"domainName": "api.example.com"}

    answer = gateway(event, None)

    assert (answer["statusCode"], 'href="./docs"' in answer["body"]) == (200, True)


def test_a_policy_for_one_path_lets_no_other_pass(gateway: Gateway) -> None:
    event = rest("POST", "/health/predict")

    assert gateway(event, None)["statusCode"] == 404


def test_a_balancer_gets_the_headers_in_the_form_that_it_sends(gateway: Gateway) -> None:
    several = gateway(alb("POST", "/predict"), None)
    single = alb("POST", "/predict") | {"headers": HEADERS}
    del single["multiValueHeaders"]
    one = gateway(single, None)

    assert several["multiValueHeaders"]["content-type"] == ["application/json"]
    assert "headers" not in several
    assert one["headers"]["content-type"] == "application/json"
    assert several["statusDescription"] == one["statusDescription"] == "200 OK"


@pytest.mark.parametrize("name", ["events/predict-alb.json", "events/predict-http-api.json"])
def test_a_query_is_read_in_each_form(gateway: Gateway, name: str) -> None:
    event = json.loads((REPOSITORY / name).read_text())

    [prediction] = json.loads(gateway(event, None)["body"])["predictions"]

    assert prediction["explanations"]


def test_head_has_the_headers_of_get_and_no_body(gateway: Gateway) -> None:
    answer = gateway(rest("HEAD", "/health/live"), None)

    assert (answer["statusCode"], answer["body"]) == (200, "")


def test_a_header_that_is_repeated_counts_once(gateway: Gateway) -> None:
    twice = {"content-type": ["application/json"] * 2}

    answer = gateway(rest("POST", "/predict") | {"multiValueHeaders": twice}, None)

    assert answer["statusCode"] == 200


def test_a_body_that_a_console_holds_as_an_object_is_read(gateway: Gateway) -> None:
    answer = gateway(rest("POST", "/predict") | {"body": json.loads(BODY)}, None)

    assert answer["statusCode"] == 200


@pytest.mark.parametrize("body", ["###", "e30", "é"])
def test_a_body_that_is_not_the_base64_it_is_said_to_be_is_a_problem(
    gateway: Gateway, body: str
) -> None:
    answer = gateway(rest("POST", "/predict") | {"body": body, "isBase64Encoded": True}, None)

    assert json.loads(answer["body"])["type"] == "urn:sklambda:problem:not-base64"
    assert answer["statusCode"] == 400


def test_base64_is_read_wherever_it_comes_from(gateway: Gateway) -> None:
    encoded = {"body": base64.b64encode(BODY.encode()).decode(), "isBase64Encoded": True}

    statuses = {
        name: gateway(make("POST", "/predict") | encoded, None)["statusCode"]
        for name, make in EVENTS.items()
    }

    assert set(statuses.values()) == {200}


ODD: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["identity", "authorizer", "http", "proxy", "stage", "path", "a"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=6,
)
MEMBERS = [
    "headers", "multiValueHeaders", "requestContext", "body", "path", "httpMethod", "resource",
    "pathParameters", "queryStringParameters", "multiValueQueryStringParameters", "rawPath",
    "rawQueryString", "isBase64Encoded", "version", "routeKey",
]  # fmt: skip


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    source=st.sampled_from(sorted(EVENTS)),
    changes=st.dictionaries(st.sampled_from(MEMBERS), ODD, min_size=1, max_size=3),
)
def test_whatever_a_member_holds_there_is_an_answer(
    gateway: Gateway, source: str, changes: Json
) -> None:
    answer = gateway(EVENTS[source]("POST", "/predict") | changes, None)

    status = answer.get("statusCode") or answer["status"]
    assert 200 <= status < 500
    json.dumps(answer)


@pytest.mark.parametrize("value", [None, {}, [], 5, "x", "\ud800", [{"a": [5]}], {"a": {}}])
@pytest.mark.parametrize("member", MEMBERS)
def test_an_odd_member_has_an_answer(gateway: Gateway, member: str, value: object) -> None:
    event = rest("POST", "/predict") | {member: value}
    absent = {name: one for name, one in event.items() if name != member}

    answers = [gateway(one, None) for one in (event, absent)]

    assert all(200 <= (one.get("statusCode") or one["status"]) < 500 for one in answers)
