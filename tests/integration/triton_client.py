"""Asks a service with Triton's own client; runs in .venv-clients, told on stdin what to ask.

It prints what the client understood, as JSON.
"""

import json
import sys
from typing import Any

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

_DTYPES = {"FP64": np.float64, "INT64": np.int64, "BOOL": np.bool_, "BYTES": np.object_}


def tensor(name: str, datatype: str, values: list[Any], binary: bool) -> InferInput:
    """Make an input as a user of the client does."""
    filled = [np.nan if value is None else value for value in values]
    column: Any = np.array(filled, dtype=_DTYPES[datatype])
    return InferInput(name, list(column.shape), datatype).set_data_from_numpy(column, binary)


def ask(client: InferenceServerClient, asked: dict[str, Any]) -> dict[str, Any]:
    """Ask for scores, and give the outputs as the client takes them for numpy."""
    binary = asked["binary"]
    inputs = [tensor(name, kind, values, binary) for name, kind, values in asked["inputs"]]
    outputs = [InferRequestedOutput(name, binary_data=binary) for name in asked["outputs"]]
    result = client.infer(
        asked["model"], inputs, asked["version"], outputs=outputs or None, request_id="mine"
    )
    answer = result.get_response()
    names = [output["name"] for output in answer["outputs"]]
    columns = {name: result.as_numpy(name).tolist() for name in names}
    return {"id": answer["id"], "outputs": columns}


def main() -> None:
    """Ask what stdin says."""
    asked = json.load(sys.stdin)
    with InferenceServerClient(asked["address"]) as client:
        try:
            answer = ask(client, asked)
        except InferenceServerException as error:
            answer = {"status": error.status(), "message": error.message()}
        about = {
            "live": client.is_server_live(),
            "ready": client.is_model_ready(asked["model"], asked["version"]),
            "extensions": client.get_server_metadata()["extensions"],
            "metadata": client.get_model_metadata(asked["model"], asked["version"]),
        }
    json.dump(answer | about, sys.stdout, default=bytes.decode)


if __name__ == "__main__":
    main()
