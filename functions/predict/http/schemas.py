"""The OpenAPI schemas of one model, derived from its signature."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from functions.predict.http.response import JSON
from sklambda.codec.values import EXACT_INTEGER
from sklambda.decision import threshold
from sklambda.row_warnings import RowWarningCode
from sklambda.signature import Feature, Kind, Scores, Signature, Target

type Schema = dict[str, Any]
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
EXPLAIN: Final[dict[str, Any]] = {
    "parameters": [
        {
            "name": "explain",
            "in": "query",
            "schema": {"type": "boolean", "default": False},
            "description": "Whether to return the contribution of each feature to each score.",
        }
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

    A member may hold the client's id of the row: by default the column of the signature.
    """
    properties = {feature.name: _feature(feature) for feature in signature.features}
    instance = _object("Instance", properties) | {"example": signature.example}
    if (name := row_id or signature.row_id) is not None:
        properties[name] = {"description": "The client's id of the row; not a feature."}
    instances = {"type": "array", "items": instance, "minItems": 1}
    example = {"instances": [signature.example]}
    return _object("PredictRequest", {"instances": instances}) | {"example": example}


def predict_response(signature: Signature) -> Schema:
    """Return the schema of the response to such a request."""
    model = {"name": _STRING, "id": _STRING | {"description": "Id of the model package."}}
    members = {
        "prediction_id": _STRING | {"description": "Id of the prediction, for feedback."},
        **_prediction(signature.target),
        "warnings": {"type": "array", "items": _warning(signature)},
    }
    prediction = _object("Prediction", members)
    prediction["properties"] |= {
        "row_id": {"description": "The client's id of the row, as it was sent."},
        "explanations": _explanations(signature),
    }
    predictions = {"type": "array", "items": prediction}
    return _object(
        "PredictResponse", {"model": _object("Model", model), "predictions": predictions}
    )


def _explanations(signature: Signature) -> Schema:
    """Return the schema of the explanations: one for each target, if requested."""
    number = {"type": "number"}
    contributions = _object("Contributions", dict.fromkeys(signature.names, number))
    members = {
        "answer": {"description": "The explained class or output."},
        "scale": _STRING
        | {"description": "Scale of the contributions: the score, or its log-odds."},
        "base": number | {"description": "Mean over rows of the training data."},
        "value": number | {"description": "Sum of the base and all contributions."},
        "contributions": contributions,
        "method": {"enum": ["linear", "trees", "kernel"]},
        "evaluations": {"type": "integer"},
        "target": {"type": ["string", "null"]},
    }
    return {"type": "array", "items": _object("Explanation", members)}


def _warning(signature: Signature) -> Schema:
    codes = [code.value for code in RowWarningCode]
    members = {"feature": {"enum": list(signature.names)}, "code": {"enum": codes}}
    return _object("Warning", members)


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
    members = {
        "prediction_id": _PREDICTION_ID,
        "row_id": _ROW_ID | {"description": "In place of it, the client's id of the row."},
        "outcome": _outcome(target),
        "time": time,
        "selection": selection,
    }
    outcome = _object("Outcome", members) | {
        "required": ["outcome"],
        "oneOf": [{"required": ["prediction_id"]}, {"required": ["row_id"]}],
    }
    outcomes = {"type": "array", "items": outcome, "minItems": 1}
    return _object("FeedbackRequest", {"outcomes": outcomes})


def _outcome(target: Target) -> Schema:
    if target.parts:
        return _object("Outcomes", {str(part.name): _outcome(part) for part in target.parts})
    if len(target.outputs) > 1:
        return _object("Outcomes", {name: {"type": "number"} for name in target.outputs})
    return {"enum": list(target.classes)} if target.classes else {"type": "number"}


def feedback_response() -> Schema:
    """Return the schema of the response to outcomes."""
    return _object("FeedbackResponse", {"kept": {"type": "integer"}})


def json_body(schema: Schema) -> dict[str, Any]:
    """Return the OpenAPI description of a JSON body."""
    return {"requestBody": {"required": True, "content": {JSON: {"schema": schema}}}}


def json_responses(schema: Schema, *errors: int) -> Responses:
    """Return the OpenAPI description of a JSON response, and of the problems of a route."""
    return success({JSON: {"schema": schema}}) | problem_responses(*errors)


def any_json(*errors: int) -> dict[str, Any]:
    """Return the OpenAPI description of a route whose response is JSON without a schema."""
    return {"responses": json_responses({}, *errors)}


def success(content: Mapping[str, Any]) -> Responses:
    """Return the OpenAPI description of a response by its media types."""
    return {200: {"description": "Success.", "headers": RESPONSE_HEADERS, "content": content}}


def problem_responses(*statuses: int) -> Responses:
    """Return the OpenAPI description of the problems of a route; any route may fail with 500."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
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
        parts = {str(part.name): _object("Target", _prediction(part)) for part in target.parts}
        return {"targets": _object("Targets", parts)}
    if target.task == "regression":
        values = {name: {"type": _NUMBER} for name in target.outputs}
        return {"values": _object("Values", values)}
    label = {"enum": list(target.classes), "description": "Equal to scikit-learn's predict."}
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
        "probabilities": _object("Probabilities", names),
    }


def _threshold(target: Target) -> dict[str, Schema]:
    """Return the schema of the decision threshold, for a model that has one."""
    value = threshold(target)
    if value is None:
        return {}
    passed = "above" if target.threshold is None else "at or above"
    description = f"The label is {target.class_names[1]} for a score {passed} this threshold."
    return {"threshold": {"type": "number", "const": value, "description": description}}


def problem() -> Schema:
    """Return the schema of problem details (RFC 9457), with a JSON Pointer for each fault."""
    fault = _object("Fault", {"pointer": _STRING, "code": _STRING, "detail": _STRING})
    whole = _object(
        "Problem",
        {"type": _STRING, "title": _STRING, "status": {"type": "integer"}, "detail": _STRING},
    )
    whole["properties"] |= {
        "errors": {"type": "array", "items": fault},
        "total": {"type": "integer", "description": "Number of faults, listed or not."},
    }
    return whole | {"additionalProperties": True}


def _feature(feature: Feature) -> Schema:
    kind = _JSON_TYPES[feature.kind]
    schema: Schema = {"type": [kind, "null"] if feature.nullable else kind}
    if feature.kind == "integer":
        schema |= {"minimum": -EXACT_INTEGER, "maximum": EXACT_INTEGER}
    if feature.example is not None:
        schema["example"] = feature.example
    description = _description(feature)
    if description:
        schema["description"] = description
    if feature.choices:
        schema["enum"] = [*feature.choices, *([None] if feature.nullable else [])]
    if feature.vocabulary and not feature.accepts_unseen:
        schema["enum"] = [*feature.vocabulary, *([None] if feature.nullable else [])]
    elif feature.vocabulary:
        schema["examples"] = list(feature.vocabulary[:_MAX_CATEGORIES])
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


def _object(title: str, properties: Mapping[str, Schema]) -> Schema:
    return {
        "type": "object",
        "title": title,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
