"""Objects and choices have names from which generated code can tell them apart."""

import pytest

from functions.predict.http.named_schemas import choice, member_schemas, named_object, title_of

NUMBER = {"type": "number"}


@pytest.mark.parametrize(
    "names",
    [
        ["<=50K", ">50K"],
        ["a b", "a-b", "A_B"],
        ["%", "$", ""],
        ["1", "field_1", "_1"],
        ["ﬁ", "fi"],
        ["a", "a\n"],
    ],
)
def test_of_names_that_are_one_attribute_the_first_is_a_property(names: list[str]) -> None:
    schema = named_object("Values", dict.fromkeys(names, NUMBER))

    assert list(schema["properties"]) == names[:1]
    assert len(schema["patternProperties"]) == len(names) - 1
    assert schema["propertyNames"] == {"enum": names}
    assert schema["required"] == names
    assert member_schemas(schema) == dict.fromkeys(names, NUMBER)


@pytest.mark.parametrize("name", ["d", "to_dict", "cls", "Additional Properties", "field_dict"])
def test_names_of_generated_classes_are_no_properties(name: str) -> None:
    assert named_object("Values", {name: NUMBER})["properties"] == {}


def test_other_names_are_properties_and_nothing_else_is_allowed() -> None:
    names = ["total charges", 'it\'s "quoted"', "größe", "日本", "x" * 300, "class", "1", "title"]
    schema = named_object("Instance", dict.fromkeys(names, NUMBER), {"id": {}})

    assert list(schema["properties"]) == [*names, "id"]
    assert schema["required"] == names
    assert schema["additionalProperties"] is False
    assert "patternProperties" not in schema


def test_a_pattern_is_the_name_and_no_other() -> None:
    schema = named_object("Values", {"a": NUMBER, "[a]^(.*)$": NUMBER})

    assert list(schema["patternProperties"]) == [r"^\[a\]\^\(\.\*\)\$$"]


@pytest.mark.parametrize(
    ("values", "schema"),
    [
        ([0, 1], {"title": "T", "type": "integer", "enum": [0, 1]}),
        (["no", "yes"], {"title": "T", "type": "string", "enum": ["no", "yes"]}),
        ([False, True], {"type": "boolean"}),
        ([True], {"type": "boolean", "enum": [True]}),
        ([0.5, 1.5], {"oneOf": [{"const": 0.5}, {"const": 1.5}]}),
    ],
)
def test_a_choice_is_an_enumeration_where_generators_know_one(
    values: list[bool | int | float | str], schema: object
) -> None:
    assert choice("T", values) == schema


def test_a_choice_may_be_null() -> None:
    assert choice("T", ["a"], nullable=True) == {
        "title": "T",
        "type": ["string", "null"],
        "enum": ["a", None],
    }
    assert choice("T", [0.5], nullable=True) == {"oneOf": [{"const": 0.5}, {"const": None}]}


@pytest.mark.parametrize(
    "values",
    [
        ["a b", "a-b", "A_B", "c"],
        ["", "日本", "%", "1"],
        ["Yes", "yes", "YES"],
        ["x" * 60 + "a", "x" * 60 + "b"],
        ["VALUE_1", "1", "1"],
    ],
)
def test_constants_of_similar_values_have_names_that_differ(values: list[str]) -> None:
    names = choice("T", values)["x-enum-varnames"]

    assert len({name.replace("_", "") for name in names}) == len(values)
    assert all(name.isidentifier() and name.isascii() for name in names)


def test_a_title_is_made_of_letters_and_digits() -> None:
    assert title_of('total "charges" in %') == "TotalChargesIn"
    assert title_of("日本") == ""
