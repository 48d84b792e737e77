"""Calls every operation of a document with the client that openapi-python-client has written.

Runs in .venv-openapi. Reads from standard input the address of a service, the folder of the client
and bodies by operation id, which replace the examples of the document; writes the responses.
"""

import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

JSON = "application/json"


class Client:
    """A generated client."""

    def __init__(self, document: dict[str, Any], folder: Path, address: str) -> None:
        sys.path.insert(0, str(folder))
        [package] = (path.parent.name for path in folder.glob("*/client.py"))
        self._document, self._package = document, package
        self._models = importlib.import_module(f"{package}.models")
        client = importlib.import_module(f"{package}.client")
        self._client = client.Client(base_url=address, timeout=60)

    def call(self, operation: dict[str, Any], body: Any) -> Any:
        """Return the document of a response, after it went through its class."""
        name = operation["operationId"]
        module = importlib.import_module(f"{self._package}.api.default.{name}")
        arguments = {
            each["name"]: self._resolved(each["schema"])["enum"][0]
            for each in operation.get("parameters", ())
            if each["in"] == "path"
        }
        if body is not None:
            arguments["body"] = self._model(operation, body)
            assert arguments["body"].to_dict() == body, f"{name}: the class changes the body"
        response = module.sync_detailed(client=self._client, **arguments)
        assert response.status_code == 200, f"{name}: {response.content!r}"
        answers = operation["responses"]["200"].get("content", {})
        if JSON not in answers:
            return response.content.decode()
        raw = json.loads(response.content)
        assert response.parsed is not None, f"{name}: the response has no class"
        parsed = response.parsed
        is_list = isinstance(parsed, list)
        written = [each.to_dict() for each in parsed] if is_list else parsed.to_dict()
        assert written == raw, f"{name}: the class changes the response"
        Draft202012Validator(answers[JSON]["schema"] | self._components()).validate(raw)
        return raw

    def _model(self, operation: dict[str, Any], body: Any) -> Any:
        """Return a body as the class of the one schema that it is valid against."""
        schema = operation["requestBody"]["content"][JSON]["schema"]
        [reference] = [
            each["$ref"]
            for each in schema.get("oneOf", [schema])
            if Draft202012Validator(each | self._components()).is_valid(body)
        ]
        words = re.split("_", reference.rpartition("/")[2])
        model = getattr(self._models, "".join(word[:1].upper() + word[1:] for word in words))
        return model.from_dict(body)

    def _components(self) -> dict[str, Any]:
        return {"components": self._document["components"]}

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        reference = schema.get("$ref")
        if reference is None:
            return schema
        named: dict[str, Any] = self._document["components"]["schemas"][
            reference.rpartition("/")[2]
        ]
        return named


def example_of(document: dict[str, Any], operation: dict[str, Any]) -> Any:
    """Return the example of an operation's body; None without a body."""
    if "requestBody" not in operation:
        return None
    schema = operation["requestBody"]["content"][JSON]["schema"]
    name = schema.get("$ref", "").rpartition("/")[2]
    return document["components"]["schemas"].get(name, schema)["example"]


def check_examples(document: dict[str, Any]) -> None:
    """Raise where an example does not fit the schema that has it."""
    components = {"components": document["components"]}
    found: list[Any] = [document["paths"], document["components"]["schemas"]]
    while found:
        value = found.pop()
        if isinstance(value, list):
            found += value
        elif isinstance(value, dict):
            if "example" in value:
                schema = {name: member for name, member in value.items() if name != "example"}
                Draft202012Validator(schema | components).validate(value["example"])
            found += [member for name, member in value.items() if name not in ("example", "enum")]


def main() -> None:
    asked = json.load(sys.stdin)
    document = asked["document"]
    validate(document)
    check_examples(document)
    client = Client(document, Path(asked["folder"]), asked["address"])
    answers = {}
    for operations in document["paths"].values():
        for operation in operations.values():
            name = operation["operationId"]
            body = asked["bodies"].get(name) or example_of(document, operation)
            answers[name] = client.call(operation, body)
    json.dump(answers, sys.stdout)


main()
