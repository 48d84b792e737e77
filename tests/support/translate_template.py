"""Writes the template as SAM translates it; runs in .venv-deploy. Usage: FILE MODEL_LAYER."""

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # the translator asks for one
logging.disable(logging.CRITICAL)


class _NoPolicies:
    def load(self) -> dict[str, str]:
        return {}


def _packaged(template: dict[str, Any], model_layer: str) -> dict[str, Any]:
    """Give every code an address, as `sam package` does."""
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        for member in {"CodeUri", "ContentUri", "DefinitionUri"} & properties.keys():
            properties[member] = model_layer if name == "ModelLayer" else f"s3://bucket/{name}"
    return template


document = _packaged(yaml_parse(Path("template.yaml").read_text()), sys.argv[1])
print(json.dumps(transform(document, {}, _NoPolicies())))
