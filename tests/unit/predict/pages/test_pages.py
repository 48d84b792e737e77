"""The page and the reference as documents: nothing from outside, nothing slipped in."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from functions.predict.pages.pages import field, reference
from sklambda.predictor import Predictor
from sklambda.signature import Feature
from tests.conftest import Trained
from tests.unit.predict.app.test_api import client_of

HOSTILE = "</script><script>alert(1)</script><!-- \"'&amp; $style ${x} \u202e\r\n é漢\U0001f570"
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


class Elements(HTMLParser):
    """Reads a document as a browser would: elements with attributes, and all text."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for found, attributes in self.found if found == tag]

    def one(self, tag: str) -> dict[str, str | None]:
        [attributes] = self.all(tag)
        return attributes


@pytest.fixture(scope="module")
def client(churn: Trained) -> Iterator[TestClient]:
    with client_of(Predictor.open(churn.package)) as client:
        yield client


def policy(response: httpx2.Response) -> dict[str, str]:
    parts = response.headers["content-security-policy"].split("; ")
    return dict(part.split(" ", 1) for part in parts)


def digest(source: str) -> str:
    return f"'sha256-{b64encode(sha256(source.encode()).digest()).decode()}'"


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_the_policy_admits_what_the_document_holds_and_nothing_else(
    client: TestClient, path: str
) -> None:
    response = client.get(path)

    assert response.headers["content-type"] == "text/html; charset=utf-8"
    rules = policy(response)
    [style] = re.findall(r"<style>(.*?)</style>", response.text, re.DOTALL)
    scripts = re.findall(r"<script>(.*?)</script>", response.text, re.DOTALL)
    assert rules["default-src"] == "'none'"
    assert rules["style-src"] == digest(style)
    assert scripts == [] or [rules["script-src"]] == [digest(one) for one in scripts]
    assert rules["base-uri"] == rules["form-action"] == rules["frame-ancestors"] == "'none'"
    assert "unsafe" not in response.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_every_address_is_relative(client: TestClient, path: str) -> None:
    elements = Elements(client.get(path).text)

    named = ("href", "src", "action", "srcset", "data", "poster")
    addresses = [
        value for _, held in elements.found for name, value in held.items() if name in named
    ]
    assert addresses
    assert [a for a in addresses if a and re.match(r"(?!data:)[a-z]+:|/", a)] == []
    assert not re.search(r"@import|\burl\(", client.get(path).text)
    assert [held for _, held in elements.found if any(name.startswith("on") for name in held)] == []
    assert [held for _, held in elements.found if "style" in held] == []


def test_the_page_has_an_input_for_each_feature(client: TestClient, predictor: Predictor) -> None:
    elements = Elements(client.get("/").text)

    keys = [
        json.loads(held["data-key"] or "") for held in elements.all("div") if "data-key" in held
    ]
    assert keys == list(predictor.package.signature.names)


def test_every_input_has_a_label(client: TestClient) -> None:
    elements = Elements(client.get("/").text)

    labelled = {held.get("for") for held in elements.all("label")}
    controls = [held for tag in ("input", "select") for held in elements.all(tag)]
    inside = {"explain"}  # its label holds it
    assert [
        held
        for held in controls
        if held["id"] not in labelled | inside and "aria-label" not in held
    ] == []


def test_the_reference_names_each_route_of_the_document(client: TestClient) -> None:
    elements = Elements(client.get("/docs").text)

    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths) <= set(elements.texts)
    assert "/" not in paths
    assert "/docs" not in paths


def test_a_slash_too_much_leads_to_the_same_page_with_links_one_segment_up(
    client: TestClient,
) -> None:
    response = client.get("/docs/", follow_redirects=False)

    assert response.status_code == 200
    assert 'href="../openapi.json"' in response.text


def feature(**members: Any) -> Feature:
    return Feature(**{"name": "x", "nullable": False, **members})


def test_a_number_tells_its_range_and_its_bounds() -> None:
    written = field(feature(kind="number", range=(-1.5, 2.0), least=-3, greatest=3.4e38), 0)

    elements = Elements(written)
    shape = elements.one("input")
    assert (shape["type"], shape["step"]) == ("number", "any")
    assert "\N{MINUS SIGN}1.5 to 2 in training; at least \N{MINUS SIGN}3" in elements.texts


@pytest.mark.parametrize("example", [0.1, 1e22, -5e-324, 3])
def test_an_example_keeps_its_digits(example: float) -> None:
    shape = Elements(field(feature(kind="number", example=example), 0)).one("input")

    assert float(shape["value"] or "") == example


@pytest.mark.parametrize(
    ("members", "options"),
    [
        ({"kind": "boolean"}, ["", "true", "false"]),
        ({"kind": "boolean", "nullable": True}, ["true", "false", "null"]),
        ({"kind": "boolean", "example": True}, ["true", "false"]),
        ({"kind": "category", "vocabulary": ("a", ""), "example": "a"}, ['"a"', '""']),
        (
            {"kind": "category", "vocabulary": ("a",), "accepts_unseen": True, "nullable": True},
            ['"a"', "null", "other"],
        ),
        ({"kind": "number", "choices": (0.5, 2.0), "example": 2.0}, ["0.5", "2.0"]),
    ],
)
def test_few_values_are_a_list(members: dict[str, Any], options: list[str]) -> None:
    found = Elements(field(feature(**members), 0)).all("option")

    assert [held["value"] for held in found] == options


def test_of_many_categories_one_is_found_by_typing() -> None:
    names = tuple(f"c{place}" for place in range(500))

    elements = Elements(field(feature(kind="category", vocabulary=names, example="c7"), 0))

    shape = elements.one("input")
    assert (shape["value"], shape["list"]) == ("c7", elements.one("datalist")["id"])
    assert [held["value"] for held in elements.all("option")] == list(names)


@pytest.mark.parametrize("kind", ["number", "integer", "text"])
def test_a_nullable_feature_can_be_missing(kind: str) -> None:
    elements = Elements(field(feature(kind=kind, nullable=True), 0))

    [missing] = [held for held in elements.all("input") if "data-missing" in held]
    assert "checked" in missing


@pytest.mark.parametrize(
    ("unit", "span", "example", "expected"),
    [
        ("s", ("2024-01-01T00:00:00", "2025-01-01T00:00:00"), "2024-05-01", ("date", "2024-05-01")),
        (
            "s",
            ("2024-01-01T07:30:00", "2025-01-01T00:00:00"),
            "2024-05-01T01:02:03",
            ("datetime-local", "2024-05-01T01:02:03"),
        ),
        (
            "us",
            ("2024-01-01T07:30:00.000001", "2025-01-01T00:00:00.000000"),
            "2024-05-01T01:02:03.000004",
            ("text", "2024-05-01T01:02:03.000004"),
        ),
    ],
)
def test_a_moment_has_an_input_that_can_say_it(
    unit: str, span: tuple[str, str], example: str, expected: tuple[str, str]
) -> None:
    written = field(feature(kind="datetime", unit=unit, range=span, example=example), 0)

    shape = Elements(written).one("input")
    assert (shape["type"], shape["value"]) == expected


@given(name=texts, category=texts, unseen=st.booleans(), many=st.booleans())
def test_no_name_and_no_category_becomes_markup(
    name: str, category: str, unseen: bool, many: bool
) -> None:
    more = tuple(f"{place}{HOSTILE}" for place in range(80 if many else 1))
    odd = feature(
        name=name + HOSTILE,
        kind="category",
        vocabulary=tuple({category: 0, **dict.fromkeys(more)}),
        accepts_unseen=unseen,
        nullable=True,
        example=category,
    )

    elements = Elements(field(odd, 0))

    kinds = {tag for tag, _ in elements.found}
    assert kinds <= {"div", "label", "bdi", "select", "option", "input", "datalist", "p", "span"}
    assert json.loads(elements.all("div")[0]["data-key"] or "") == name + HOSTILE
    values = [held["value"] or "" for held in elements.all("option")]
    assert (category if many else json.dumps(category)) in values


@given(texts)
def test_a_text_stays_in_its_area(example: str) -> None:
    written = field(feature(kind="text", example=f"</textarea>{example}"), 0)

    elements = Elements(written)
    assert [tag for tag, _ in elements.found].count("textarea") == 1
    assert written.count("</textarea>") == 1


def test_nothing_of_an_openapi_document_becomes_markup() -> None:
    schema = {
        "type": "object",
        "properties": {HOSTILE: {"type": [HOSTILE, "null"], "enum": [HOSTILE]}},
        "example": {HOSTILE: HOSTILE},
    }
    said = {
        "description": HOSTILE,
        "parameters": [{"name": HOSTILE, "in": HOSTILE, "schema": {"description": HOSTILE}}],
        "requestBody": {"content": {HOSTILE: {"schema": {"$ref": "#/components/schemas/a~1b"}}}},
        "responses": {HOSTILE: {"description": HOSTILE}},
    }
    openapi = {
        "info": {"title": HOSTILE, "version": HOSTILE},
        "paths": {HOSTILE: {"post": said}},
        "components": {"schemas": {"a/b": schema}},
    }

    content = bytes(reference(openapi).content).decode()

    assert "<script" not in content
    assert content.count("<!--") == 0
    assert content.count("&lt;/script&gt;") >= 10
