"""Encodes one value of one feature as a float64."""

from collections.abc import Callable, Sequence
from math import inf, isfinite, isnan, nan
from sys import float_info
from typing import Final

import numpy as np

from sklambda.datetimes import datetime_encoder
from sklambda.errors import FaultCode, ValueRefused
from sklambda.signature import UNSEEN, Feature, Kind

type Encode = Callable[[object], float]

EXACT_INTEGER: Final = 2**53
"""The greatest integer up to which float64 holds every integer."""

_PRESENT_TYPES: Final = frozenset((str, int, bool))
"""The types of most values; none of them is ever missing."""


def encoder(feature: Feature) -> Encode:
    """Return the function that encodes a value of a feature; it raises `ValueRefused`."""
    present = _present(feature)
    nullable = feature.nullable
    known = feature.vocabulary if feature.kind == "category" else ()
    codes = {category: float(code) for code, category in enumerate(known)}

    def encode(value: object) -> float:
        if type(value) is str and value in codes:
            return codes[value]  # the case of most values
        if value is None or (type(value) not in _PRESENT_TYPES and _is_missing(value)):
            if nullable:
                return nan
            raise ValueRefused(FaultCode.NULL, "must not be null")
        return present(value)

    if feature.kind not in ("number", "integer") or feature.choices or feature.gaps:
        return encode
    (low, high), (least, greatest) = _usual(feature, EXACT_INTEGER), _usual(feature, float_info.max)
    decimals = feature.kind == "number"

    def encode_usual(value: object) -> float:
        # So are nearly all others written.
        if type(value) is float:
            if decimals and least <= value <= greatest:
                return value
        elif type(value) is int and low <= value <= high:
            return float(value)
        return encode(value)

    return encode_usual


def _usual(feature: Feature, size: float) -> tuple[float, float]:
    """Return the least and the greatest number of a feature, of those up to a size."""
    least = -inf if feature.least is None else feature.least
    greatest = inf if feature.greatest is None else feature.greatest
    return max(-size, least), min(size, greatest)


def _present(feature: Feature) -> Encode:
    if feature.kind == "category":
        return _category(feature)
    if feature.unit is not None:
        return datetime_encoder(feature.unit)
    if feature.choices:
        return _one_of(_PRESENT[feature.kind], frozenset(feature.choices))
    encode = _PRESENT[feature.kind]
    if (feature.least, feature.greatest) != (None, None):
        encode = _within(encode, feature.least, feature.greatest)
    return _outside(encode, feature.gaps) if feature.gaps else encode


def _within(encode: Encode, least: float | None, greatest: float | None) -> Encode:
    low, high = -inf if least is None else least, inf if greatest is None else greatest

    def encode_within(value: object) -> float:
        number = encode(value)
        if number > high:
            raise ValueRefused(FaultCode.TOO_LARGE, f"must not be above {high:.17g}")
        if number < low:
            raise ValueRefused(FaultCode.TOO_SMALL, f"must not be below {low:.17g}")
        return number

    return encode_within


def _outside(encode: Encode, gaps: Sequence[tuple[float, float]]) -> Encode:
    def encode_outside(value: object) -> float:
        number = encode(value)
        for low, high in gaps:
            if low <= number <= high:
                raise ValueRefused(
                    FaultCode.IN_GAP, f"must not be {_interval(low, high)}, which the model refuses"
                )
        return number

    return encode_outside


def _interval(low: float, high: float) -> str:
    return f"{low:.17g}" if low == high else f"from {low:.17g} to {high:.17g}"


def _one_of(encode: Encode, choices: frozenset[float]) -> Encode:
    def encode_one_of(value: object) -> float:
        number = encode(value)
        if number not in choices:
            raise ValueRefused(FaultCode.UNSEEN_CATEGORY, "is not a known value")
        return number

    return encode_one_of


def _is_missing(value: object) -> bool:
    if isinstance(value, (float, np.floating)):
        return isnan(value)
    if isinstance(value, np.datetime64):
        return bool(np.isnat(value))
    # pandas.NA compares to NA, NaT to nothing; pandas is not imported to test for them.
    return type(value).__name__ in ("NAType", "NaTType")


def _number(value: object) -> float:
    if isinstance(value, (float, np.floating)):
        if not isfinite(value):
            raise ValueRefused(FaultCode.NOT_FINITE, "must be finite")
        return float(value)
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        if not -EXACT_INTEGER <= value <= EXACT_INTEGER:
            raise ValueRefused(
                FaultCode.TOO_LARGE, "must not exceed 2^53, past which digits are lost"
            )
        return float(value)
    raise ValueRefused(FaultCode.TYPE, "must be a number")


def _integer(value: object) -> float:
    number = _number(value)
    if not number.is_integer():
        raise ValueRefused(FaultCode.NOT_INTEGRAL, "must be a whole number")
    if abs(number) > EXACT_INTEGER:
        raise ValueRefused(FaultCode.TOO_LARGE, "must not exceed 2^53, past which digits are lost")
    return number


def _boolean(value: object) -> float:
    if isinstance(value, (bool, np.bool)):
        return float(value)
    raise ValueRefused(FaultCode.TYPE, "must be true or false")


def _text(value: object) -> float:
    if isinstance(value, str):
        return 0.0  # the counts of its terms have columns of their own
    raise ValueRefused(FaultCode.TYPE, "must be a string")


_PRESENT: Final[dict[Kind, Encode]] = {
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "text": _text,
}


def _category(feature: Feature) -> Encode:
    codes = {category: float(code) for code, category in enumerate(feature.vocabulary)}
    accepts_unseen = feature.accepts_unseen

    def encode(value: object) -> float:
        if not isinstance(value, str):
            raise ValueRefused(FaultCode.TYPE, "must be a string")
        code = codes.get(value, UNSEEN)
        if code == UNSEEN and not accepts_unseen:
            raise ValueRefused(FaultCode.UNSEEN_CATEGORY, "is not a known category")
        return code

    return encode
