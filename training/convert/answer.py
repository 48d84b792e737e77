"""What a fitted predictor can be asked for, as tensors of the graph."""

from dataclasses import dataclass
from typing import Literal

from training.convert.graph import Graph, Matrix

type Scores = Literal["probability", "decision", "value"]


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
    transformed : Matrix or None
        ``transform``, where the predictor is a transformer too.
    threshold : float or None
        The least probability of the second class that gives its label; None for the usual rule.
    """

    probabilities: Matrix | None = None
    decision: Matrix | None = None
    value: Matrix | None = None
    transformed: Matrix | None = None
    threshold: float | None = None

    @property
    def scores(self) -> tuple[Scores, Matrix] | None:
        """What becomes the output of the graph: probabilities before decisions before values."""
        if self.probabilities is not None:
            return "probability", self.probabilities
        if self.decision is not None:
            return "decision", self.decision
        if self.value is not None:
            return "value", self.value
        return None


class ByDecision(Answer):
    """The answers of a classifier whose label follows its decision and not its probabilities.

    Probabilities of one class against the rest saturate at 1 for several classes at once.
    """

    __slots__ = ()

    @property
    def scores(self) -> tuple[Scores, Matrix] | None:
        """What becomes the output of the graph: the decision, which gives the label."""
        return None if self.decision is None else ("decision", self.decision)


def chosen(graph: Graph, scores: Matrix) -> Matrix:
    """Give the position of each row's class, [N, 1]: above 0 for one column, else the greatest."""
    if scores.width == 1:
        above = graph.node("Greater", scores.tensor, graph.constant(0.0))
        return scores.numbers(graph.double(above))
    first = graph.node("ArgMax", scores.tensor, axis=1, keepdims=1)
    return scores.numbers(graph.double(first), 1)
