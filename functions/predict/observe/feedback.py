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
from functions.predict.http.json_reader import parse_json
from functions.predict.http.problems import BodyFault
from functions.predict.http.response import JSON, Response
from functions.predict.http.routes import Route
from sklambda.prediction_ids import CLOCK_SKEW, MAX_ID_LENGTH, prediction_time, row_digest
from sklambda.signature import Scalar, Target
from sklambda.storage import Storage, hour_folder

type Path = tuple[str, ...]
type OutcomeFault = tuple[Path, str, str]
"""Path inside the outcome, code and detail."""

_PATH: Final = "/feedback"
_MEMBERS: Final = frozenset({"prediction_id", "row_id", "outcome", "time", "selection"})
_DIGITS: Final = 32
_MINUTES: Final = CLOCK_SKEW.seconds // 60
_LEAST_SELECTION: Final = 1e-6
"""The least probability of a selection: its inverse is a weight."""


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
    prefix : str
        The folder of the outcomes.
    """

    target: Target
    storage: Storage
    limits: Limits
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    prefix: str = "outcomes"

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
        """Store outcomes beside earlier ones; a repeated one changes nothing."""
        exchange.require_media_type(request, [JSON])
        outcomes = _outcomes(parse_json(exchange.read_body(request, self.limits)))
        self.limits.require_rows(len(outcomes))
        faults = list(self._faults(outcomes))
        if faults:
            raise problems.body_invalid(*faults)
        arrival = self.now()
        self.storage.put(dict(self._object(outcome, arrival) for outcome in outcomes))
        return Response(exchange.to_json({"kept": len(outcomes)}))

    def _faults(self, outcomes: list[Any]) -> Iterator[BodyFault]:
        latest = self.now() + CLOCK_SKEW
        for index, outcome in enumerate(outcomes):
            for path, code, detail in _validate_item(self.target, outcome, latest):
                yield problems.pointer("outcomes", index, *path), code, detail

    def _object(self, item: Mapping[str, Any], arrival: datetime) -> tuple[str, bytes]:
        """Return the key and the content, both the same for the same outcome at the same time.

        Any difference makes another object: only a reader of all outcomes finds the newest.
        """
        time = _time(item)
        members = _named(item) | {"outcome": canonical(self.target, item["outcome"])}
        if item.get("selection") is not None:
            members["selection"] = float(item["selection"])
        moment = None if time is None else time.timestamp()
        name = sha256(to_json(members | {"time": moment})).hexdigest()[:_DIGITS]
        content = to_json(members | {"time": item.get("time")})
        return f"{self.prefix}/{hour_folder(time or arrival)}/{name}.json", content


def _named(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the member that names the prediction; of a row id its digest."""
    if "row_id" in item:
        return {"row": row_digest(item["row_id"])}
    return {"prediction_id": item["prediction_id"]}


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


def _validate_item(target: Target, item: object, latest: datetime) -> Iterator[OutcomeFault]:
    if not isinstance(item, dict):
        yield (), "type", "must be an object"
        return
    for name in sorted(item.keys() - _MEMBERS):
        yield (name,), "unknown_member", "is an unknown member"
    yield from _validate_name(item)
    if "outcome" not in item:
        yield ("outcome",), "absent", "is required"
    else:
        for path, code, detail in validate(target, item["outcome"]):
            yield ("outcome", *path), code, detail
    yield from _validate_time(item, latest)
    if not _is_probability(item.get("selection")):
        yield ("selection",), "type", f"must be between {_LEAST_SELECTION} and 1"


def _validate_name(item: Mapping[str, Any]) -> Iterator[OutcomeFault]:
    """Check that an outcome names one prediction, by its id or by the client's row id."""
    if "row_id" not in item and "prediction_id" not in item:
        yield ("prediction_id",), "absent", "is required, or a row_id"
    if "prediction_id" in item and not _is_prediction_id(item["prediction_id"]):
        yield ("prediction_id",), "type", "must be the id of a prediction"
    if "row_id" in item and row_digest(item["row_id"]) is None:
        yield ("row_id",), "type", f"must be a text or a whole number, up to {MAX_ID_LENGTH} long"
    if "row_id" in item and "prediction_id" in item:
        yield ("row_id",), "unknown_member", "must not be beside a prediction_id"


def _validate_time(item: Mapping[str, Any], latest: datetime) -> Iterator[OutcomeFault]:
    """Check when an outcome became true: without a time now, which is a skew before `latest`."""
    if not _is_time(item.get("time")):
        yield ("time",), "not_a_datetime", "must be ISO 8601 with a UTC offset"
        return
    time, name = _time(item), item.get("prediction_id")
    made = prediction_time(name) if isinstance(name, str) else None
    if time is not None and time > latest:
        yield ("time",), "in_the_future", f"must be at most {_MINUTES} minutes from now"
    elif made is not None and (time or latest - CLOCK_SKEW) < made - CLOCK_SKEW:
        detail = f"must be at most {_MINUTES} minutes before the prediction"
        yield ("time",), "before_prediction", detail


def _time(item: Mapping[str, Any]) -> datetime | None:
    time = item.get("time")
    return None if time is None else datetime.fromisoformat(time)


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
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return isfinite(float(value))
    except OverflowError:  # an integer of more than 308 digits
        return False


def _is_prediction_id(value: object) -> bool:
    return (
        isinstance(value, str)
        and 0 < len(value) <= MAX_ID_LENGTH
        and value.isascii()
        and value.isprintable()
    )


def _is_probability(value: object) -> bool:
    if value is None:
        return True
    return (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and _LEAST_SELECTION <= value <= 1
    )


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
