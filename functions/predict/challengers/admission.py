"""Whether a challenger is admitted, and where that is said: log, ``/model``, readiness, metric."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, Final

from functions.predict.challengers.model import Challenger
from functions.predict.model import ServedModel
from sklambda.datetimes import DIGITS
from sklambda.errors import PackageRefused
from sklambda.predictor import Predictor
from sklambda.signature import Feature, Scalar, Signature, Target
from sklambda.telemetry import Log, describe_exception

_WIDER_KINDS: Final = frozenset({("integer", "number"), ("category", "text")})
"""A kind of the champion, and one that accepts all its values."""

_BEYOND_DATA: Final = 1e30
"""Bounds from here on are those of float32 and of overflow; no client's number is cut off."""
_MOST_LINES: Final = 20


@dataclass(frozen=True, slots=True)
class Comparison:
    """The differences of a challenger's signature that matter.

    Attributes
    ----------
    refusals : tuple of str
        Why the challenger cannot answer rows such as the champion was trained on, by feature and
        member; empty where it can.
    narrower : tuple of str
        Which rows beyond these the champion alone accepts.
    """

    refusals: tuple[str, ...]
    narrower: tuple[str, ...]


def compare(champion: Signature, challenger: Signature) -> Comparison:
    """Compare what two models accept and return; ranges, examples and thresholds do not count."""
    known = {feature.name: feature for feature in champion.features}
    refusals, narrower = [], []
    for feature in challenger.features:
        if feature.name not in known:
            refusals.append(
                f"feature {feature.name!r}: is required, and no feature of the champion"
            )
            continue
        own = known[feature.name]
        refused = list(_refusals(own, feature))
        refusals += [f"feature {feature.name!r}: {text}" for text in refused]
        if not refused:
            narrower += [f"feature {feature.name!r}: {text}" for text in _limits(own, feature)]
    refusals += _target_refusals("target", champion.target, challenger.target)
    return Comparison(tuple(refusals), tuple(narrower))


def _refusals(own: Feature, other: Feature) -> Iterator[str]:
    """Yield why a challenger's feature refuses values that the champion was trained on."""
    if own.kind != other.kind and (own.kind, other.kind) not in _WIDER_KINDS:
        yield _differs("kind", other.kind, own.kind)
        return
    if own.unit and other.unit and DIGITS[other.unit] < DIGITS[own.unit]:
        yield _differs("unit", other.unit, own.unit)
    if other.kind == "category" and not other.accepts_unseen:
        yield from _lacks("vocabulary", own.vocabulary, other.vocabulary)
    if other.choices and own.choices:
        yield from _lacks("choices", own.choices, other.choices)
    elif other.choices and not set(_span(own)) <= set(other.choices):
        yield "choices are some numbers, the champion's are all"
    low, high = _span(own)
    if other.least is not None and other.least > low:
        yield f"least is {other.least:g}, the champion was trained from {low:g}"
    if other.greatest is not None and other.greatest < high:
        yield f"greatest is {other.greatest:g}, the champion was trained up to {high:g}"
    for start, end in set(other.gaps) - set(own.gaps):
        if start <= high and end >= low:
            yield f"from {start:g} to {end:g} is a gap, within the champion's range of training"


def _limits(own: Feature, other: Feature) -> Iterator[str]:
    """Yield which values the champion alone accepts, beyond those that it was trained on."""
    for member in ("nullable", "accepts_unseen"):
        of_category = member == "accepts_unseen"
        if of_category and other.kind != "category":
            continue
        if getattr(own, member) and not getattr(other, member):
            yield _differs(member, "false", "true")
    if other.choices and not own.choices:
        yield "choices are some numbers, the champion's are all"
    if set(other.gaps) - set(own.gaps):
        yield _differs("gaps", _listed(other), _listed(own))
    least, greatest = _bounds(own)
    other_least, other_greatest = _bounds(other)
    if max(least, -_BEYOND_DATA) < other_least:
        yield _differs("least", f"{other_least:g}", f"{least:g}")
    if min(greatest, _BEYOND_DATA) > other_greatest:
        yield _differs("greatest", f"{other_greatest:g}", f"{greatest:g}")


def _listed(feature: Feature) -> str:
    return ", ".join(f"{low:g} to {high:g}" for low, high in feature.gaps) or "none"


def _span(feature: Feature) -> tuple[float, float]:
    """Return the range of training of a number; an empty one where it says nothing of bounds."""
    return (feature.span if feature.unit is None else None) or (inf, -inf)


def _bounds(feature: Feature) -> tuple[float, float]:
    least = -inf if feature.least is None else feature.least
    return least, inf if feature.greatest is None else feature.greatest


def _target_refusals(place: str, own: Target, other: Target) -> Iterator[str]:
    if own.task != other.task:
        yield f"{place}: {_differs('task', other.task, own.task)}"
        return
    if own.name is not None and other.name is not None and own.name != other.name:
        yield f"{place}: {_differs('name', repr(other.name), repr(own.name))}"
    if own.scores != other.scores and not own.parts:
        yield f"{place}: {_differs('scores', other.scores, own.scores)}"
    elif own.label_by != other.label_by:  # the columns of their scores are not the same
        follows = (other.label_by or other.scores, own.label_by or own.scores)
        yield f"{place}: {_differs('label_by', *follows)}"
    members: dict[str, tuple[Sequence[Any], Sequence[Any]]] = {
        "classes": (own.classes, other.classes),
        "outputs": (own.outputs, other.outputs),
        "parts": ([part.name for part in own.parts], [part.name for part in other.parts]),
    }
    for member, (mine, theirs) in members.items():
        yield from (f"{place}: {text}" for text in _lacks(member, mine, theirs))
        yield from (f"{place}: {text}" for text in _adds(member, mine, theirs))
    others = {part.name: part for part in other.parts}
    for part in own.parts:
        if part.name in others:
            yield from _target_refusals(f"target {part.name!r}", part, others[part.name])


def _differs(member: str, other: str, own: str) -> str:
    return f"{member} is {other}, the champion's is {own}"


def _lacks(member: str, own: Sequence[Scalar], other: Sequence[Scalar]) -> Iterator[str]:
    missing = _without(own, other)
    if missing:
        yield f"{member} lacks {_named(missing)} of the champion's"


def _adds(member: str, own: Sequence[Scalar], other: Sequence[Scalar]) -> Iterator[str]:
    added = _without(other, own)
    if added:
        yield f"{member} has {_named(added)}, which the champion's has not"


def _without(values: Sequence[Scalar], others: Sequence[Scalar]) -> list[Scalar]:
    """Return the values that are not among others; 1, 1.0 and true are three values."""
    keys = {(type(value), value) for value in others}
    return [value for value in values if (type(value), value) not in keys]


def _named(values: Sequence[Scalar]) -> str:
    more = f" (and {len(values) - 1} more)" if len(values) > 1 else ""
    return f"{values[0]!r}{more}"


@dataclass(frozen=True, slots=True)
class Admission:
    """A challenger that is admitted, or the reasons why it is not.

    Attributes
    ----------
    challenger : Challenger or None
        The challenger; None where it is refused.
    id : str or None
        The id of its package, if that can be read.
    refusals : tuple of str
        The reasons, by feature and member where it is the signature.
    narrower : tuple of str
        Which rows only the champion accepts, of an admitted challenger.
    """

    challenger: Challenger | None
    id: str | None
    refusals: tuple[str, ...] = ()
    narrower: tuple[str, ...] = ()

    @property
    def card(self) -> dict[str, Any]:
        """The members that ``/model`` and the details of readiness show."""
        if self.challenger is None:
            return {"status": "refused", "id": self.id, "reasons": _first(self.refusals)}
        narrower = {"narrower": _first(self.narrower)} if self.narrower else {}
        return {"status": "admitted", "id": self.id, "name": self.challenger.name, **narrower}


def admit(path: Path, champion: ServedModel, log: Log) -> Admission:
    """Open the challenger's package and compare it with the champion; the log has the outcome.

    The package must be intact, accept rows such as the champion was trained on, return the
    same members, and match scikit-learn's predictions on its golden rows. The champion serves in
    any case.
    """
    admission = _admit(path, champion, log)
    card = admission.card
    if admission.challenger is None:
        log.error(
            "challenger refused",
            extra={"challenger": admission.id, "reason": "; ".join(card["reasons"])},
        )
    else:
        log.info("challenger admitted", extra={"challenger": admission.id} | _narrower(card))
    return admission


def _admit(path: Path, champion: ServedModel, log: Log) -> Admission:
    try:
        predictor = Predictor.open(path)
    except PackageRefused as refused:
        return Admission(None, None, (str(refused).replace(str(path), "the package"),))
    except Exception as error:
        return _failed(None, error, log)
    name = predictor.package.manifest.id
    try:
        return admission(predictor, champion)
    except Exception as error:
        return _failed(name, error, log)


def admission(predictor: Predictor, champion: ServedModel) -> Admission:
    """Return whether an open package can answer for the champion."""
    package = predictor.package
    comparison = compare(champion.signature, package.signature)
    if comparison.refusals:
        return Admission(None, package.manifest.id, comparison.refusals)
    challenger = Challenger(predictor, champion)
    if challenger.mismatch is not None:
        row = challenger.mismatch.name
        reason = f"golden row {row!r}: it does not match scikit-learn's prediction"
        return Admission(None, challenger.id, (reason,))
    return Admission(challenger, challenger.id, narrower=comparison.narrower)


def _failed(name: str | None, error: Exception, log: Log) -> Admission:
    """Return the refusal of a package that raises; the log has the place of the error."""
    described = describe_exception(error)
    log.error("challenger failed to open", extra=described)
    return Admission(None, name, (f"the package cannot be opened: {described['error']}",))


def _narrower(card: dict[str, Any]) -> dict[str, Any]:
    return {"narrower": "; ".join(card["narrower"])} if "narrower" in card else {}


def _first(lines: Sequence[str]) -> list[str]:
    more = [f"and {len(lines) - _MOST_LINES} more"] if len(lines) > _MOST_LINES else []
    return [*lines[:_MOST_LINES], *more]
