"""The watched targets of a model: each has labels, a score and outcomes to measure."""

from dataclasses import dataclass

from sklambda.signature import Target
from sklambda.sketch.watched_scores import LABEL, WatchedScore, watched_scores


@dataclass(frozen=True, slots=True)
class WatchedTarget:
    """A target of a classifier, or one value of a regressor.

    Attributes
    ----------
    name : str
        The name of the target, or of the value.
    target : Target
        Its description in the signature.
    label_column : int
        The column of its labels.
    score : WatchedScore or None
        Its watched score: of two classes that of the second, of more that of the label, of a
        regressor the value. None where the model returns labels only.
    score_column : int
        The column of that score among the watched ones.
    outcome_column : int
        The column of its outcomes.
    """

    name: str
    target: Target
    label_column: int
    score: WatchedScore | None
    score_column: int
    outcome_column: int

    @property
    def is_binary(self) -> bool:
        """Whether the target has two classes."""
        return self.target.task in ("binary", "anomaly")

    @property
    def is_probability(self) -> bool:
        """Whether the score is the probability of its class, without a calibrator."""
        return self.target.scores == "probability"


def watched_targets(target: Target) -> list[WatchedTarget]:
    """Return the watched targets of a model, in the order of the columns of outcomes."""
    numbered = list(enumerate(watched_scores(target)))
    if target.task == "regression":
        return [
            WatchedTarget(name, target, 0, score, column, column)
            for name, (column, score) in zip(target.outputs, numbered, strict=True)
        ]
    targets = []
    for place, part in enumerate(target.parts or (target,)):
        own = [(column, score) for column, score in numbered if score.place == place]
        column, score = own[-1] if own else (0, None)
        targets.append(WatchedTarget(part.name or LABEL, part, place, score, column, place))
    return targets
