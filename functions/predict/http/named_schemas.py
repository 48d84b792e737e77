"""Objects and choices of the OpenAPI document, of which code generators make classes.

The names of features, classes and outputs are the user's: whatever they are, the classes must have
attributes and constants that differ. A schema with a title is a named one of the document; titles
consist of letters, digits and underscores.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sklambda.signature import Scalar

type Schema = dict[str, Any]

ANY_JSON: Final[Schema] = {"description": "Any value."}
"""A schema without a type, which generators read as any value."""

_MAX_TITLE: Final = 40
_RESERVED: Final = frozenset(
    {"additionalkeys", "additionalproperties", "cls", "d", "fielddict", "fromdict"}
    | {"prop", "propname", "self", "srcdict", "todict"}
)
"""Names of methods and variables in generated classes, which an attribute would replace."""


def named_object(
    title: str, required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None
) -> Schema:
    """Return the schema of an object with these members and no others.

    Members whose names would be one attribute in generated code, as `<=50K` and `>50K`, are in
    ``patternProperties``, and the generated class reads and writes them by their names.
    """
    members = {**required, **(optional or {})}
    attributes = set(_distinct(members))
    schema: Schema = {
        "type": "object",
        "title": title,
        "properties": {name: members[name] for name in members if name in attributes},
        "required": list(required),
        "additionalProperties": False,
    }
    others = {_pattern(name): members[name] for name in members if name not in attributes}
    if not others:
        return schema
    by_name = {"patternProperties": others, "propertyNames": {"enum": list(members)}}
    return schema | by_name | {"additionalProperties": ANY_JSON}


def member_schemas(schema: Mapping[str, Any]) -> dict[str, Schema]:
    """Return the members of an object by name, those in ``patternProperties`` included."""
    members = dict(schema.get("properties", {}))
    patterns = schema.get("patternProperties", {})
    names = schema["propertyNames"]["enum"] if patterns else [*members]
    return {name: members[name] if name in members else patterns[_pattern(name)] for name in names}


def choice(title: str, values: Sequence[Scalar], nullable: bool = False) -> Schema:
    """Return the schema of a value that is one of several.

    Generators make an enumeration of strings or of integers, and know no other.
    """
    kinds = {type(value) for value in values}
    null: list[Any] = [None] if nullable else []
    if kinds == {bool}:
        both = len(values) > 1
        return typed("boolean", nullable) | ({} if both else {"enum": [*values, *null]})
    if kinds not in ({int}, {str}):
        return {"oneOf": [{"const": value} for value in [*values, *null]]}
    name = "integer" if kinds == {int} else "string"
    schema = {"title": title, **typed(name, nullable), "enum": [*values, *null]}
    names = _constants([str(value) for value in values]) if name == "string" else []
    return schema | ({"x-enum-varnames": names} if names else {})


def typed(name: str, nullable: bool) -> Schema:
    """Return the schema of a type, or of this type and null."""
    return {"type": [name, "null"] if nullable else name}


def title_of(text: str) -> str:
    """Return the letters and digits of a text as a title, each word with a capital."""
    words = re.findall(r"[A-Za-z0-9]+", text)
    return "".join(word[:1].upper() + word[1:] for word in words)[:_MAX_TITLE]


def _distinct(names: Iterable[str]) -> list[str]:
    """Return the names that are attributes of their own in generated code, the first of equals."""
    seen = set(_RESERVED)
    distinct = []
    for name in names:
        attribute = _attribute(name)
        if attribute not in seen:
            distinct.append(name)
        seen.add(attribute)
    return distinct


def _attribute(name: str) -> str:
    """Return what is left of a name where generators differ least: letters and digits."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    letters = "".join(filter(str.isalnum, folded))
    is_plain = letters[:1].isalpha() and not name.startswith("_")
    return letters if is_plain else f"field{letters}"


def _pattern(name: str) -> str:
    return "^" + re.sub(r"([\\^$.*+?()\[\]{}|/])", r"\\\1", name) + "$"


def _constants(values: Sequence[str]) -> list[str]:
    """Return names for the constants of an enumeration; none where generators find good ones.

    They make a name of a value's letters and digits, so that one of `a b` and `a-b` would be lost.
    """
    words = [title_of(value).upper() for value in values]
    counts = Counter(words)
    good = [counts[word] == 1 and word[:1].isalpha() for word in words]
    if all(good) and all(value.isascii() for value in values):
        return []
    return [
        word if is_good else f"VALUE_{index}_{word}".rstrip("_")
        for index, (word, is_good) in enumerate(zip(words, good, strict=True))
    ]
