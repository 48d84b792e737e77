"""The named schemas of an OpenAPI document: code generators make a class of each."""

from collections.abc import Mapping
from itertools import chain, count
from json import dumps
from typing import Any, Final

type Json = dict[str, Any]

_PREFIX: Final = "#/components/schemas/"
_MAPS: Final = ("properties", "patternProperties")
_LISTS: Final = ("oneOf", "anyOf", "allOf", "prefixItems")
_SINGLE: Final = ("items", "additionalProperties")


class Components:
    """Schemas by name; every schema with a title becomes one, and a reference where it was.

    A title consists of letters, digits and underscores. Equal schemas share a name. Of different
    ones with the same title, the second is named ``TitleOwner`` by its `owner`, a model that is not
    the default one, or ``Title2``: a generator would write one class over the other, or leave both
    out.
    """

    def __init__(self) -> None:
        self.schemas: dict[str, Json] = {}
        self._names: dict[str, str] = {}  # by content
        self._taken: set[str] = set()  # as generators compare names
        self.owner = ""

    def of_response(self, response: Mapping[str, Any]) -> Json:
        """Return the description of a response, or of a request body, with references."""
        if "content" not in response:
            return dict(response)
        content = {
            media_type: self.of_schema(media) for media_type, media in response["content"].items()
        }
        return {**response, "content": content}

    def of_schema(self, holder: Mapping[str, Any]) -> Json:
        """Return a media type or a parameter with references in its ``schema``."""
        return {**holder, "schema": self.name(holder["schema"])}

    def name(self, schema: Json) -> Json:
        """Return a schema with references to those that have a title, itself included."""
        resolved = dict(schema)
        for keyword in _MAPS:
            if keyword in schema:
                members = schema[keyword].items()
                resolved[keyword] = {name: self.name(member) for name, member in members}
        for keyword in _LISTS:
            if keyword in schema:
                resolved[keyword] = [self.name(each) for each in schema[keyword]]
        for keyword in _SINGLE:
            if isinstance(schema.get(keyword), dict):
                resolved[keyword] = self.name(schema[keyword])
        return self._reference(resolved) if "title" in resolved else resolved

    def _reference(self, schema: Json) -> Json:
        content = dumps(schema)
        if content not in self._names:
            name = self._names[content] = self._free(schema["title"])
            self.schemas[name] = schema | {"title": name}
        return {"$ref": _PREFIX + self._names[content]}

    def _free(self, title: str) -> str:
        of_owner = f"{title}{self.owner}"
        numbered = (f"{of_owner}{number}" for number in count(2))
        free = (
            name for name in chain((title, of_owner), numbered) if fold(name) not in self._taken
        )
        name = next(free)
        self._taken.add(fold(name))
        return name


def fold(name: str) -> str:
    """Return a name as generators compare it."""
    return name.replace("_", "").casefold()
