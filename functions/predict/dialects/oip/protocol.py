"""``/v2``: the Open Inference Protocol, version 2, with tensors in JSON or as bytes.

A request is read as a whole, so that all faults of its structure are reported at once.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from functions.predict.dialects.dialect import Dialect, with_json_problems
from functions.predict.dialects.oip import schemas, tensors
from functions.predict.dialects.oip.inputs import (
    Tensor,
    is_matrix,
    preferred_datatypes,
    read_inputs,
    read_matrix,
)
from functions.predict.dialects.oip.node import BinaryData, Node
from functions.predict.dialects.oip.outputs import (
    Output,
    explanations,
    method_outputs,
    outputs,
    thresholds,
)
from functions.predict.dialects.oip.tensors import INVALID
from functions.predict.http import exchange, problems
from functions.predict.http.exchange import Caller, Limits, Request
from functions.predict.http.json_reader import parse_json
from functions.predict.http.response import Response
from functions.predict.http.routes import Route
from functions.predict.model import PredictionRequest, PredictionResponse, ServedModel
from functions.predict.registry import Registry
from functions.predict.service import Service
from sklambda.codec.codec import Row
from sklambda.errors import Fault, RowsInvalid
from sklambda.signature import Signature

_OF_CLIENTS: Final = ("model_name", "model_version", "from_grpc")
"""Members that KServe's client adds to a request: the first two must agree with the path."""
_MEMBERS: Final = frozenset({"id", "parameters", "inputs", "outputs", *_OF_CLIENTS})
_OUTPUT_MEMBERS: Final = frozenset({"name", "parameters"})
_UNSUPPORTED: Final = ("classification", "shared_memory_region")
EXTENSION: Final = "binary_tensor_data"
PLATFORM: Final = "onnxruntime_onnx"
_READY: Final = "READY"

_MODEL: Final = "/v2/models/{model}"
_VERSION: Final = f"{_MODEL}/versions/{{version}}"
_LENGTH: Final = schemas.HEADER_LENGTH.lower()


@dataclass(frozen=True, slots=True)
class InferenceRequest:
    """A request with a valid structure; the codec checks its values.

    Attributes
    ----------
    id : str or None
        The client's id of the request, for the response.
    tensors : mapping of str to Tensor
        One per feature, by its name.
    outputs : mapping of str to bool
        The requested outputs, and whether to send them as bytes.
    explain : bool
        Whether to explain each score.
    version : str or None
        The version that the body names; None where it names none.
    """

    id: str | None
    tensors: Mapping[str, Tensor]
    outputs: Mapping[str, bool]
    explain: bool
    version: str | None = None

    @property
    def rows(self) -> list[Row]:
        """The values by row."""
        columns = [tensor.values for tensor in self.tensors.values()]
        return [dict(zip(self.tensors, row, strict=True)) for row in zip(*columns, strict=True)]

    @property
    def coerced(self) -> list[tuple[int, str]]:
        """Row and feature of the values that had another type, or less precision than float64."""
        return [
            (row, tensor.name)
            for tensor in self.tensors.values()
            if tensor.datatype in tensors.NARROW or tensor.converted
            for row, value in enumerate(tensor.values)
            if value is not None and value == value  # NaN is not
        ]

    def locate(self, fault: Fault) -> str:
        """Return the JSON Pointer of the value with a fault."""
        return self._tensor(fault).pointer(fault.row)

    def with_datatypes(self, invalid: RowsInvalid) -> RowsInvalid:
        """Name the datatype in the faults of values that do not have it."""
        return RowsInvalid([self._with_datatype(fault) for fault in invalid.faults])

    def _with_datatype(self, fault: Fault) -> Fault:
        tensor = self._tensor(fault)
        if tensor.values[fault.row] is not INVALID:
            return fault
        return replace(fault, detail=f"must be {tensor.datatype}")

    def _tensor(self, fault: Fault) -> Tensor:
        return self.tensors[fault.feature or ""]


@dataclass(frozen=True, slots=True)
class RequestReader:
    """Reads the requests for one model.

    Attributes
    ----------
    name : str
        The name of the model.
    signature : Signature
        The features of the model.
    outputs : collection of str
        The outputs of every response.
    explanations : collection of str
        The outputs of a response with explanations; naming one requests them.
    methods : collection of str
        The outputs that are results of scikit-learn's methods, where they are named. The first is
        the output of a request with one tensor for all features.
    """

    name: str
    signature: Signature
    outputs: Collection[str]
    explanations: Collection[str]
    methods: Collection[str]

    def read(self, header: bytes, binary: bytes, limits: Limits) -> InferenceRequest:
        """Read a request: the JSON document, and the bytes after it.

        Raises
        ------
        ProblemRaised
            It is not JSON, has too many rows, or its structure is invalid; lists all faults.
        """
        document = Node(parse_json(header, inf_nan=True), (), [])
        document.require_object(_MEMBERS)
        parameters, remaining = document.at("parameters"), BinaryData(binary)
        parameters.require_object_or_absent()
        explain = parameters.at("explain").flag(False)
        as_bytes = parameters.at("binary_data_output").flag(False)
        inputs = document.at("inputs")
        together = is_matrix(inputs, self.signature)
        outputs = self._outputs(document.at("outputs"), explain, as_bytes, together)
        if document.at("model_name").value not in (None, "", self.name):
            document.at("model_name").fault("model_name", "must be the model of the path")
        read = read_matrix if together else read_inputs
        request = InferenceRequest(
            document.at("id").string(),
            read(inputs, remaining, self.signature, limits),
            outputs,
            explain or not outputs.keys().isdisjoint(self.explanations),
            document.at("model_version").string() or None,
        )
        if remaining.any:
            inputs.fault("length", "must have a tensor for all bytes after the JSON")
        if document.faults:
            raise problems.body_invalid(*document.faults)
        return request

    def _outputs(
        self, outputs: Node, explain: bool, as_bytes: bool, together: bool
    ) -> dict[str, bool]:
        """Read the requested outputs; the usual ones where none is named."""
        known = (*self.outputs, *self.explanations, *self.methods)
        if outputs.value is None or outputs.value == []:
            usual = [*self.methods][:1] if together else [*self.outputs]
            return dict.fromkeys([*usual, *(self.explanations if explain else ())], as_bytes)
        requested: dict[str, bool] = {}
        for node in outputs.items():
            node.require_object(_OUTPUT_MEMBERS)
            name = node.at("name").one_of(known, "unknown_output", "is not an output of this model")
            if name is not None and name in requested:
                node.at("name").fault("duplicate", "is a duplicate output")
            parameters = node.at("parameters")
            parameters.require_object_or_absent()
            for member in _UNSUPPORTED:
                if parameters.at(member).value is not None:
                    parameters.at(member).fault("unsupported", "is not supported")
            requested[name or ""] = parameters.at("binary_data").flag(as_bytes)
        return requested


class OpenInference(Dialect):
    """The dialect of Triton, KServe, MLServer and their clients."""

    __slots__ = ()

    def routes(self) -> Iterator[Route]:
        """Return the routes of the model."""
        model = self.service.model
        always = outputs(model.signature.target)
        on_request = explanations(model.signature) if model.predictor.explains else {}
        results = method_outputs(model.signature.target)
        reader = RequestReader(model.name, model.signature, always, on_request, results)
        of_model = _Model(self, always | on_request, results, reader)
        yield from map(with_json_problems, of_model.routes())

    def server_routes(self) -> Iterator[Route]:
        """Return the routes of the server: its metadata, its health, its models."""
        yield from map(with_json_problems, _Server(self.registry, self.limits).routes())


@dataclass(frozen=True, slots=True)
class _Server:
    """The routes of the server: metadata, health and the index of the models."""

    registry: Registry
    limits: Limits

    def routes(self) -> Iterator[Route]:
        yield Route("GET", "/v2", self.about, schemas.server_metadata)
        yield Route("POST", "/v2/repository/index", self.index, schemas.repository_index)
        for endpoint in (self.live, self.ready):
            name = endpoint.__name__
            yield Route("GET", f"/v2/health/{name}", endpoint, partial(schemas.health, name))

    def about(self, request: Request) -> Response:
        """Return the version of the server and its extensions of the protocol."""
        version = self.registry.default.model.version
        return _json({"name": "sklambda", "version": version, "extensions": [EXTENSION]})

    def live(self, request: Request) -> Response:
        """Check that the process runs."""
        return _json({"live": True})

    def ready(self, request: Request) -> Response:
        """Check that the golden rows of all models match scikit-learn's predictions."""
        self.registry.require_ready()
        return _json({"ready": True})

    def index(self, request: Request) -> Response:
        """Return the models, as Triton's model repository extension lists them."""
        content = exchange.read_body(request, self.limits)
        document = Node(parse_json(content) if content else {}, (), [])
        document.require_object({"ready"})
        only_ready = document.at("ready").flag(False)
        if document.faults:
            raise problems.body_invalid(*document.faults)
        models = [_indexed(service) for service in self.registry]
        listed = [each for each in models if not only_ready or each["state"] == _READY]
        return Response(exchange.to_json(listed))


@dataclass(frozen=True, slots=True)
class _Model:
    """The routes of the model, by its name, and by its version: the id of the package."""

    dialect: OpenInference
    outputs: Mapping[str, Output]
    results: Mapping[str, Output]
    reader: RequestReader

    @property
    def service(self) -> Service:
        return self.dialect.service

    def routes(self) -> Iterator[Route]:
        model = self.service.model
        for path, expected in (
            (_MODEL, {"model": model.name}),
            (_VERSION, {"model": model.name, "version": model.id}),
        ):
            metadata = partial(schemas.metadata, self.service, path)
            yield Route("GET", path, self.metadata, metadata, expected)
            readiness = partial(schemas.readiness, self.service, path)
            yield Route("GET", f"{path}/ready", self.ready, readiness, expected)
            names = (*self.outputs, *self.results)
            inference = partial(schemas.inference, self.service, path, names)
            yield Route("POST", f"{path}/infer", self.infer, inference, expected)

    def metadata(self, request: Request) -> Response:
        """Return the input and output tensors of the model."""
        self._version(request)
        model = self.service.model
        card = {
            "name": model.name,
            "versions": list(self.service.versions),
            "platform": PLATFORM,
            "inputs": [
                {"name": name, "datatype": datatype, "shape": [-1]}
                for name, datatype in preferred_datatypes(model.signature).items()
            ],
            "outputs": [output.describe() for output in self.outputs.values()],
        }
        return _json(card)

    def ready(self, request: Request) -> Response:
        """Check that the golden rows match scikit-learn's predictions."""
        self._version(request)
        self.service.require_ready()
        return _json({"name": self.service.model.name, "ready": True})

    def infer(self, request: Request) -> Response:
        """Score rows, with an input tensor for each feature and several output tensors."""
        version = self._version(request)
        exchange.require_media_type(request, schemas.MEDIA_TYPES)
        header, binary = _split_body(exchange.read_body(request, self.dialect.limits), request)
        inference = self.reader.read(header, binary, self.dialect.limits)
        version = self._agreed(version, inference.version)
        prediction = PredictionRequest(
            inference.rows, request.caller, inference.explain, inference.coerced, version
        )
        try:
            response = self.service.predict(prediction)
        except RowsInvalid as invalid:
            raise problems.rows_invalid(
                inference.with_datatypes(invalid), inference.locate
            ) from None
        return self._respond(inference, response, request.caller)

    def _respond(
        self, request: InferenceRequest, response: PredictionResponse, caller: Caller
    ) -> Response:
        """Return the requested tensors; those as bytes follow the JSON."""
        described, binary = [], []
        for name, as_bytes in request.outputs.items():
            output = self.outputs.get(name) or self.results[name]
            data = output.extract(response, caller)
            if as_bytes:
                binary.append(tensors.to_bytes(output.datatype, data))
                size = {"binary_data_size": len(binary[-1])}
                described.append(output.describe(len(response.predictions), size))
            else:
                described.append(output.describe(len(response.predictions)) | {"data": data})
        names = {"model_name": response.model.name, "model_version": response.model.id}
        identity = {} if request.id is None else {"id": request.id}
        limits = thresholds(response.model.signature.target)
        parameters = {"parameters": limits} if limits else {}
        header = exchange.to_json(names | identity | parameters | {"outputs": described})
        rows = len(response.predictions)
        if not binary:
            return Response(header, rows=rows)
        content = b"".join([header, *binary])
        return Response(content, schemas.BINARY, headers={_LENGTH: str(len(header))}, rows=rows)

    def _version(self, request: Request) -> ServedModel | None:
        """Return the requested version, if any; raises the problem of an unknown one."""
        self.dialect.require_name(request.path_parameters["model"])
        version = request.path_parameters.get("version")
        model = None if version is None else self.service.version(version)
        if version and model is None:
            raise problems.unknown_version(self.service.version_names)
        return model

    def _agreed(self, model: ServedModel | None, named: str | None) -> ServedModel | None:
        """Return the version of path and body; raises the problem of two, or of an unknown one."""
        if named is None:
            return model
        found = self.service.version(named)
        if found is None or found is not (model or found):
            raise problems.unknown_version(self.service.version_names)
        return found


def _indexed(service: Service) -> dict[str, str]:
    mismatch = service.model.mismatch
    state = {"state": _READY, "reason": ""}
    if mismatch is not None:
        state = {"state": "UNAVAILABLE", "reason": f"golden row {mismatch.name}"}
    return {"name": service.model.name, "version": service.model.id, **state}


def _json(document: Mapping[str, Any]) -> Response:
    return Response(exchange.to_json(document))


def _split_body(body: bytes, request: Request) -> tuple[bytes, bytes]:
    """Split a body into the JSON and the bytes after it."""
    if _LENGTH not in request.headers:
        return body, b""
    length = exchange.byte_count(request.headers, _LENGTH)
    if length is None or length > len(body):
        detail = f"must begin with JSON of the length in {schemas.HEADER_LENGTH}"
        raise problems.body_invalid(("", "header_length", detail))
    return body[:length], body[length:]
