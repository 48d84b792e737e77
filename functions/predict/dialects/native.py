"""``POST /predict``: instances by feature, answers with all that is known of them."""

from dataclasses import asdict, dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from functions.predict import exchange, problems, schemas
from functions.predict.application import Application
from functions.predict.exchange import Limits
from functions.predict.service import Caller, Question, Reply, Service
from sklambda.codec import Row
from sklambda.errors import Fault, RowsInvalid

_PATH: Final = "/predict"


@dataclass(frozen=True, slots=True)
class Native:
    """The dialect of this project.

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
        """Add the route to an application."""
        signature = self.service.model.signature
        app.post(
            _PATH,
            openapi_extra=schemas.body(schemas.request(signature)) | schemas.EXPLAIN,
            responses=schemas.answers(schemas.response(signature)),
        )(self.predict)

    async def predict(self, request: Request) -> Response:
        """Score instances: label, score and the probability of each class."""
        caller = exchange.caller(request)
        exchange.media_type(request, [exchange.JSON])
        rows = _instances(exchange.document(await exchange.body(request, self.limits)))
        self.limits.require_rows(len(rows))
        try:
            reply = self.service.ask(Question(rows, caller, explain=_explains(request)))
        except RowsInvalid as invalid:
            raise problems.rows_invalid(invalid, _place) from None
        return exchange.answer(exchange.written(_shown(reply, caller)), caller)


def _place(fault: Fault) -> str:
    return problems.pointer("instances", *fault.place)


def _explains(request: Request) -> bool:
    if not request.scope["query_string"]:
        return False
    asked = request.query_params.get("explain", "false").lower()
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
