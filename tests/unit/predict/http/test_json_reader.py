"""JSON bodies are read strictly: UTF-8, and each member of an object once."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.predict.http.json_reader import parse_json
from functions.predict.http.problems import ProblemRaised

TEXTS = st.text(alphabet='ab:"\\ \u003a{}[],ä\n', max_size=6)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-2, 2) | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(TEXTS, inner, max_size=4)
        | st.lists(st.dictionaries(TEXTS, inner, max_size=3), max_size=4)
    ),
    max_leaves=20,
)


def problem(content: str | bytes) -> ProblemRaised:
    with pytest.raises(ProblemRaised) as raised:
        parse_json(content if isinstance(content, bytes) else content.encode())
    return raised.value


def duplicated(document: Any, draw: Any) -> str:
    """Write a document with one member twice, in some object of it."""
    objects: list[dict[str, Any]] = []

    def visit(value: Any) -> None:
        if isinstance(value, dict) and value:
            objects.append(value)
        for inner in value.values() if isinstance(value, dict) else value:
            if isinstance(inner, dict | list):
                visit(inner)

    visit(document)
    chosen = draw(st.sampled_from(objects))
    name = draw(st.sampled_from(sorted(chosen)))
    extra = json.dumps(name) + draw(st.sampled_from([":", " :", "\t: "]))
    value = draw(st.sampled_from(["1", '"\\u003a"', '":"', "{}", '{"a": 1}', '"b\\":"']))
    chosen["MARK"] = 0
    text = json.dumps(document, ensure_ascii=draw(st.booleans()))
    return text.replace('"MARK": 0', extra + value)


@given(DOCUMENTS, st.booleans(), st.sampled_from([None, (",", ":"), (" ,", " : ")]))
def test_a_document_is_read_as_it_was_written(document: Any, ascii: bool, separators: Any) -> None:
    text = json.dumps(document, ensure_ascii=ascii, separators=separators)

    assert parse_json(text.encode()) == document


@given(st.data())
@settings(deadline=None)
def test_a_member_that_occurs_twice_is_refused_wherever_it_is(data: Any) -> None:
    document = {"instances": [data.draw(DOCUMENTS), {"a": data.draw(DOCUMENTS)}]}

    refused = problem(duplicated(document, data.draw))

    assert refused.kind == "body-invalid"
    assert {error["code"] for error in refused.members["errors"]} == {"doubled"}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"instances": [], "instances": [{}]}', "/instances"),
        ('{"instances": [{"a": 1, "b": 2, "a": 1}]}', "/instances/0/a"),
        ('{"instances": [{"a": "x:y", "a": "x"}]}', "/instances/0/a"),
        ('{"instances": [{"a": {"b": [{"c": 1}, {"c": 1, "c": 2}]}}]}', "/instances/0/a/b/1/c"),
        ('{"a": "\\u003a", "a" : 1}', "/a"),
        ('{"a": "\\u003A\\u003a", "\\u0061" : ":"}', "/a"),
        ('[{"a": 1' + "0" * 4000 + ', "a": -0.1e-400}]', "/0/a"),
    ],
)
def test_the_place_of_a_duplicate_is_named(text: str, place: str) -> None:
    refused = problem(text)

    assert [error["pointer"] for error in refused.members["errors"]] == [place]
    assert refused.detail == f"The request body is invalid: {place} is a duplicate member."


def test_many_duplicates_are_listed_up_to_the_limit() -> None:
    refused = problem("{" + ",".join(['"a":1'] * 5000) + "}")

    assert len(refused.members["errors"]) == 100


def test_a_byte_order_mark_is_skipped() -> None:
    assert parse_json('\ufeff{"a": ["ä"]}'.encode()) == {"a": ["ä"]}
    assert problem('\ufeff{"a": 1, "a": 2}').kind == "body-invalid"
    assert problem("\ufeff\ufeff{}").kind == "not-json"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_other_encodings_of_unicode_are_refused_by_name(encoding: str) -> None:
    refused = problem('{"a": 1}'.encode(encoding))

    assert refused.kind == "not-json"
    assert refused.detail == "The body is not JSON: expected UTF-8, got UTF-16 or UTF-32."
