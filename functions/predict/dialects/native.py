"""``POST /predict``: instances by feature, answers with all that is known of them."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from functions.predict.dialects.dialect import Dialect
from functions.predict.http import exchange, problems, schemas
from functions.predict.http.exchange import Caller, Request
from functions.predict.http.response import JSON, Response
from functions.predict.http.routes import Route
from functions.predict.model import Question, Reply
from sklambda.codec.codec import Row
from sklambda.errors import Fault, RowsInvalid

_PATH: Final = "/predict"


class Native(Dialect):
    """The dialect of this project."""

    __slots__ = ()

    def routes(self) -> Iterator[Route]:
        """Give the one route."""
        yield Route("POST", _PATH, self.predict, self._described)

    def _described(self) -> dict[str, Any]:
        signature = self.service.model.signature
        return {
            "openapi_extra": schemas.body(schemas.request(signature)) | schemas.EXPLAIN,
            "responses": schemas.answers(schemas.response(signature), *schemas.SCORED),
        }

    def predict(self, request: Request) -> Response:
        """Score instances: label, score and the probability of each class."""
        exchange.media_type(request, [JSON])
        rows = _instances(exchange.document(exchange.body(request, self.limits)))
        self.limits.require_rows(len(rows))
        try:
            reply = self.service.ask(Question(rows, request.caller, explain=_explains(request)))
        except RowsInvalid as invalid:
            raise problems.rows_invalid(invalid, _place) from None
        return Response(exchange.written(_shown(reply, request.caller)))


def _place(fault: Fault) -> str:
    return problems.pointer("instances", *fault.place)


def _explains(request: Request) -> bool:
    asked = request.query.get("explain", "false").lower()
    if asked not in ("true", "false"):
        raise problems.body_invalid(("", "type", "explain must be true or false"))
    return asked == "true"


def _instances(document: object) -> list[Row]:
    if not isinstance(document, dict):
        raise problems.body_invalid(("", "type", "must be an object"))
    strangers = [
        (problems.pointer(name), "unknown_member", "is not a member of a request")
        for name in document
        if name != "instances"
    ]
    if strangers:
        raise problems.body_invalid(*strangers[: problems.MOST_ERRORS])
    rows = document.get("instances")
    if not isinstance(rows, list) or not rows:
        raise problems.body_invalid(("/instances", "type", "must be a list of at least one object"))
    return rows


def _shown(reply: Reply, caller: Caller) -> dict[str, Any]:
    model = {"name": reply.model.name, "id": reply.model.id}
    predictions: list[dict[str, Any]] = [
        {
            "prediction_id": caller.prediction_id(place),
            **prediction.members,
            "warnings": [{"feature": one.feature, "code": one.code} for one in cautions],
        }
        for place, (prediction, cautions) in enumerate(
            zip(reply.predictions, reply.cautions, strict=True)
        )
    ]
    for prediction, explanations in zip(predictions, reply.explanations, strict=False):
        prediction["explanations"] = [asdict(each) for each in explanations]
    return {"model": model, "predictions": predictions}
