"""``POST /feedback``: what became true of predictions."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from math import isfinite
from typing import Any, Final

from pydantic_core import to_json

from functions.predict.http import exchange, problems, schemas
from functions.predict.http.exchange import Limits, Request
from functions.predict.http.response import JSON, Response
from functions.predict.http.routes import Route
from sklambda.signature import Scalar, Target
from sklambda.storage import Storage, hour

type Path = tuple[str, ...]
type Misfit = tuple[Path, str, str]


def misfits(target: Target, outcome: object) -> Iterator[Misfit]:
    """Find what keeps a value from being an outcome: its path, a code and a sentence."""
    if target.parts:
        parts = {str(part.name): part for part in target.parts}
        yield from _of_each(parts, outcome)
    elif len(target.outputs) > 1:
        one = target.replace(outputs=target.outputs[:1])
        yield from _of_each(dict.fromkeys(target.outputs, one), outcome)
    elif target.task == "regression":
        if not _is_number(outcome):
            yield (), "type", "must be a number"
    elif _kind(outcome) not in {_kind(label) for label in target.classes}:
        yield (), "type", "must be a label of the model, of the same type"
    elif outcome not in target.classes:
        yield (), "unknown_label", "is not a label of the model"


def _of_each(targets: Mapping[str, Target], outcome: object) -> Iterator[Misfit]:
    if not isinstance(outcome, dict):
        yield (), "type", "must be an object with an outcome for each target"
        return
    for name in outcome.keys() - targets.keys():
        yield (str(name),), "unknown_member", "is not a target of the model"
    for name, target in targets.items():
        if name not in outcome:
            yield (name,), "absent", "is required"
            continue
        for path, code, detail in misfits(target, outcome[name]):
            yield (name, *path), code, detail


def _kind(value: object) -> type:
    """Tell labels apart as JSON does: true is no number, and 1.0 is 1."""
    return float if _is_number(value) else type(value)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)


def canonical(target: Target, outcome: Scalar | Mapping[str, Scalar]) -> object:
    """Write equal outcomes alike: a label as the model writes it, a value as a float."""
    if isinstance(outcome, Mapping):
        parts = {str(part.name): part for part in target.parts}
        return {name: canonical(parts.get(name, target), outcome[name]) for name in sorted(outcome)}
    if target.classes:
        return target.classes[target.classes.index(outcome)]
    return float(outcome)


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
