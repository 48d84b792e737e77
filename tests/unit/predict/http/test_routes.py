"""An address leads to a route, with a prefix too, but never past a rule in front of the service."""

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.predict.http.exchange import Request
from functions.predict.http.response import Response
from functions.predict.http.routes import Address, Found, Route, Router, by_exact_path


def first(request: Request) -> Response:
    return Response(b"first")


def second(request: Request) -> Response:
    return Response(b"second")


ROUTES = (
    Route("GET", "/", first),
    Route("POST", "/predict", first),
    Route("GET", "/docs", first),
    Route("GET", "/health", first),
    Route("GET", "/health/live", first),
    Route("GET", "/v1/models/{model}", first, path_parameters={"model": "a b"}),
    Route("POST", "/v1/models/{model}:predict", second, path_parameters={"model": "a b"}),
    Route("POST", "/v2/models/{model}/infer", second, path_parameters={"model": "a b"}),
)
ROUTER = Router(ROUTES)


def find(path: str, *inner: str, may_have_prefix: bool = True) -> Found | None:
    return ROUTER.find(Address(path, inner or (path,), may_have_prefix))


def test_a_route_stands_at_its_path_and_at_the_expected_one() -> None:
    plain = Route("GET", "/plain", first)
    named = Route("POST", "/of/{name}", second, path_parameters={"name": "a {b}"})

    found = by_exact_path([plain, named])

    assert found == {("GET", "/plain"): plain, ("POST", "/of/a {b}"): named}


def test_a_route_that_expects_nothing_of_its_path_is_not_found_by_one_look_up() -> None:
    assert by_exact_path([Route("GET", "/of/{name}", first)]) == {}


@pytest.mark.parametrize(
    "path", ["/predict", "/predict/", "//predict", "/pre%64ict", "/churn/predict", "/a/b/predict/"]
)
def test_slashes_encoding_and_a_prefix_lead_to_the_route(path: str) -> None:
    found = find(path)

    assert found is not None
    assert (list(found.methods), found.allowed) == (["POST"], "POST")


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/v2/models/a%20b/infer", "a b"),
        ("/v2/models/a b/infer", "a b"),
        ("/v2/models/other/infer", "other"),
        ("/v2/models/with%2Fslash/infer", "with/slash"),
        ("/v1/models/a%20b:predict", "a b"),
        ("/team/v2/models/a%20b/infer", "a b"),
        ("/v1/v2/models/a%20b/infer", "a b"),
    ],
)
def test_parameters_of_a_path_are_read(path: str, model: str) -> None:
    found = find(path)

    assert found is not None
    assert found.methods["POST"][1] == {"model": model}


@pytest.mark.parametrize(
    "path", ["/nowhere", "/", "/health/predict", "/docs/predict", "/a/health/predict", "/predict/x"]
)
def test_a_prefix_has_no_segment_with_which_a_path_of_the_service_begins(path: str) -> None:
    found = find(path)

    assert found is None or "POST" not in found.methods


def test_an_address_without_a_prefix_is_taken_as_it_is() -> None:
    assert find("/churn/predict", may_have_prefix=False) is None
    assert find("/churn/predict", "/predict", may_have_prefix=False) is not None


@pytest.mark.parametrize(
    ("outer", "inner", "root"),
    [
        ("/", "/", "./"),
        ("/v1", "/", "./v1/"),
        ("/v1/", "/", "./"),
        ("/a/b c", "/", "./b%20c/"),
        ("/v1/docs", "/docs", "./"),
        ("/v1/docs/", "/docs", "../"),
        ("/health/live", "/health/live", "../"),
        ("/x/health/live/", "/health/live", "../../"),
    ],
)
def test_the_root_is_relative_to_the_address_that_the_client_knows(
    outer: str, inner: str, root: str
) -> None:
    found = find(outer, inner)

    assert found is not None
    assert found.root == root


def test_a_long_path_takes_no_time() -> None:
    start = perf_counter()

    assert find("/" + "a/" * 100_000 + "predict") is None
    assert find("/a/b/c/d/e/f/g/h/predict") is not None

    assert perf_counter() - start < 5


@given(path=st.text(st.sampled_from("/%2Fabpredicthlv1:. {}é\x00"), max_size=40))
def test_any_path_is_found_or_not(path: str) -> None:
    find(path)
