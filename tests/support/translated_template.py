"""The template as CloudFormation sees it for some parameters: translated by SAM, then resolved."""

import json
import subprocess
from functools import cache
from typing import Any, Final

from tests.conftest import REPOSITORY
from tests.support.lambda_containers import tool

type Json = dict[str, Any]

_SCRIPT: Final = REPOSITORY / "tests/support/translate_template.py"
_ABSENT: Final = object()


@cache
def _translated(model_layer: str) -> str:
    command = [tool(".venv-deploy", "python3.13"), str(_SCRIPT), model_layer]
    run = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return run.stdout


def translated(model_layer: str = "s3://bucket/model") -> Json:
    """Give the template that SAM makes, with the model layer at an address."""
    document: Json = json.loads(_translated(model_layer))
    return document


def deployed(**parameters: str) -> Json:
    """Give the resources that CloudFormation makes with these parameters, by logical id."""
    document = translated()
    resolver = _Resolver(document, parameters)
    return {
        name: resolver.value(resource)
        for name, resource in document["Resources"].items()
        if resolver.holds(resource.get("Condition"))
    }


class _Resolver:
    """As much of CloudFormation's functions as the template uses; what it does not know stays."""

    def __init__(self, document: Json, parameters: dict[str, str]) -> None:
        defaults = {n: p.get("Default") for n, p in document["Parameters"].items()}
        assert parameters.keys() <= defaults.keys()
        self._values = defaults | parameters
        self._conditions = document["Conditions"]

    def holds(self, condition: str | None) -> bool:
        return condition is None or self._true(self._conditions[condition])

    def _true(self, test: Json) -> bool:
        [(function, arguments)] = test.items()
        if function == "Condition":
            return self.holds(arguments)
        if function == "Fn::Not":
            return not self._true(arguments[0])
        if function == "Fn::Or":
            return any(map(self._true, arguments))
        if function == "Fn::And":
            return all(map(self._true, arguments))
        assert function == "Fn::Equals"
        left, right = map(self.value, arguments)
        return bool(left == right)

    def value(self, value: Any) -> Any:
        if isinstance(value, list):
            return [found for item in value if (found := self.value(item)) is not _ABSENT]
        if not isinstance(value, dict):
            return value
        if value == {"Ref": "AWS::NoValue"}:
            return _ABSENT
        if value.keys() == {"Ref"}:
            return self._values.get(value["Ref"], value)
        if value.keys() == {"Fn::If"}:
            condition, *branches = value["Fn::If"]
            return self.value(branches[0 if self.holds(condition) else 1])
        if value.keys() == {"Fn::Sub"} and isinstance(value["Fn::Sub"], str):
            return self._filled(value["Fn::Sub"])
        members = ((name, self.value(item)) for name, item in value.items())
        return {name: found for name, found in members if found is not _ABSENT}

    def _filled(self, text: str) -> str:
        for name, value in self._values.items():
            text = text.replace(f"${{{name}}}", str(value))
        return text
