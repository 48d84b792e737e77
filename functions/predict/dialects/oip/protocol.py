"""``/v2``: the Open Inference Protocol, version 2, with tensors in JSON or as bytes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from functions.predict.dialects.dialect import Dialect
from functions.predict.dialects.oip import inputs, schemas, tensors
from functions.predict.dialects.oip.outputs import Output, explanations, outputs, thresholds
from functions.predict.dialects.oip.request import Asked, Form
from functions.predict.http import exchange, problems
from functions.predict.http.exchange import Caller, Limits, Request
from functions.predict.http.response import Response
from functions.predict.http.routes import Route
from functions.predict.model import Model, Question, Reply
from functions.predict.service import Service
from sklambda.errors import RowsInvalid

EXTENSION: Final = "binary_tensor_data"
PLATFORM: Final = "onnxruntime_onnx"

_MODEL: Final = "/v2/models/{model}"
_VERSION: Final = f"{_MODEL}/versions/{{version}}"
_LENGTH: Final = schemas.HEADER_LENGTH.lower()


class OpenInference(Dialect):
    """The dialect of Triton, KServe, MLServer and their clients."""

    __slots__ = ()

    def routes(self) -> Iterator[Route]:
        """Give the routes of the server and of the model."""
        model = self.service.model
        given = outputs(model.signature.target)
        explained = explanations(model.signature) if model.predictor.explains else {}
        form = Form(model.signature, given, explained)
        yield from _Server(self.service).routes()
        yield from _Model(self.service, self.limits, given | explained, form).routes()


@dataclass(frozen=True, slots=True)
class _Server:
    """What the service says of itself."""

    service: Service

    def routes(self) -> Iterator[Route]:
        yield Route("GET", "/v2", self.about, schemas.about)
        for endpoint in (self.live, self.ready):
            name = endpoint.__name__
            yield Route("GET", f"/v2/health/{name}", endpoint, partial(schemas.health, name))

    def about(self, request: Request) -> Response:
        """Tell which extensions of the protocol are spoken."""
        version = self.service.model.version
        return _told({"name": "sklambda", "version": version, "extensions": [EXTENSION]})

    def live(self, request: Request) -> Response:
        """Tell that the process runs."""
        return _told({"live": True})

    def ready(self, request: Request) -> Response:
        """Tell whether the golden rows get scikit-learn's answers."""
        self.service.require_ready()
        return _told({"ready": True})


@dataclass(frozen=True, slots=True)
class _Model:
    """The one model, under its name, and under its version: the id of its package."""

    service: Service
    limits: Limits
    outputs: Mapping[str, Output]
    form: Form

    def routes(self) -> Iterator[Route]:
        model = self.service.model
        for path, known in (
            (_MODEL, {"model": model.name}),
            (_VERSION, {"model": model.name, "version": model.id}),
        ):
            metadata = partial(schemas.metadata, self.service, path)
            yield Route("GET", path, self.metadata, metadata, known)
            readiness = partial(schemas.readiness, self.service, path)
            yield Route("GET", f"{path}/ready", self.ready, readiness, known)
            inference = partial(schemas.inference, self.service, path, self.outputs)
            yield Route("POST", f"{path}/infer", self.infer, inference, known)

    def metadata(self, request: Request) -> Response:
        """Describe the tensors that the model takes and gives."""
        self._version(request)
        model = self.service.model
        card = {
            "name": model.name,
            "versions": list(self.service.versions),
            "platform": PLATFORM,
            "inputs": [
                {"name": name, "datatype": datatype, "shape": [-1]}
                for name, datatype in inputs.preferred(model.signature).items()
            ],
            "outputs": [output.described() for output in self.outputs.values()],
        }
        return _told(card)

    def ready(self, request: Request) -> Response:
        """Tell whether the golden rows get scikit-learn's answers."""
        self._version(request)
        self.service.require_ready()
        return _told({"name": self.service.model.name, "ready": True})

    def infer(self, request: Request) -> Response:
        """Score rows: an input tensor for each feature, an output tensor for each answer."""
        version = self._version(request)
        exchange.media_type(request, schemas.MEDIA_TYPES)
        header, blobs = _parted(exchange.body(request, self.limits), request)
        asked = self.form.read(header, blobs, self.limits)
        question = Question(asked.rows, request.caller, asked.explain, asked.coerced, version)
        try:
            reply = self.service.ask(question)
        except RowsInvalid as invalid:
            raise problems.rows_invalid(asked.with_datatypes(invalid), asked.locate) from None
        return self._answer(asked, reply, request.caller)

    def _answer(self, asked: Asked, reply: Reply, caller: Caller) -> Response:
        """Write the tensors that were asked for, those as bytes behind the JSON."""
        shown, blobs = [], []
        for name, as_bytes in asked.outputs.items():
            output = self.outputs[name]
            data = output.take(reply, caller)
            if as_bytes:
                blobs.append(tensors.to_bytes(output.datatype, data))
                size = {"binary_data_size": len(blobs[-1])}
                shown.append(output.described(len(reply.predictions), size))
            else:
                shown.append(output.described(len(reply.predictions)) | {"data": data})
        names = {"model_name": reply.model.name, "model_version": reply.model.id}
        identity = {} if asked.id is None else {"id": asked.id}
        decided = thresholds(reply.model.signature.target)
        parameters = {"parameters": decided} if decided else {}
        header = exchange.written(names | identity | parameters | {"outputs": shown})
        if not blobs:
            return Response(header)
        content = b"".join([header, *blobs])
        return Response(content, schemas.BINARY, headers={_LENGTH: str(len(header))})

    def _version(self, request: Request) -> Model | None:
        """Find the version that is asked for, if one is; raises the problem of an unknown one."""
        version = request.parts.get("version")
        found = None if version is None else self.service.versions.get(version)
        if request.parts["model"] != self.service.model.name or (version and found is None):
            raise problems.unknown_model()
        return found


def _told(document: Mapping[str, Any]) -> Response:
    return Response(exchange.written(document))


def _parted(body: bytes, request: Request) -> tuple[bytes, bytes]:
    """Part a body into the JSON and the bytes behind it."""
    if _LENGTH not in request.headers:
        return body, b""
    length = exchange.length(request.headers, _LENGTH)
    if length is None or length > len(body):
        detail = f"must begin with JSON of the length that {schemas.HEADER_LENGTH} tells"
        raise problems.body_invalid(("", "header_length", detail))
    return body[:length], body[length:]
