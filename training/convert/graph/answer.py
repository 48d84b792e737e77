"""What a fitted predictor can be asked for, as tensors of the graph."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sklambda.signature import Scores
from training.convert.graph.graph import Graph, Matrix


@dataclass(frozen=True, slots=True)
class Answer:
    """The answers of one fitted predictor; what nobody asks for costs nothing.

    Attributes
    ----------
    probabilities : Matrix or None
        ``predict_proba``, [N, C].
    decision : Matrix or None
        ``decision_function``: [N, 1] where scikit-learn gives [N], else [N, C].
    value : Matrix or None
        ``predict`` of a regressor: [N, 1] where scikit-learn gives [N], else [N, T].
    label : Matrix or None
        [N, C]: 1 for the class that ``predict`` gives, else 0.
    transformed : Matrix or None
        ``transform``, where the predictor is a transformer too.
    threshold : float or None
        The least score of the second class that gives its label; None for the usual rule.
    by : str or None
        Which scores the label follows; None for the first of those above that there are. Where
        probabilities of one class against the rest saturate, several are 1, and scikit-learn's
        label is that of the decision.
    parts : tuple of Answer
        The answers for each target, where there are several of them.
    classes : sequence or None
        The labels, where one of several targets has others than 0 and 1.
    """

    probabilities: Matrix | None = None
    decision: Matrix | None = None
    value: Matrix | None = None
    label: Matrix | None = None
    transformed: Matrix | None = None
    threshold: float | None = None
    by: Scores | None = None
    parts: tuple["Answer", ...] = ()
    classes: Sequence[object] | None = None

    @property
    def scores(self) -> tuple[Scores, Matrix] | None:
        """What becomes the output of the graph, and which of scikit-learn's answers it is."""
        answers: dict[Scores, Matrix | None] = {
            "probability": self.probabilities,
            "decision": self.decision,
            "value": self.value,
            "label": self.label,
            "votes": self.decision,
        }
        kinds = _USUALLY if self.by is None else (self.by,)
        return next(((kind, found) for kind in kinds if (found := answers[kind])), None)


_USUALLY: Final[tuple[Scores, ...]] = ("probability", "decision", "value", "label")


def chosen(graph: Graph, scores: Matrix) -> Matrix:
    """Return the position of each row's class, [N, 1]: of one column whether it is above 0."""
    if scores.width == 1:
        above = graph.node("Greater", scores.tensor, graph.constant(0.0))
        return scores.numbers(graph.double(above))
    first = graph.node("ArgMax", scores.tensor, axis=1, keepdims=1)
    return scores.numbers(graph.double(first), 1)


def hot(graph: Graph, place: Matrix, width: int) -> Matrix:
    """Return 1 in the column whose position is told, [N, 1], and 0 in the others, [N, width]."""
    columns = graph.constant([[float(column) for column in range(width)]])
    return place.numbers(graph.double(graph.node("Equal", place.tensor, columns)), width)
