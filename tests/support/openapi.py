"""The OpenAPI document with its named schemas where they are used."""

from typing import Any

_PREFIX = "#/components/schemas/"


def inline(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with each reference replaced by what it refers to."""
    schemas = document["components"]["schemas"]

    def resolve(value: Any) -> Any:
        if isinstance(value, list):
            return [resolve(each) for each in value]
        if not isinstance(value, dict):
            return value
        if isinstance(value.get("$ref"), str):
            return resolve(schemas[value["$ref"].removeprefix(_PREFIX)])
        return {name: resolve(member) for name, member in value.items()}

    whole: dict[str, Any] = resolve(document)
    return whole
