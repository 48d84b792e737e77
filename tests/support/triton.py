"""Triton's own client, which has an environment of its own."""

import json
import subprocess
from typing import Any, Final

import pandas as pd
import pytest

from sklambda.signature import Signature
from tests.conftest import REPOSITORY
from tests.support.tensors import tensors

type Json = dict[str, Any]

_PYTHON: Final = REPOSITORY / ".venv-clients/bin/python3.13"
_CLIENT: Final = REPOSITORY / "tests/integration/triton_client.py"

needs_client: Final = pytest.mark.skipif(
    not _PYTHON.exists(), reason="run `make tools` for .venv-clients"
)


def request_of(address: str, signature: Signature, frame: pd.DataFrame, **members: Any) -> Json:
    """Return a request for the scores of a frame; the script of the client lists the members."""
    found = tensors(signature, frame)
    return {
        "address": address,
        "model": "churn",
        "version": "",
        "binary": True,
        "inputs": [(one["name"], one["datatype"], one["data"]) for one in found],
        "outputs": [],
        **members,
    }


def infer(request: Json) -> Json:
    """Return what the client reads of the response, and of the metadata and health."""
    run = subprocess.run(
        [_PYTHON, _CLIENT], input=json.dumps(request), capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    answer: Json = json.loads(run.stdout)
    return answer
