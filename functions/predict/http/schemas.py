"""The OpenAPI schemas of one model, derived from its signature."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from functions.predict.http.named_schemas import Schema, choice, named_object, title_of, typed
from functions.predict.http.response import JSON
from sklambda.codec.row_warnings import RowWarningCode
from sklambda.codec.values import EXACT_INTEGER
from sklambda.decision import threshold
from sklambda.signature import Feature, Kind, Scalar, Scores, Signature, Target

type Responses = dict[int | str, dict[str, Any]]

_JSON_TYPES: Final[dict[Kind, str]] = {
    "number": "number",
    "integer": "integer",
    "boolean": "boolean",
    "category": "string",
    "text": "string",
    "datetime": "string",
}
_STRING: Final[Schema] = {"type": "string"}
_NUMBER: Final = ["number", "null"]  # null for a number that is not finite
_MAX_CATEGORIES: Final = 50
BODY_ERRORS: Final = (400, 413, 415, 422)
"""Error statuses of a route that reads a body."""
SCORING_ERRORS: Final = (*BODY_ERRORS, 503)
"""Error statuses of a route that scores."""
RESPONSE_HEADERS: Final[dict[str, Any]] = {
    "x-request-id": {"required": True, "schema": _STRING, "description": "Id of the request."}
}
"""The headers of every response."""
_PREDICTION_ID: Final[Schema] = {
    "type": "string",
    "minLength": 1,
    "maxLength": 256,
    "pattern": "^[ -~]*$",
}
ROW_ID: Final = "row_id"
"""The member of a prediction with the client's id of the row."""
_ROW_ID: Final[Schema] = {"type": ["string", "integer"], "minLength": 1, "maxLength": 256}
_ON_ERROR: Final = ("fail", "skip")
OPTIONS: Final[dict[str, Any]] = {
    "parameters": [
        {"name": "on_error", "in": "query", "schema": choice("OnError", _ON_ERROR)},
        {
            "name": "explain",
            "in": "query",
            "schema": {"type": "boolean", "default": False},
            "description": "Whether to return the contribution of each feature to each score.",
        },
    ]
}
_SCORE_DESCRIPTIONS: Final[dict[Scores, str]] = {
    "decision": "The decision function.",
    "votes": "Number of class pairs that the label won, plus a fraction for the margin.",
}


def row_id_member(signature: Signature) -> str | None:
    """Return the member of an instance that holds the client's id of the row, if there is one.

    The column of the signature, or else `ROW_ID` where no feature has that name.
    """
    if signature.row_id is not None:
        return signature.row_id
    return None if ROW_ID in signature.names else ROW_ID


def predict_request(signature: Signature, row_id: str | None = None) -> Schema:
    """Return the schema of a request: every feature by name, with its type and an example.

    A member may hold the client's id of the row: by default the column of the signature. Columns
    that the model ignores are optional and may hold anything.
    """
    features = {feature.name: _feature(feature) for feature in signature.features}
    name = row_id or signature.row_id
    own_id = {"description": "The client's id of the row; not a feature."}
    unread = {"description": "Ignored: the model does not read this column."}
    optional = dict.fromkeys(signature.ignored, unread) | ({} if name is None else {name: own_id})
    instance = named_object("Instance", features, optional) | {"example": signature.example}
    instances = {"type": "array", "items": instance, "minItems": 1}
    example = {"instances": [signature.example]}
    request = named_object("PredictRequest", {"instances": instances}, {"on_error": on_error()})
    return request | {"example": example}


def predict_response(signature: Signature) -> Schema:
    """Return the schema of the response to such a request."""
    model = {"name": _STRING, "id": _STRING | {"description": "Id of the model package."}}
    members = {
        "prediction_id": _STRING | {"description": "Id of the prediction, for feedback."},
        **_prediction(signature.target),
        "warnings": {"type": "array", "items": _warning(signature)},
    }
    optional = {
        ROW_ID: {"description": "The client's id of the row, as it was sent."},
        "explanations": _explanations(signature),
        "index": {"type": "integer", "description": "With on_error=skip: the row's position."},
    }
    prediction = named_object("Prediction", members, optional)
    predictions = {"type": "array", "items": prediction}
    return named_object(
        "PredictResponse",
        {"model": named_object("Model", model), "predictions": predictions},
        {"rejects": rejects()},
    )


def _explanations(signature: Signature) -> Schema:
    """Return the schema of the explanations: one for each target, if requested."""
    number = {"type": "number"}
    contributions = named_object("Contributions", dict.fromkeys(signature.names, number))
    members = {
        "answer": {"description": "The explained class or output."},
        "scale": _STRING
        | {"description": "Scale of the contributions: the score, or its log-odds."},
        "base": number | {"description": "Mean over rows of the training data."},
        "value": number | {"description": "Sum of the base and all contributions."},
        "contributions": contributions,
        "method": choice("ExplanationMethod", ["linear", "trees", "kernel"]),
        "evaluations": {"type": "integer"},
        "target": {"type": ["string", "null"]},
    }
    return {"type": "array", "items": named_object("Explanation", members)}


def _warning(signature: Signature) -> Schema:
    codes = [code.value for code in RowWarningCode]
    feature = choice("FeatureName", signature.names)
    return named_object("Warning", {"feature": feature, "code": choice("WarningCode", codes)})


def feedback_request(target: Target) -> Schema:
    """Return the schema of a request with outcomes."""
    time = {
        "type": ["string", "null"],
        "format": "date-time",
        "description": "Time of the outcome; by default the time of the request.",
    }
    selection = {
        "type": ["number", "null"],
        "minimum": 1e-6,
        "maximum": 1,
        "description": "Probability that this prediction was selected for an outcome; else 1.",
    }
    own_id = _ROW_ID | {"description": "In place of it, the client's id of the row."}
    identity = {"prediction_id": _PREDICTION_ID, "row_id": own_id}
    outcome = named_object(
        "Outcome",
        {"outcome": _outcome(target)},
        {**identity, "time": time, "selection": selection},
    ) | {"oneOf": [{"required": [name]} for name in identity]}
    outcomes = {"type": "array", "items": outcome, "minItems": 1}
    example = {"prediction_id": "2f0c9a4e-0", "outcome": _outcome_example(target)}
    request = named_object("FeedbackRequest", {"outcomes": outcomes})
    return request | {"example": {"outcomes": [example]}}


def _outcome(target: Target) -> Schema:
    if target.parts:
        outcomes = {str(part.name): _outcome(part) for part in target.parts}
        return named_object("OutcomeOfTargets", outcomes)
    if len(target.outputs) > 1:
        outcomes = {name: {"type": "number"} for name in target.outputs}
        return named_object("OutcomeOfOutputs", outcomes)
    return choice("Label", target.classes) if target.classes else {"type": "number"}


def _outcome_example(target: Target) -> Scalar | dict[str, Any]:
    if target.parts:
        return {str(part.name): _outcome_example(part) for part in target.parts}
    if len(target.outputs) > 1:
        return dict.fromkeys(target.outputs, 1.5)
    return target.classes[0] if target.classes else 1.5


def feedback_response() -> Schema:
    """Return the schema of the response to outcomes."""
    return named_object("FeedbackResponse", {"kept": {"type": "integer"}})


def liveness() -> dict[str, Any]:
    """Return the OpenAPI description of the liveness route."""
    return {"responses": json_responses(_open("Liveness", {"status": _STRING}))}


def readiness() -> dict[str, Any]:
    """Return the OpenAPI description of the readiness route."""
    members = {"status": _STRING, "golden_rows": {"type": "integer"}}
    return {"responses": json_responses(_open("Readiness", members), 503)}


def model_card(*names: str) -> dict[str, Any]:
    """Return the OpenAPI description of a route with manifest and signature, by these names."""
    members = {"manifest": _open("Manifest", {}), "signature": _open("Signature", {})}
    responses = json_responses(_open("ModelCard", members), *([404] if names else []))
    parameter = {"name": "model", "in": "path", "required": True}
    parameters = [parameter | {"schema": choice("AnyModelName", names)}] if names else []
    return {"openapi_extra": {"parameters": parameters}, "responses": responses}


def models() -> dict[str, Any]:
    """Return the OpenAPI description of the route that lists the models."""
    members: dict[str, Schema] = {
        "name": _STRING,
        "id": _STRING | {"description": "Id of the model package."},
        "task": _STRING,
        "ready": {"type": "boolean"},
    }
    listed = {"type": "array", "items": _open("ListedModel", members)}
    default = _STRING | {"description": "The model of requests that name none."}
    return {"responses": json_responses(_open("Models", {"default": default, "models": listed}))}


def on_error() -> Schema:
    """Return the schema of the option that says what a row with a fault does."""
    description = "Whether a row with a fault refuses the request, or is listed as a reject."
    return choice("OnError", _ON_ERROR) | {"description": description}


def rejects() -> Schema:
    """Return the schema of the rows that were skipped with ``on_error=skip``."""
    fault = named_object("RejectFault", {"pointer": _STRING, "code": _STRING, "detail": _STRING})
    members: dict[str, Schema] = {
        "index": {"type": "integer", "description": "Position of the row in the request."},
        "faults": {"type": "array", "items": fault},
        "total": {"type": "integer", "description": "Number of faults, listed or not."},
    }
    return {
        "type": "array",
        "items": named_object("Reject", members),
        "description": "With on_error=skip: the rows that were not scored.",
    }


def json_body(schema: Schema) -> dict[str, Any]:
    """Return the OpenAPI description of a JSON body."""
    return {"requestBody": {"required": True, "content": {JSON: {"schema": schema}}}}


def json_responses(schema: Schema, *errors: int) -> Responses:
    """Return the OpenAPI description of a JSON response, and of the problems of a route."""
    return success({JSON: {"schema": schema}}) | problem_responses(*errors)


def success(content: Mapping[str, Any] | None = None) -> Responses:
    """Return the OpenAPI description of a response by its media types, or of one without a body."""
    body = {} if content is None else {"content": content}
    return {200: {"description": "Success.", "headers": RESPONSE_HEADERS, **body}}


def problem_responses(*statuses: int) -> Responses:
    """Return the OpenAPI description of the problems of a route; any route may fail with 500."""
    content = {"application/problem+json": {"schema": problem()}}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "headers": RESPONSE_HEADERS,
            "content": content,
        }
        for status in (*statuses, 500)
    }


def _prediction(target: Target) -> dict[str, Schema]:
    if target.parts:
        parts = {str(part.name): named_object("Target", _prediction(part)) for part in target.parts}
        return {"targets": named_object("Targets", parts)}
    if target.task == "regression":
        values = {name: {"type": _NUMBER} for name in target.outputs}
        return {"values": named_object("Values", values)}
    label = choice("Label", target.classes)
    if target.scores == "label":
        return {"label": label}
    if target.scores != "probability":
        score = {"type": _NUMBER, "description": _SCORE_DESCRIPTIONS[target.scores]}
        return {"label": label, "score": score, **_threshold(target)}
    names = {name: _probability(f"Probability of the class {name}.") for name in target.class_names}
    return {
        "label": label,
        "score": _probability(_score_description(target)),
        **_threshold(target),
        "probabilities": named_object("Probabilities", names),
    }


def _threshold(target: Target) -> dict[str, Schema]:
    """Return the schema of the decision threshold, for a model that has one.

    It is no constant: a challenger may have another one.
    """
    value = threshold(target)
    if value is None:
        return {}
    passed = "above" if target.threshold is None else "at or above"
    description = f"The label is {target.class_names[1]} for a score {passed} this threshold."
    return {"threshold": {"type": "number", "example": value, "description": description}}


def problem() -> Schema:
    """Return the schema of problem details (RFC 9457), with a JSON Pointer for each fault."""
    fault = named_object("Fault", {"pointer": _STRING, "code": _STRING, "detail": _STRING})
    whole = named_object(
        "Problem",
        {"type": _STRING, "title": _STRING, "status": {"type": "integer"}, "detail": _STRING},
    )
    whole["properties"] |= {
        "errors": {"type": "array", "items": fault},
        "total": {"type": "integer", "description": "Number of faults, listed or not."},
    }
    whole["properties"]["error"] = _STRING | {"description": "The same as detail."}
    return whole | {"additionalProperties": True}


def _feature(feature: Feature) -> Schema:
    schema = typed(_JSON_TYPES[feature.kind], feature.nullable)
    if feature.kind == "integer":
        schema |= {"minimum": -EXACT_INTEGER, "maximum": EXACT_INTEGER}
    if feature.example is not None:
        schema["example"] = feature.example
    description = _description(feature)
    if description:
        schema["description"] = description
    if feature.vocabulary and feature.accepts_unseen:
        schema["examples"] = list(feature.vocabulary[:_MAX_CATEGORIES])
    elif feature.vocabulary or feature.choices:
        title = f"Feature{title_of(feature.name)}"
        as_written = int if feature.kind == "integer" else float
        only = feature.vocabulary or [as_written(number) for number in feature.choices]
        schema |= choice(title, only, feature.nullable)
    return schema


def _description(feature: Feature) -> str:
    if feature.kind == "text":
        return "Any text; its terms are counted as in training."
    if feature.range is None:
        return ""
    low, high = (end if isinstance(end, str) else f"{end:g}" for end in feature.range)
    training_range = f"From {low} to {high} in training."
    if feature.unit is None:
        return training_range
    return f"{training_range} ISO 8601 without an offset; precision at most 1 {feature.unit}."


def _score_description(target: Target) -> str:
    if target.task == "binary":
        return f"Probability of {target.class_names[1]}."
    return "Probability of the label."


def _probability(description: str) -> Schema:
    return {"type": "number", "minimum": 0, "maximum": 1, "description": description}


def _open(title: str, properties: Mapping[str, Schema]) -> Schema:
    """Return the schema of an object that may have further members."""
    return named_object(title, properties) | {"additionalProperties": True}
