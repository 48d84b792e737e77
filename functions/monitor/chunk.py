"""Captured records, as lists."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

from sklambda.cautions import CautionCode

_BYTES: Final = 8


def digest(prediction_id: str) -> int:
    """Name a prediction by 64 bits: that any two of a million are equal has a chance of 3e-8."""
    return int.from_bytes(blake2b(str.encode(prediction_id), digest_size=_BYTES).digest())


@dataclass(slots=True)
class Chunk:
    """Records of one role and mode, each list [n].

    Attributes
    ----------
    ids : list of int
        Digests of the ids.
    rows : list of mapping
        The recorded features.
    scores : list of list of float
        None where one is no finite number.
    labels : list of list of int
        The position of the label, one a target.
    coerced : dict of str to int
        How many values of a feature had their type changed on the way.
    """

    ids: list[int] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    scores: list[list[float | None]] = field(default_factory=list)
    labels: list[list[int]] = field(default_factory=list)
    coerced: dict[str, int] = field(default_factory=dict)

    def note(self, warnings: Iterable[Mapping[str, str]]) -> None:
        """Count what was changed on the way."""
        for warning in warnings:
            if warning["code"] == CautionCode.COERCED:
                name = warning["feature"]
                self.coerced[name] = self.coerced.get(name, 0) + 1
