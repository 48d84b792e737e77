"""``POST /predict``, the native dialect: instances by feature, predictions with all details."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any, Final

from functions.predict.dialects.dialect import Dialect
from functions.predict.dialects.options import (
    Options,
    fields_of,
    read_fields,
    read_on_error,
    select_fields,
)
from functions.predict.dialects.skipping import score_good_rows, to_rejects
from functions.predict.http import exchange, problems, schemas
from functions.predict.http.exchange import Request
from functions.predict.http.json_reader import parse_json
from functions.predict.http.problems import BodyFault, pointer
from functions.predict.http.response import JSON, Response
from functions.predict.http.routes import Route
from functions.predict.model import PredictionRequest, PredictionResponse
from sklambda.codec.codec import Row
from sklambda.errors import Fault, RowsInvalid

_PATH: Final = "/predict"
_OPTIONS: Final = ("fields", "on_error")
_DETAILS: Final = ("prediction_id", "row_id", "warnings", "explanations")
"""The members of a prediction beside those that say what was predicted."""
_USUAL: Final = Options()


class Native(Dialect):
    """The dialect of this project."""

    __slots__ = ()

    def routes(self) -> Iterator[Route]:
        """Return the one route."""
        yield Route("POST", _PATH, self.predict, self._describe)

    def _describe(self) -> dict[str, Any]:
        signature = self.service.model.signature
        request = schemas.json_body(
            schemas.predict_request(signature, schemas.row_id_member(signature))
        )
        response = schemas.predict_response(signature)
        return {
            "openapi_extra": request | schemas.OPTIONS,
            "responses": schemas.json_responses(response, *schemas.SCORING_ERRORS),
        }

    def predict(self, request: Request) -> Response:
        """Score instances: label, score and the probability of each class.

        `?fields=label,score` returns only these members of each prediction.
        """
        exchange.require_media_type(request, [JSON])
        document = parse_json(exchange.read_body(request, self.limits))
        rows = _instances(document)
        self.limits.require_rows(len(rows))
        options = self._options(document, request.query)
        row_ids = self._take_row_ids(rows)
        asked = PredictionRequest(rows, request.caller, _explain(request), row_ids=row_ids)
        if options.skip:
            return Response(exchange.to_json(self._partly(asked, options)), rows=len(rows))
        try:
            response = self.service.predict(asked)
        except RowsInvalid as invalid:
            raise problems.rows_invalid(invalid, _locate) from None
        scored = _document(asked, response)
        if options.fields:
            scored["predictions"] = _lean(scored["predictions"], options)
        return Response(exchange.to_json(scored), rows=len(rows))

    def _take_row_ids(self, rows: list[Any]) -> list[object]:
        """Take the client's ids out of the rows; empty without any."""
        signature = self.service.model.signature
        features = len(signature.features)
        for row in rows:
            if isinstance(row, dict) and len(row) > features:
                break
        else:
            return []  # the usual case: no row has more members than features
        member = schemas.row_id_member(signature)
        return [row.pop(member, None) if isinstance(row, dict) else None for row in rows]

    def _options(self, document: Mapping[str, Any], query: Mapping[str, str]) -> Options:
        """Return the options of a request: members of the body, or parameters of the query."""
        if len(document) == 1 and not query:
            return _USUAL
        options, faults = _USUAL, list[BodyFault]()
        # What the body says counts; what the query says must be valid all the same.
        for given, place in ((query, lambda name: ""), (document, pointer)):
            if "fields" in given:
                known = [*_DETAILS, *fields_of(self.service.model.signature.target)]
                fields, more = read_fields(given["fields"], place("fields"), known)
                options, faults = replace(options, fields=fields), [*faults, *more]
            if "on_error" in given:
                skip, more = read_on_error(given["on_error"], place("on_error"))
                options, faults = replace(options, skip=skip), [*faults, *more]
        if faults:
            raise problems.body_invalid(*faults)
        return options

    def _partly(self, asked: PredictionRequest, options: Options) -> dict[str, Any]:
        """Return the predictions for the rows without a fault, and the faults of the others."""
        scored = score_good_rows(self.service, asked)
        model = self.service.model
        document: dict[str, Any] = {
            "model": {"name": model.name, "id": model.id},
            "predictions": [],
        }
        if scored.response:
            document = _document(scored.request, scored.response)
        predictions = _lean(document["predictions"], options)
        document["predictions"] = [
            {"index": index, **prediction}
            for index, prediction in zip(scored.indices, predictions, strict=True)
        ]
        faults = (
            (fault.row, (_locate(fault), fault.code.value, fault.detail)) for fault in scored.faults
        )
        return document | {"rejects": to_rejects(faults)}


def _lean(predictions: list[dict[str, Any]], options: Options) -> list[dict[str, Any]]:
    return [select_fields(prediction, options.fields) for prediction in predictions]


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
        if name != "instances" and name not in _OPTIONS
    ]
    if unknown:
        raise problems.body_invalid(*unknown)
    rows = document.get("instances")
    if not isinstance(rows, list) or not rows:
        raise problems.body_invalid(("/instances", "type", "must be a list of at least one object"))
    return rows


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
