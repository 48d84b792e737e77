"""``/v2``: the Open Inference Protocol, version 2, with tensors in JSON or as bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from functions.predict import exchange, problems
from functions.predict.application import Application
from functions.predict.dialects import oip_inputs, oip_schemas, oip_tensors
from functions.predict.dialects.oip_outputs import Output, explanations, outputs
from functions.predict.dialects.oip_request import Asked, Form
from functions.predict.exchange import Limits
from functions.predict.service import Caller, Question, Reply, Service
from sklambda.errors import RowsInvalid

EXTENSION: Final = "binary_tensor_data"
PLATFORM: Final = "onnxruntime_onnx"

_MODEL: Final = "/v2/models/{model}"
_VERSION: Final = f"{_MODEL}/versions/{{version}}"


@dataclass(frozen=True, slots=True)
class OpenInference:
    """The dialect of Triton, KServe, MLServer and their clients.

    Attributes
    ----------
    service : Service
        What answers.
    limits : Limits
        The most that a request may hold.
    """

    service: Service
    limits: Limits

    def mount(self, app: Application) -> None:
        """Add the routes to an application."""
        model = self.service.model
        given = outputs(model.signature.target)
        explained = explanations(model.signature) if model.predictor.explains else {}
        form = Form(model.signature, given, explained)
        _Server(self.service, app.version).mount(app)
        _Model(self.service, self.limits, given | explained, form).mount(app)


@dataclass(frozen=True, slots=True)
class _Server:
    """What the service says of itself."""

    service: Service
    version: str

    def mount(self, app: Application) -> None:
        app.get("/v2", **oip_schemas.about())(self.about)
        app.get("/v2/health/live", **oip_schemas.health("live"))(self.live)
        app.get("/v2/health/ready", **oip_schemas.health("ready"))(self.ready)

    async def about(self, request: Request) -> Response:
        """Tell which extensions of the protocol are spoken."""
        about = {"name": "sklambda", "version": self.version, "extensions": [EXTENSION]}
        return _told(about, request)

    async def live(self, request: Request) -> Response:
        """Tell that the process runs."""
        return _told({"live": True}, request)

    async def ready(self, request: Request) -> Response:
        """Tell whether the golden rows get scikit-learn's answers."""
        self.service.require_ready()
        return _told({"ready": True}, request)


@dataclass(frozen=True, slots=True)
class _Model:
    """The one model, under its name, and under its version: the id of its package."""

    service: Service
    limits: Limits
    outputs: Mapping[str, Output]
    form: Form

    def mount(self, app: Application) -> None:
        for path in (_MODEL, _VERSION):
            model = self.service.model
            app.get(path, **oip_schemas.metadata(model, path))(self.metadata)
            app.get(f"{path}/ready", **oip_schemas.readiness(model, path))(self.ready)
            inference = oip_schemas.inference(model, path, self.outputs)
            app.post(f"{path}/infer", **inference)(self.infer)

    async def metadata(self, request: Request) -> Response:
        """Describe the tensors that the model takes and gives."""
        self._require_known(request)
        model = self.service.model
        card = {
            "name": model.name,
            "versions": [model.id],
            "platform": PLATFORM,
            "inputs": [
                {"name": name, "datatype": datatype, "shape": [-1]}
                for name, datatype in oip_inputs.preferred(model.signature).items()
            ],
            "outputs": [output.described() for output in self.outputs.values()],
        }
        return _told(card, request)

    async def ready(self, request: Request) -> Response:
        """Tell whether the golden rows get scikit-learn's answers."""
        self._require_known(request)
        self.service.require_ready()
        return _told({"name": self.service.model.name, "ready": True}, request)

    async def infer(self, request: Request) -> Response:
        """Score rows: an input tensor for each feature, an output tensor for each answer."""
        self._require_known(request)
        exchange.media_type(request, oip_schemas.MEDIA_TYPES)
        header, blobs = _parted(await exchange.body(request, self.limits), request)
        asked = self.form.read(header, blobs, self.limits)
        caller = exchange.caller(request)
        question = Question(asked.rows, caller, asked.explain, asked.coerced)
        try:
            reply = self.service.ask(question)
        except RowsInvalid as invalid:
            raise problems.rows_invalid(asked.with_datatypes(invalid), asked.locate) from None
        return self._answer(asked, reply, caller)

    def _answer(self, asked: Asked, reply: Reply, caller: Caller) -> Response:
        """Write the tensors that were asked for, those as bytes behind the JSON."""
        shown, blobs = [], []
        for name, as_bytes in asked.outputs.items():
            output = self.outputs[name]
            data = output.take(reply, caller)
            if as_bytes:
                blobs.append(oip_tensors.to_bytes(output.datatype, data))
                size = {"binary_data_size": len(blobs[-1])}
                shown.append(output.described(len(reply.predictions), size))
            else:
                shown.append(output.described(len(reply.predictions)) | {"data": data})
        names = {"model_name": reply.model.name, "model_version": reply.model.id}
        identity = {} if asked.id is None else {"id": asked.id}
        header = exchange.written(names | identity | {"outputs": shown})
        if not blobs:
            return exchange.answer(header, caller)
        response = exchange.answer(b"".join([header, *blobs]), caller, oip_schemas.BINARY)
        response.headers[oip_schemas.HEADER_LENGTH] = str(len(header))
        return response

    def _require_known(self, request: Request) -> None:
        """Raise the problem of a model, or a version of it, that is not served."""
        known = {"model": self.service.model.name, "version": self.service.model.id}
        if any(known[part] != asked for part, asked in request.path_params.items()):
            raise problems.unknown_model()


def _told(document: Mapping[str, Any], request: Request) -> Response:
    return exchange.answer(exchange.written(document), exchange.caller(request))


def _parted(body: bytes, request: Request) -> tuple[bytes, bytes]:
    """Part a body into the JSON and the bytes behind it."""
    if oip_schemas.HEADER_LENGTH not in request.headers:
        return body, b""
    length = exchange.length(request, oip_schemas.HEADER_LENGTH)
    if length is None or length > len(body):
        detail = f"must begin with JSON of the length that {oip_schemas.HEADER_LENGTH} tells"
        raise problems.body_invalid(("", "header_length", detail))
    return body[:length], body[length:]
