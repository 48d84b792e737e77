"""Sends requests with KServe's SDK; runs in .venv-kserve, with the requests on stdin.

Prints the responses as the SDK read them, or the errors as it shows them, as JSON.
"""

import asyncio
import json
import sys
from typing import Any

import httpx
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput

_DTYPES: dict[str, Any] = {"FP64": np.float64, "INT64": np.int64, "BOOL": bool, "BYTES": object}


def infer_request(request: dict[str, Any]) -> InferRequest:
    """Return a request of the second protocol as a user of the SDK builds it."""
    inputs = []
    for name, datatype, shape, values in request["inputs"]:
        array = np.array([np.nan if v is None else v for v in values], dtype=_DTYPES[datatype])
        one = InferInput(name, shape, datatype)
        one.set_data_from_numpy(array.reshape(shape), binary_data=request["binary"])
        inputs.append(one)
    outputs = [RequestedOutput(name) for name in request["outputs"]]
    parameters = {"binary_data_output": True} if request["binary"] else None
    return InferRequest(
        request["model"], inputs, parameters=parameters, request_outputs=outputs or None
    )


async def respond(address: str, request: dict[str, Any]) -> dict[str, Any]:
    """Return the response to a request, and the health of its model."""
    version, model = request["protocol"], request["model"]
    async with InferenceRESTClient(RESTConfig(protocol=version, retries=0)) as client:
        ready = await client.is_model_ready(address, model)
        data = request["body"] if version == "v1" else infer_request(request)
        try:
            response = await client.infer(address, data, model_name=model)
        except httpx.HTTPStatusError as error:
            return {"ready": ready, "error": str(error)}
    if version == "v1":
        return {"ready": ready, **response}
    arrays = {output.name: output.as_numpy() for output in response.outputs}
    return {"ready": ready, "outputs": {name: each.tolist() for name, each in arrays.items()}}


async def main() -> None:
    """Send what stdin says, one request after the other."""
    address, requests = json.load(sys.stdin)
    responses = [await respond(address, request) for request in requests]
    json.dump(responses, sys.stdout, default=bytes.decode)


if __name__ == "__main__":
    asyncio.run(main())
