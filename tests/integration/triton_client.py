"""Sends a request with Triton's own client; runs in .venv-clients, with the request on stdin.

Prints the response as the client read it, as JSON.
"""

import json
import sys
from typing import Any

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

_DTYPES = {"FP64": np.float64, "INT64": np.int64, "BOOL": np.bool_, "BYTES": np.object_}


def tensor(name: str, datatype: str, values: list[Any], binary: bool) -> InferInput:
    """Return an input as a user of the client builds it."""
    filled = [np.nan if value is None else value for value in values]
    column: Any = np.array(filled, dtype=_DTYPES[datatype])
    return InferInput(name, list(column.shape), datatype).set_data_from_numpy(column, binary)


def infer(client: InferenceServerClient, request: dict[str, Any]) -> dict[str, Any]:
    """Request scores, and return the outputs as the client converts them to numpy."""
    binary = request["binary"]
    inputs = [tensor(name, kind, values, binary) for name, kind, values in request["inputs"]]
    outputs = [InferRequestedOutput(name, binary_data=binary) for name in request["outputs"]]
    result = client.infer(
        request["model"],
        inputs,
        request["version"],
        outputs=outputs or None,
        request_id="mine",
        headers=request.get("headers"),
        request_compression_algorithm=request.get("compression"),
        response_compression_algorithm=request.get("compression"),
    )
    answer = result.get_response()
    names = [output["name"] for output in answer["outputs"]]
    columns = {name: result.as_numpy(name).tolist() for name in names}
    return {"id": answer["id"], "outputs": columns}


def main() -> None:
    """Ask what stdin says."""
    request = json.load(sys.stdin)
    with InferenceServerClient(request["address"]) as client:
        try:
            answer = infer(client, request)
        except InferenceServerException as error:
            answer = {"status": error.status(), "message": error.message()}
        model, headers = (request["model"], request["version"]), request.get("headers")
        about = {
            "live": client.is_server_live(headers),
            "ready": client.is_model_ready(*model, headers=headers),
            "extensions": client.get_server_metadata(headers)["extensions"],
            "metadata": client.get_model_metadata(*model, headers=headers),
        }
    json.dump(answer | about, sys.stdout, default=bytes.decode)


if __name__ == "__main__":
    main()
