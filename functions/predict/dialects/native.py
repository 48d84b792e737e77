"""``POST /predict``, the native dialect: instances by feature, predictions with all details."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from functions.predict.dialects.dialect import Dialect
from functions.predict.http import exchange, problems, schemas
from functions.predict.http.exchange import Request
from functions.predict.http.json_reader import parse_json
from functions.predict.http.response import JSON, Response
from functions.predict.http.routes import Route
from functions.predict.model import PredictionRequest, PredictionResponse
from sklambda.codec.codec import Row
from sklambda.errors import Fault, RowsInvalid

_PATH: Final = "/predict"


class Native(Dialect):
    """The dialect of this project."""

    __slots__ = ()

    def routes(self) -> Iterator[Route]:
        """Return the one route."""
        yield Route("POST", _PATH, self.predict, self._describe)

    def _describe(self) -> dict[str, Any]:
        signature = self.service.model.signature
        request = schemas.json_body(schemas.predict_request(signature, self._row_id))
        response = schemas.predict_response(signature)
        return {
            "openapi_extra": request | schemas.EXPLAIN,
            "responses": schemas.json_responses(response, *schemas.SCORING_ERRORS),
        }

    def predict(self, request: Request) -> Response:
        """Score instances: label, score and the probability of each class."""
        exchange.require_media_type(request, [JSON])
        rows = _instances(parse_json(exchange.read_body(request, self.limits)))
        self.limits.require_rows(len(rows))
        explain = _explain(request)
        row_ids = _take_row_ids(rows, self._row_id)
        asked = PredictionRequest(rows, request.caller, explain, row_ids=row_ids)
        try:
            response = self.service.predict(asked)
        except RowsInvalid as invalid:
            raise problems.rows_invalid(invalid, _locate) from None
        return Response(exchange.to_json(_document(asked, response)), rows=len(rows))

    @property
    def _row_id(self) -> str | None:
        return schemas.row_id_member(self.service.model.signature)


def _locate(fault: Fault) -> str:
    return problems.pointer("instances", *fault.place)


def _explain(request: Request) -> bool:
    value = request.query.get("explain", "false").lower()
    if value not in ("true", "false"):
        raise problems.body_invalid(("", "type", "explain must be true or false"))
    return value == "true"


def _instances(document: object) -> list[Row]:
    if not isinstance(document, dict):
        raise problems.body_invalid(("", "type", "must be an object"))
    unknown = [
        (problems.pointer(name), "unknown_member", "is an unknown member")
        for name in document
        if name != "instances"
    ]
    if unknown:
        raise problems.body_invalid(*unknown[: problems.MAX_ERRORS])
    rows = document.get("instances")
    if not isinstance(rows, list) or not rows:
        raise problems.body_invalid(("/instances", "type", "must be a list of at least one object"))
    return rows


def _take_row_ids(rows: list[Any], member: str | None) -> list[object]:
    """Take the client's ids out of the rows; empty without any."""
    ids = [row.pop(member, None) if isinstance(row, dict) else None for row in rows]
    return ids if any(one is not None for one in ids) else []


def _document(request: PredictionRequest, response: PredictionResponse) -> dict[str, Any]:
    model = {"name": response.model.name, "id": response.model.id}
    predictions: list[dict[str, Any]] = [
        {
            "prediction_id": request.caller.prediction_id(index),
            **prediction.members,
            "warnings": [{"feature": each.feature, "code": each.code} for each in warnings],
        }
        for index, (prediction, warnings) in enumerate(
            zip(response.predictions, response.warnings, strict=True)
        )
    ]
    for prediction, row_id in zip(predictions, request.row_ids, strict=False):
        if isinstance(row_id, (str, int, float)):
            prediction[schemas.ROW_ID] = row_id
    for prediction, explanations in zip(predictions, response.explanations, strict=False):
        prediction["explanations"] = [asdict(each) for each in explanations]
    return {"model": model, "predictions": predictions}
