"""Labels as records and outcomes hold them, to their positions among the classes."""

from collections.abc import Callable
from typing import Any, cast

from sklambda.signature import Target

type Labels = Callable[[object], list[int]]
type Truth = Callable[[object], list[float]]


def positions(target: Target) -> Labels:
    """Make the function that finds the positions of the labels of a record.

    It raises `KeyError` or `TypeError` for what is no label.
    """
    if target.parts:
        each = [(str(part.name), _places(part)) for part in target.parts if part.classes]
        return lambda label: [places[cast("Any", label)[name]] for name, places in each]
    if not target.classes:
        return lambda label: []
    places = _places(target)
    return lambda label: [places[label]]


def truth(target: Target) -> Truth:
    """Make the function that reads an outcome: the position of the class, or the value.

    It raises `KeyError` for what is none of this model.
    """
    if target.task != "regression":
        find = positions(target)
        return lambda outcome: [float(place) for place in find(outcome)]
    if len(target.outputs) == 1:
        return lambda outcome: [float(cast("Any", outcome))]
    names = target.outputs
    return lambda outcome: [float(cast("Any", outcome)[name]) for name in names]


def _places(target: Target) -> dict[object, int]:
    return {label: place for place, label in enumerate(target.classes)}
