"""The OpenAPI schema of a feature says what a client may send."""

from typing import Any

import pytest

from functions.predict.dialects.invocations.tables import Header
from functions.predict.dialects.oip.inputs import accepted_datatypes
from functions.predict.dialects.oip.tensors import DATATYPES
from functions.predict.http.schemas import predict_request
from sklambda.signature import Analyzer, Feature, Signature, Target, TermCounts

LETTERS = Analyzer(analyzer="char", ngram_range=(1, 1), lowercase=True)


def schema_of(**members: Any) -> dict[str, Any]:
    feature = Feature.of({"name": "x", "nullable": False} | members)
    counts = TermCounts(feature="x", analyzer=LETTERS, terms=("a",))
    signature = Signature(
        features=(feature,),
        target=Target(task="binary", classes=(0, 1)),
        counts=(counts,) if feature.kind == "text" else (),
    )
    instances = predict_request(signature)["properties"]["instances"]
    schema: dict[str, Any] = instances["items"]["properties"]["x"]
    return schema


def test_a_text_is_any_string() -> None:
    assert schema_of(kind="text", example="Some text.") == {
        "type": "string",
        "example": "Some text.",
        "description": "Any text; its terms are counted as in training.",
    }


def test_a_datetime_is_a_string_with_its_format_and_range() -> None:
    schema = schema_of(kind="datetime", unit="ms", range=("2024-01-01T00:00", "2025-01-01T00:00"))

    assert schema == {
        "type": "string",
        "description": "From 2024-01-01T00:00 to 2025-01-01T00:00 in training. "
        "ISO 8601 without an offset; precision at most 1 ms.",
    }


@pytest.mark.parametrize(("nullable", "kind"), [(True, ["number", "null"]), (False, "number")])
def test_a_number_has_its_range(nullable: bool, kind: object) -> None:
    schema = schema_of(kind="number", nullable=nullable, range=(0.5, 1e6))

    assert schema == {"type": kind, "description": "From 0.5 to 1e+06 in training."}


def test_an_ignored_column_may_be_sent_and_hold_anything() -> None:
    age = Feature(name="age", kind="integer", nullable=False)
    target = Target(task="binary", classes=(0, 1))
    signature = Signature(features=(age,), target=target, ignored=("name",))

    instance = predict_request(signature)["properties"]["instances"]["items"]

    assert instance["properties"]["name"].keys() == {"description"}
    assert instance["required"] == ["age"]
    assert accepted_datatypes(signature)["name"] == DATATYPES
    assert Header.of(["name", "age"], signature).faults == []
