"""The OpenAPI schemas of one model, made from its signature."""

from collections.abc import Mapping
from typing import Any, Final

from sklambda.signature import Feature, Kind, Scores, Signature, Target

type Schema = dict[str, Any]

_TYPES: Final[dict[Kind, str]] = {
    "number": "number",
    "integer": "integer",
    "boolean": "boolean",
    "category": "string",
    "text": "string",
    "datetime": "string",
}
_TEXT: Final[Schema] = {"type": "string"}
_MOST_CATEGORIES: Final = 50
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
    prediction = _object("Prediction", _prediction(signature.target))
    predictions = {"type": "array", "items": prediction}
    answer = {"model": _object("Model", model), "predictions": predictions}
    return _object("PredictResponse", answer)


def _prediction(target: Target) -> dict[str, Schema]:
    if target.parts:
        parts = {str(part.name): _object("Target", _prediction(part)) for part in target.parts}
        return {"targets": _object("Targets", parts)}
    if target.task == "regression":
        values = {name: {"type": "number"} for name in target.outputs}
        return {"values": _object("Values", values)}
    label = {"enum": list(target.classes), "description": "As scikit-learn's predict."}
    if target.scores == "label":
        return {"label": label}
    if target.scores != "probability":
        return {
            "label": label,
            "score": {"type": "number", "description": _MEANINGS[target.scores]},
        }
    names = {name: _probability(f"Of the class {name}.") for name in target.class_names}
    return {
        "label": label,
        "score": _probability(_meaning_of_score(target)),
        "probabilities": _object("Probabilities", names),
    }


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
