"""The document has names that are unique and stable, and says nothing that is not so."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import pytest

from functions.predict.app import openapi
from functions.predict.app.openapi import Components
from functions.predict.http import schemas
from functions.predict.http.exchange import Request
from functions.predict.http.response import Response
from functions.predict.http.routes import Route
from sklambda.signature import Feature, Signature, Target

SIGNATURES = {
    "outputs": Target(task="regression", scores="value", outputs=("a", "b")),
    "targets": Target(
        task="multioutput",
        parts=(
            Target(name="first", task="binary", classes=(0, 1)),
            Target(name="second", task="multiclass", classes=("x", "y", "z")),
            Target(name="third", task="binary", classes=(False, True)),
        ),
    ),
    "anomaly": Target(task="anomaly", scores="decision", classes=(-1, 1)),
}


def keep(request: Request) -> Response:
    """Do nothing.

    At length.
    """
    return Response()


def routes(target: Target) -> Iterator[Route]:
    features = (
        Feature(name="title", kind="category", nullable=True, vocabulary=("Mr", "Ms")),
        Feature(name="empty", kind="number", nullable=True),
    )
    signature = Signature(features=features, target=target)
    request = schemas.json_body(schemas.predict_request(signature))
    response = schemas.json_responses(schemas.predict_response(signature), 422)
    for path in ("/predict", "/v1/models/{model}:predict"):
        yield Route("POST", path, keep, lambda: {"openapi_extra": request, "responses": response})
    feedback = schemas.json_body(schemas.feedback_request(target))
    kept = schemas.json_responses(schemas.feedback_response())
    yield Route("POST", "/feedback", keep, lambda: {"openapi_extra": feedback, "responses": kept})
    yield Route("GET", "/predict", keep)
    yield Route("GET", "/hidden", keep, describe=None)


@pytest.fixture(params=SIGNATURES)
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    return openapi.document(routes(SIGNATURES[request.param]), "A title", "1", "What it does.")


def values(document: object, name: str) -> Iterator[Any]:
    if isinstance(document, list):
        for each in document:
            yield from values(each, name)
    elif isinstance(document, dict):
        if isinstance(document.get(name), str):
            yield document[name]
        for key, member in document.items():
            if key != "example":
                yield from values(member, name)


def test_titles_are_unique_and_references_lead_to_them(document: dict[str, Any]) -> None:
    named = document["components"]["schemas"]
    titles = Counter(values([document["paths"], named], "title"))

    assert set(titles.values()) == {1}
    assert titles.keys() == named.keys()
    assert {each.rpartition("/")[2] for each in values(document, "$ref")} == named.keys()
    assert document["info"]["title"] == "A title"


def test_a_feature_named_title_is_no_name_of_a_schema(document: dict[str, Any]) -> None:
    instance = document["components"]["schemas"]["Instance"]

    assert instance["properties"].keys() == {"title", "empty"}
    assert instance["properties"]["title"] == {"$ref": "#/components/schemas/FeatureTitle"}
    assert instance["example"] == {"title": None, "empty": None}


def test_operation_ids_follow_method_and_path(document: dict[str, Any]) -> None:
    assert sorted(values(document["paths"], "operationId")) == [
        "feedback",
        "get_predict",
        "predict",
        "v1_models_model_predict",
    ]


def test_an_operation_has_the_words_of_its_endpoint(document: dict[str, Any]) -> None:
    operation = document["paths"]["/predict"]["get"]

    assert operation["summary"] == "Do nothing."
    assert operation["description"] == "Do nothing.\n\nAt length."
    assert list(operation["responses"]) == ["200"]


def test_the_ways_of_authentication_are_those_of_the_template(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]

    assert schemes["key"] | {"description": ""} == {
        "type": "apiKey",
        "in": "header",
        "name": "x-api-key",
        "description": "",
    }
    assert schemes["iam"]["x-amazon-apigateway-authtype"] == "awsSigv4"
    assert (schemes["jwt"]["type"], schemes["jwt"]["scheme"]) == ("http", "bearer")
    assert document["security"] == [{"key": []}, {"iam": []}, {"jwt": []}, {}]


@pytest.mark.parametrize("prefix", ["/", "/prod/", "/a/b/"])
def test_the_server_is_where_the_document_is(document: dict[str, Any], prefix: str) -> None:
    [server] = document["servers"]

    base = f"https://host.example{prefix}"
    assert urljoin(f"{base}openapi.json", server["url"]) == base


def test_only_json_is_left_where_other_bodies_are_an_alternative() -> None:
    def content(*media_types: str) -> dict[str, Any]:
        return {"requestBody": {"content": {each: {"schema": {}} for each in media_types}}}

    described = {"openapi_extra": content("application/json", "text/csv")}
    other = {"openapi_extra": content("text/csv")}
    whole = openapi.document(
        [Route("POST", "/a", keep, lambda: described), Route("POST", "/b", keep, lambda: other)],
        *("", "", ""),
    )
    before = json.dumps(whole)
    paths = openapi.only_json(whole)["paths"]

    assert list(paths["/a"]["post"]["requestBody"]["content"]) == ["application/json"]
    assert list(paths["/b"]["post"]["requestBody"]["content"]) == ["text/csv"]
    assert json.dumps(whole) == before


def test_equal_schemas_share_a_name_and_others_get_a_number() -> None:
    components = Components()
    first = {"title": "Pair", "type": "object"}
    references = [
        components.name(each)
        for each in (first, dict(first), first | {"type": "array"}, {"title": "pair"}, first)
    ]

    names = [each["$ref"].rpartition("/")[2] for each in references]
    assert names == ["Pair", "Pair", "Pair2", "pair3", "Pair"]
    assert components.schemas["Pair2"] == {"title": "Pair2", "type": "array"}
