"""``/v1/models``: the first version of KServe's protocol."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from functions.predict.dialects.dialect import Dialect, with_json_problems
from functions.predict.dialects.invocations import schemas, tables
from functions.predict.dialects.invocations.scoring import score_table
from functions.predict.dialects.options import read_params
from functions.predict.http import exchange, problems
from functions.predict.http.exchange import Request
from functions.predict.http.json_reader import parse_json
from functions.predict.http.response import JSON, Response
from functions.predict.http.routes import Route

_MODEL: Final = "/v1/models/{model}"
_TABLES: Final = ("instances", "inputs")


class KServe(Dialect):
    """The dialect of KServe's first protocol; its second one is the Open Inference Protocol."""

    __slots__ = ()

    def routes(self) -> Iterator[Route]:
        """Return the routes of the model and of predictions."""
        yield from map(with_json_problems, self._routes())

    def server_routes(self) -> Iterator[Route]:
        """Return the route of the names of the models."""
        yield with_json_problems(Route("GET", "/v1/models", self.models, schemas.v1_models))

    def _routes(self) -> Iterator[Route]:
        name = self.service.model.name
        expected = {"model": name}
        ready = partial(schemas.v1_model, name)
        yield Route("GET", _MODEL, self.model, ready, expected)
        predict = partial(schemas.v1_predict, self.service)
        yield Route("POST", f"{_MODEL}:predict", self.predict_v1, predict, expected)
        yield Route("POST", f"{_MODEL}:explain", self.explain_v1, None, expected)

    def models(self, request: Request) -> Response:
        """Return the names of the models."""
        return Response(exchange.to_json({"models": self.registry.names}))

    def model(self, request: Request) -> Response:
        """Check that the golden rows match scikit-learn's predictions."""
        self.require_name(request.path_parameters["model"])
        self.service.require_ready()
        return Response(exchange.to_json({"name": self.service.model.name, "ready": True}))

    def predict_v1(self, request: Request) -> Response:
        """Score rows, by default with the result of scikit-learn's predict."""
        self.require_name(request.path_parameters["model"])
        exchange.require_media_type(request, [JSON])
        document: Any = parse_json(exchange.read_body(request, self.limits), inf_nan=True)
        signature = self.service.model.signature
        table = tables.read_json(document, signature, self.limits, _TABLES)
        options, faults = read_params(document.get(tables.PARAMETERS), "", signature.target)
        table = table.with_faults(faults)
        scored = score_table(self.service, table, options, request.caller)
        content = exchange.to_json(scored.document)
        return Response(content, headers=scored.warnings_header, rows=len(table.rows))

    def explain_v1(self, request: Request) -> Response:
        """Refuse KServe's explanations, whose protocol leaves their form open."""
        raise problems.explain_unsupported()
