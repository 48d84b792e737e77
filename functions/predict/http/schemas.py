"""The OpenAPI schemas of one model, made from its signature."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from functions.predict.http.response import JSON
from sklambda.codec.values import EXACT_INTEGER
from sklambda.decision import threshold
from sklambda.row_warnings import CautionCode
from sklambda.signature import Feature, Kind, Scores, Signature, Target

type Schema = dict[str, Any]
type Responses = dict[int | str, dict[str, Any]]

_TYPES: Final[dict[Kind, str]] = {
    "number": "number",
    "integer": "integer",
    "boolean": "boolean",
    "category": "string",
    "text": "string",
    "datetime": "string",
}
_TEXT: Final[Schema] = {"type": "string"}
_NUMBER: Final = ["number", "null"]  # null where it is not finite
_MOST_CATEGORIES: Final = 50
READ: Final = (400, 413, 415, 422)
"""The statuses with which a body is refused."""
SCORED: Final = (*READ, 503)
"""The statuses with which a request for scores is refused."""
NAMED: Final[dict[str, Any]] = {
    "x-request-id": {"required": True, "schema": _TEXT, "description": "Names the request."}
}
"""The headers of every answer."""
_PREDICTION_ID: Final[Schema] = {
    "type": "string",
    "minLength": 1,
    "maxLength": 256,
    "pattern": "^[ -~]*$",
}
EXPLAIN: Final[dict[str, Any]] = {
    "parameters": [
        {
            "name": "explain",
            "in": "query",
            "schema": {"type": "boolean", "default": False},
            "description": "Whether each score comes with what each feature adds to it.",
        }
    ]
}
_MEANINGS: Final[dict[Scores, str]] = {
    "decision": "The decision.",
    "votes": "How many pairs of classes the label won, and a fraction that tells how clearly.",
}


def request(signature: Signature) -> Schema:
    """Describe the body of a request: every feature by name, with its type and an example."""
    properties = {feature.name: _feature(feature) for feature in signature.features}
    instance = _object("Instance", properties) | {"example": signature.example}
    if signature.row_id is not None:
        properties[signature.row_id] = {"description": "Identifies the row; not a feature."}
    instances = {"type": "array", "items": instance, "minItems": 1}
    example = {"instances": [signature.example]}
    return _object("PredictRequest", {"instances": instances}) | {"example": example}


def response(signature: Signature) -> Schema:
    """Describe the answer to a request."""
    model = {"name": _TEXT, "id": _TEXT | {"description": "The id of the model package."}}
    members = {
        "prediction_id": _TEXT | {"description": "Names the prediction, as for feedback."},
        **_prediction(signature.target),
        "warnings": {"type": "array", "items": _warning(signature)},
    }
    prediction = _object("Prediction", members)
    prediction["properties"] |= {"explanations": _explanations(signature)}
    predictions = {"type": "array", "items": prediction}
    answer = {"model": _object("Model", model), "predictions": predictions}
    return _object("PredictResponse", answer)


def _explanations(signature: Signature) -> Schema:
    """Describe why the scores are what they are: one for each target, if asked for."""
    number = {"type": "number"}
    contributions = _object("Contributions", dict.fromkeys(signature.names, number))
    members = {
        "answer": {"description": "The class or the output whose score is explained."},
        "scale": _TEXT | {"description": "What the numbers are: the score, or its log-odds."},
        "base": number | {"description": "The mean over rows of the training data."},
        "value": number | {"description": "The base and all contributions, added up."},
        "contributions": contributions,
        "method": {"enum": ["linear", "trees", "kernel"]},
        "evaluations": {"type": "integer"},
        "target": {"type": ["string", "null"]},
    }
    return {"type": "array", "items": _object("Explanation", members)}


def _warning(signature: Signature) -> Schema:
    codes = [code.value for code in CautionCode]
    members = {"feature": {"enum": list(signature.names)}, "code": {"enum": codes}}
    return _object("Warning", members)


def feedback(target: Target) -> Schema:
    """Describe the body of a request that tells what became true."""
    moment = {
        "type": ["string", "null"],
        "format": "date-time",
        "description": "When; else now.",
    }
    selection = {
        "type": ["number", "null"],
        "exclusiveMinimum": 0,
        "maximum": 1,
        "description": "The chance that this prediction had to get an outcome; else 1.",
    }
    members = {
        "prediction_id": _PREDICTION_ID,
        "outcome": _outcome(target),
        "time": moment,
        "selection": selection,
    }
    outcome = _object("Outcome", members) | {"required": ["prediction_id", "outcome"]}
    outcomes = {"type": "array", "items": outcome, "minItems": 1}
    return _object("FeedbackRequest", {"outcomes": outcomes})


def _outcome(target: Target) -> Schema:
    if target.parts:
        return _object("Outcomes", {str(part.name): _outcome(part) for part in target.parts})
    if len(target.outputs) > 1:
        return _object("Outcomes", {name: {"type": "number"} for name in target.outputs})
    return {"enum": list(target.classes)} if target.classes else {"type": "number"}


def receipt() -> Schema:
    """Describe the answer to outcomes."""
    return _object("FeedbackResponse", {"kept": {"type": "integer"}})


def body(schema: Schema, media_type: str = "application/json") -> dict[str, Any]:
    """Describe the body of a route, as FastAPI takes it."""
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}


def answers(schema: Schema, *refused: int) -> Responses:
    """Describe the answers of a route, as FastAPI takes them: this one, or problems."""
    return answer({"application/json": {"schema": schema}}) | refusals(*refused)


def answer(content: Mapping[str, Any]) -> Responses:
    """Describe the answer of a route by its media types."""
    return {200: {"description": "The answer.", "headers": NAMED, "content": content}}


def refusals(*statuses: int) -> Responses:
    """Describe the problems that a route may answer with; each may find a fault of its own."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "headers": NAMED, "content": content}
        for status in (*statuses, 500)
    }


def told(*refused: int) -> dict[str, Any]:
    """Describe a route that answers any JSON."""
    return {"responses": answer({JSON: {"schema": {}}}) | refusals(*refused)}


def _prediction(target: Target) -> dict[str, Schema]:
    if target.parts:
        parts = {str(part.name): _object("Target", _prediction(part)) for part in target.parts}
        return {"targets": _object("Targets", parts)}
    if target.task == "regression":
        values = {name: {"type": _NUMBER} for name in target.outputs}
        return {"values": _object("Values", values)}
    label = {"enum": list(target.classes), "description": "As scikit-learn's predict."}
    if target.scores == "label":
        return {"label": label}
    if target.scores != "probability":
        score = {"type": _NUMBER, "description": _MEANINGS[target.scores]}
        return {"label": label, "score": score, **_threshold(target)}
    names = {name: _probability(f"Of the class {name}.") for name in target.class_names}
    return {
        "label": label,
        "score": _probability(_meaning_of_score(target)),
        **_threshold(target),
        "probabilities": _object("Probabilities", names),
    }


def _threshold(target: Target) -> dict[str, Schema]:
    """Describe the threshold, where one decides."""
    value = threshold(target)
    if value is None:
        return {}
    passed = "above" if target.threshold is None else "from"
    meaning = f"The label is {target.class_names[1]} {passed} this score."
    return {"threshold": {"type": "number", "const": value, "description": meaning}}


def problem() -> Schema:
    """Describe problem details (RFC 9457) with a JSON Pointer for each fault."""
    fault = _object("Fault", {"pointer": _TEXT, "code": _TEXT, "detail": _TEXT})
    whole = _object(
        "Problem", {"type": _TEXT, "title": _TEXT, "status": {"type": "integer"}, "detail": _TEXT}
    )
    whole["properties"] |= {
        "errors": {"type": "array", "items": fault},
        "total": {"type": "integer", "description": "How many faults there are, listed or not."},
    }
    return whole | {"additionalProperties": True}


def _feature(feature: Feature) -> Schema:
    kind = _TYPES[feature.kind]
    schema: Schema = {"type": [kind, "null"] if feature.nullable else kind}
    if feature.kind == "integer":
        schema |= {"minimum": -EXACT_INTEGER, "maximum": EXACT_INTEGER}
    if feature.example is not None:
        schema["example"] = feature.example
    meaning = _meaning(feature)
    if meaning:
        schema["description"] = meaning
    if feature.choices:
        schema["enum"] = [*feature.choices, *([None] if feature.nullable else [])]
    if feature.vocabulary and not feature.accepts_unseen:
        schema["enum"] = [*feature.vocabulary, *([None] if feature.nullable else [])]
    elif feature.vocabulary:
        schema["examples"] = list(feature.vocabulary[:_MOST_CATEGORIES])
    return schema


def _meaning(feature: Feature) -> str:
    if feature.kind == "text":
        return "Any text; its terms are counted as in training."
    if feature.range is None:
        return ""
    low, high = (end if isinstance(end, str) else f"{end:g}" for end in feature.range)
    seen = f"From {low} to {high} in training."
    if feature.unit is None:
        return seen
    return f"{seen} ISO 8601 without an offset; not more precise than 1 {feature.unit}."


def _meaning_of_score(target: Target) -> str:
    if target.task == "binary":
        return f"The probability of {target.class_names[1]}."
    return "The probability of the label."


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
