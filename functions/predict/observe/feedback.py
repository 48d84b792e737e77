"""``POST /feedback``: stores the outcomes of predictions."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from math import isfinite
from typing import Any, Final

from pydantic_core import to_json

from functions.predict.http import exchange, problems, schemas
from functions.predict.http.exchange import Limits, Request
from functions.predict.http.problems import BodyFault
from functions.predict.http.response import JSON, Response
from functions.predict.http.routes import Route
from sklambda.signature import Scalar, Target
from sklambda.storage import Storage, hour_folder

type Path = tuple[str, ...]
type OutcomeFault = tuple[Path, str, str]
"""Path inside the outcome, code and detail."""

_PATH: Final = "/feedback"
_REQUIRED: Final = frozenset({"prediction_id", "outcome"})
_MEMBERS: Final = _REQUIRED | {"time", "selection"}
_MAX_ID_LENGTH: Final = 256
_DIGITS: Final = 32


@dataclass(frozen=True, slots=True)
class Feedback:
    """The feedback route.

    Attributes
    ----------
    target : Target
        The target of the model, which outcomes must fit.
    storage : Storage
        Storage of the outcomes.
    limits : Limits
        Limits of one request.
    now : callable
        Returns the current time, for an outcome without its own.
    """

    target: Target
    storage: Storage
    limits: Limits
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def routes(self) -> Iterator[Route]:
        """Return the one route."""
        yield Route("POST", _PATH, self.keep, self._describe)

    def _describe(self) -> dict[str, Any]:
        response = schemas.feedback_response()
        return {
            "openapi_extra": schemas.json_body(schemas.feedback_request(self.target)),
            "responses": schemas.json_responses(response, *schemas.BODY_ERRORS),
        }

    def keep(self, request: Request) -> Response:
        """Store outcomes of predictions; a repeated outcome changes nothing."""
        exchange.require_media_type(request, [JSON])
        outcomes = _outcomes(exchange.parse_json(exchange.read_body(request, self.limits)))
        self.limits.require_rows(len(outcomes))
        faults = list(self._faults(outcomes))
        if faults:
            raise problems.body_invalid(*faults)
        self.storage.put(dict(map(self._object, outcomes)))
        return Response(exchange.to_json({"kept": len(outcomes)}))

    def _faults(self, outcomes: list[Any]) -> Iterator[BodyFault]:
        for index, outcome in enumerate(outcomes):
            for path, code, detail in _validate_item(self.target, outcome):
                yield problems.pointer("outcomes", index, *path), code, detail

    def _object(self, item: Mapping[str, Any]) -> tuple[str, bytes]:
        """Return the key and the content, both the same for the same outcome."""
        time = item.get("time")
        prediction, outcome = item["prediction_id"], canonical(self.target, item["outcome"])
        folder = hour_folder(self.now() if time is None else datetime.fromisoformat(time))
        name = sha256(to_json([prediction, outcome])).hexdigest()[:_DIGITS]
        members = {"prediction_id": prediction, "outcome": outcome, "time": time}
        if item.get("selection") is not None:
            members["selection"] = float(item["selection"])
        return f"outcomes/{folder}/{name}.json", to_json(members)


def _outcomes(document: object) -> list[Any]:
    if not isinstance(document, dict):
        raise problems.body_invalid(("", "type", "must be an object"))
    faults = [
        (problems.pointer(name), "unknown_member", "is an unknown member")
        for name in document
        if name != "outcomes"
    ]
    outcomes = document.get("outcomes")
    if not isinstance(outcomes, list) or not outcomes:
        faults.append(("/outcomes", "type", "must be a list of at least one object"))
    if faults:
        raise problems.body_invalid(*faults)
    return list(outcomes or ())


def _validate_item(target: Target, item: object) -> Iterator[OutcomeFault]:
    if not isinstance(item, dict):
        yield (), "type", "must be an object"
        return
    for name in sorted(item.keys() - _MEMBERS):
        yield (name,), "unknown_member", "is an unknown member"
    for name in sorted(_REQUIRED - item.keys()):
        yield (name,), "absent", "is required"
    if "prediction_id" in item and not _is_prediction_id(item["prediction_id"]):
        yield ("prediction_id",), "type", "must be the id of a prediction"
    if "outcome" in item:
        for path, code, detail in validate(target, item["outcome"]):
            yield ("outcome", *path), code, detail
    if not _is_time(item.get("time")):
        yield ("time",), "not_a_datetime", "must be ISO 8601 with a UTC offset"
    if not _is_probability(item.get("selection")):
        yield ("selection",), "type", "must be a number above 0 and at most 1"


def validate(target: Target, outcome: object) -> Iterator[OutcomeFault]:
    """Return the faults of an outcome; none where it fits the target."""
    if target.parts:
        parts = {str(part.name): part for part in target.parts}
        yield from _validate_members(parts, outcome)
    elif len(target.outputs) > 1:
        output = target.replace(outputs=target.outputs[:1])
        yield from _validate_members(dict.fromkeys(target.outputs, output), outcome)
    elif target.task == "regression":
        if not _is_number(outcome):
            yield (), "type", "must be a number"
    elif _json_type(outcome) not in {_json_type(label) for label in target.classes}:
        yield (), "type", "must be a label of the model, of the same type"
    elif outcome not in target.classes:
        yield (), "unknown_label", "must be a label of the model"


def _validate_members(targets: Mapping[str, Target], outcome: object) -> Iterator[OutcomeFault]:
    if not isinstance(outcome, dict):
        yield (), "type", "must be an object with an outcome for each target"
        return
    for name in sorted(outcome.keys() - targets.keys()):
        yield (str(name),), "unknown_member", "is not a target of the model"
    for name, target in targets.items():
        if name not in outcome:
            yield (name,), "absent", "is required"
            continue
        for path, code, detail in validate(target, outcome[name]):
            yield (name, *path), code, detail


def canonical(target: Target, outcome: Scalar | Mapping[str, Scalar]) -> object:
    """Return the same value for equal outcomes: a label of the model, or a float."""
    if isinstance(outcome, Mapping):
        parts = {str(part.name): part for part in target.parts}
        return {name: canonical(parts.get(name, target), outcome[name]) for name in sorted(outcome)}
    if target.classes:
        return target.classes[target.classes.index(outcome)]
    return float(outcome)


def _json_type(value: object) -> type:
    """Return the type of a label in JSON, where true is no number, and 1.0 is 1."""
    return float if _is_number(value) else type(value)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)


def _is_prediction_id(value: object) -> bool:
    return (
        isinstance(value, str)
        and 0 < len(value) <= _MAX_ID_LENGTH
        and value.isascii()
        and value.isprintable()
    )


def _is_probability(value: object) -> bool:
    if value is None:
        return True
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= 1


def _is_time(value: object) -> bool:
    if value is None:
        return True
    try:
        if not isinstance(value, str):
            return False
        time = datetime.fromisoformat(value)
        hour_folder(time)
    except (ValueError, OverflowError):  # the year 1, east of Greenwich
        return False
    return time.utcoffset() is not None
