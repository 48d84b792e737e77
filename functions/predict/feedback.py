"""``POST /feedback``: what became true of predictions."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from pydantic_core import to_json

from functions.predict import exchange, problems, schemas
from functions.predict.exchange import Limits, Request
from functions.predict.outcomes import Misfit, canonical, misfits
from functions.predict.response import JSON, Response
from functions.predict.routes import Route
from sklambda.signature import Target
from sklambda.storage import Storage, hour

type Fault = tuple[str, str, str]

_PATH: Final = "/feedback"
_REQUIRED: Final = frozenset({"prediction_id", "outcome"})
_MEMBERS: Final = _REQUIRED | {"time", "selection"}
_LONGEST_ID: Final = 256
_DIGITS: Final = 32


@dataclass(frozen=True, slots=True)
class Feedback:
    """The route that takes outcomes.

    Attributes
    ----------
    target : Target
        What an outcome may be.
    storage : Storage
        Where outcomes are kept.
    limits : Limits
        The most that a request may hold.
    now : callable
        Gives the moment of an outcome that names none.
    """

    target: Target
    storage: Storage
    limits: Limits
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def routes(self) -> Iterator[Route]:
        """Give the one route."""
        yield Route("POST", _PATH, self.keep, self._described)

    def _described(self) -> dict[str, Any]:
        return {
            "openapi_extra": schemas.body(schemas.feedback(self.target)),
            "responses": schemas.answers(schemas.receipt(), *schemas.READ),
        }

    def keep(self, request: Request) -> Response:
        """Keep what became true of predictions; the same outcome again changes nothing."""
        exchange.media_type(request, [JSON])
        outcomes = _outcomes(exchange.document(exchange.body(request, self.limits)))
        self.limits.require_rows(len(outcomes))
        faults = list(self._faults(outcomes))
        if faults:
            raise problems.body_invalid(*faults)
        self.storage.put(dict(map(self._object, outcomes)))
        return Response(exchange.written({"kept": len(outcomes)}))

    def _faults(self, outcomes: list[Any]) -> Iterator[Fault]:
        for place, outcome in enumerate(outcomes):
            for path, code, detail in _misfits(self.target, outcome):
                yield problems.pointer("outcomes", place, *path), code, detail

    def _object(self, sent: Mapping[str, Any]) -> tuple[str, bytes]:
        """Give the key and the content: both the same for the same outcome."""
        told = sent.get("time")
        prediction, outcome = sent["prediction_id"], canonical(self.target, sent["outcome"])
        folder = hour(self.now() if told is None else datetime.fromisoformat(told))
        name = sha256(to_json([prediction, outcome])).hexdigest()[:_DIGITS]
        record = {"prediction_id": prediction, "outcome": outcome, "time": told}
        if sent.get("selection") is not None:
            record["selection"] = float(sent["selection"])
        return f"outcomes/{folder}/{name}.json", to_json(record)


def _outcomes(document: object) -> list[Any]:
    if not isinstance(document, dict):
        raise problems.body_invalid(("", "type", "must be an object"))
    faults = [_stranger(name) for name in document if name != "outcomes"]
    outcomes = document.get("outcomes")
    if not isinstance(outcomes, list) or not outcomes:
        faults.append(("/outcomes", "type", "must be a list of at least one object"))
    if faults:
        raise problems.body_invalid(*faults)
    return list(outcomes or ())


def _stranger(name: str) -> Fault:
    return problems.pointer(name), "unknown_member", "is not a member of a request"


def _misfits(target: Target, sent: object) -> Iterator[Misfit]:
    if not isinstance(sent, dict):
        yield (), "type", "must be an object"
        return
    for name in sent.keys() - _MEMBERS:
        yield (name,), "unknown_member", "is not a member of an outcome"
    for name in _REQUIRED - sent.keys():
        yield (name,), "absent", "is required"
    if "prediction_id" in sent and not _names_a_prediction(sent["prediction_id"]):
        yield ("prediction_id",), "type", "must be the id of a prediction"
    if "outcome" in sent:
        for path, code, detail in misfits(target, sent["outcome"]):
            yield ("outcome", *path), code, detail
    if not _is_moment(sent.get("time")):
        yield ("time",), "not_a_datetime", "must be ISO 8601 with an offset from UTC"
    if not _is_chance(sent.get("selection")):
        yield ("selection",), "type", "must be a number above 0 and at most 1"


def _names_a_prediction(value: object) -> bool:
    return (
        isinstance(value, str)
        and 0 < len(value) <= _LONGEST_ID
        and value.isascii()
        and value.isprintable()
    )


def _is_chance(value: object) -> bool:
    if value is None:
        return True
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= 1


def _is_moment(value: object) -> bool:
    if value is None:
        return True
    try:
        if not isinstance(value, str):
            return False
        moment = datetime.fromisoformat(value)
        hour(moment)
    except (ValueError, OverflowError):  # the year 1, east of Greenwich
        return False
    return moment.utcoffset() is not None
