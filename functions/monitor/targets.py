"""What a model is right or wrong about: its targets, or the values of a regressor."""

from dataclasses import dataclass

from sklambda.signature import Target
from sklambda.sketch.watched_scores import LABEL, Scored, scored


@dataclass(frozen=True, slots=True)
class Aim:
    """One thing that the model is right or wrong about.

    Attributes
    ----------
    name : str
        The target's, or the value's.
    target : Target
        What it is.
    place : int
        The column of its labels.
    score : Scored or None
        What is watched of its scores: that of the second of two classes, that of the label of
        more, the value. None where the model gives labels alone.
    column : int
        The column of that score among the watched ones.
    outcome : int
        The column of its outcomes.
    """

    name: str
    target: Target
    place: int
    score: Scored | None
    column: int
    outcome: int

    @property
    def two(self) -> bool:
        """Whether it is one of two classes."""
        return self.target.task in ("binary", "anomaly")

    @property
    def chance(self) -> bool:
        """Whether the score is the chance of its class, as it stands."""
        return self.target.scores == "probability"


def aims(target: Target) -> list[Aim]:
    """Give what a model answers, in the order in which outcomes are gathered."""
    watched = list(enumerate(scored(target)))
    if target.task == "regression":
        return [
            Aim(name, target, 0, one, column, column)
            for name, (column, one) in zip(target.outputs, watched, strict=True)
        ]
    found = []
    for place, part in enumerate(target.parts or (target,)):
        own = [(column, one) for column, one in watched if one.place == place]
        column, score = own[-1] if own else (0, None)
        found.append(Aim(part.name or LABEL, part, place, score, column, place))
    return found
