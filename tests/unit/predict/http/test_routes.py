"""Routes at an exact path are found by one look-up."""

from functions.predict.http.exchange import Request
from functions.predict.http.response import Response
from functions.predict.http.routes import Route, by_exact_path


def first(request: Request) -> Response:
    return Response(b"first")


def second(request: Request) -> Response:
    return Response(b"second")


def test_a_route_stands_at_its_path_and_at_the_expected_one() -> None:
    plain = Route("GET", "/plain", first)
    named = Route("POST", "/of/{name}", second, path_parameters={"name": "a {b}"})

    found = by_exact_path([plain, named])

    assert found == {("GET", "/plain"): plain, ("POST", "/of/a {b}"): named}


def test_a_route_that_expects_nothing_of_its_path_is_found_by_the_framework() -> None:
    assert by_exact_path([Route("GET", "/of/{name}", first)]) == {}
