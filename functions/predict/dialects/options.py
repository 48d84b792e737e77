"""Options of a request: the method, the members of a prediction, and what a fault does."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from functions.predict.dialects.methods import PREDICT, available_methods
from functions.predict.dialects.skipping import ON_ERROR
from functions.predict.http.problems import BodyFault, pointer
from sklambda.decision import to_predictions
from sklambda.signature import Target

_TARGETS: Final = "targets"
_PARAMETERS: Final = ("method", "fields", "on_error")


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a request for a table of rows.

    Attributes
    ----------
    method : str
        The method of scikit-learn whose result is returned.
    fields : frozenset of str
        The members of each prediction, instead of the result of a method; none for that.
    skip : bool
        Whether rows with a fault are skipped.
    """

    method: str = PREDICT
    fields: frozenset[str] = frozenset()
    skip: bool = False


def read_params(params: object, attributes: str, target: Target) -> tuple[Options, list[BodyFault]]:
    """Return the options of a request, and the faults of the request for them.

    Parameters
    ----------
    params : object
        The member "params" of MLflow's protocol; None where it is absent.
    attributes : str
        SageMaker's custom attributes, ``name=value``, which count where `params` has no such name.
    target : Target
        The target of the model.
    """
    if params is not None and not isinstance(params, dict):
        return Options(), [("/params", "type", "must be an object")]
    faults: list[BodyFault] = [
        (pointer("params", name), "unknown_member", "is not a parameter of this model")
        for name in params or {}
        if name not in _PARAMETERS
    ]
    places = {name: pointer("params", name) for name in params or {}}
    values: dict[str, Any] = _attributes(attributes) | (params or {})
    method = values.get("method", PREDICT)
    if method not in (choices := available_methods(target)):
        place = places.get("method", "")
        detail = f"{_subject('the method', place)}must be {' or '.join(choices)}"
        faults.append((place, "method", detail))
    fields, skip = frozenset[str](), False
    if "fields" in values:
        known = [*fields_of(target), "warnings"]
        fields, more = read_fields(values["fields"], places.get("fields", ""), known)
        faults += more
        if "method" in values:
            place = places.get("method", "")
            detail = f"{_subject('the method', place)}must be absent beside fields"
            faults.append((place, "method", detail))
    if "on_error" in values:
        skip, more = read_on_error(values["on_error"], places.get("on_error", ""))
        faults += more
    return Options(method, fields, skip), faults


def _attributes(text: str) -> dict[str, Any]:
    pairs = (piece.partition("=") for piece in text.replace(";", ",").split(","))
    found = {name.strip(): value.strip() for name, _, value in pairs}
    return {name: found[name] for name in ("method", "on_error") if name in found}


def read_on_error(value: object, place: str) -> tuple[bool, list[BodyFault]]:
    """Return whether rows with a fault are skipped, and the fault of the option at `place`."""
    if isinstance(value, str) and value in ON_ERROR:
        return value == "skip", []
    detail = f"{_subject('on_error', place)}must be {' or '.join(ON_ERROR)}"
    return False, [(place, "type", detail)]


def read_fields(
    value: object, place: str, known: Collection[str]
) -> tuple[frozenset[str], list[BodyFault]]:
    """Return the requested members of a prediction, and the fault of the option at `place`.

    They are a list of names, or one text with commas between them.
    """
    names = value.split(",") if isinstance(value, str) else value
    if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
        found = frozenset(name.strip() for name in names)
        if found <= {*known}:
            return found, []
    detail = f"{_subject('fields', place)}must be some of {', '.join(known)}"
    return frozenset(), [(place, "fields", detail)]


def _subject(name: str, place: str) -> str:
    """Return what begins a sentence about an option: its name where no place in a body has it."""
    return "" if place else f"{name} "


def fields_of(target: Target) -> list[str]:
    """Return the names of the members that say what was predicted, those of targets too."""
    [prediction] = to_predictions(target, np.zeros((1, target.width)))
    members: Mapping[str, Any] = prediction.members
    inner = [name for each in members.get(_TARGETS, {}).values() for name in each]
    return [*dict.fromkeys([*members, *inner])]


def select_fields(prediction: Mapping[str, Any], fields: Collection[str]) -> dict[str, Any]:
    """Return a prediction with some of its members, those of its targets too; all for none."""
    if not fields:
        return dict(prediction)
    chosen = {name: value for name, value in prediction.items() if name in fields}
    if _TARGETS in prediction and _TARGETS not in fields:
        targets = {
            target: {name: value for name, value in members.items() if name in fields}
            for target, members in prediction[_TARGETS].items()
        }
        if any(targets.values()):
            chosen[_TARGETS] = targets
    return chosen
