"""The outputs of a fitted predictor, as tensors of the graph."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from sklambda.signature import Deciding, Scores
from training.convert.graph.graph import Graph, Matrix


@dataclass(frozen=True, slots=True)
class Outputs:
    """The outputs of one fitted predictor; unused ones are dropped from the graph.

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
    label_by : str or None
        The scores that the label follows; None for the first present of those above, to whose
        ties `training.convert.graph.links.lean` gives the side of the decision. Decisions that may
        contradict the probabilities by more are served beside them.
    parts : tuple of Outputs
        The outputs for each target, where there are several.
    classes : sequence or None
        The labels of one of several targets, where they are not 0 and 1.
    """

    probabilities: Matrix | None = None
    decision: Matrix | None = None
    value: Matrix | None = None
    label: Matrix | None = None
    transformed: Matrix | None = None
    threshold: float | None = None
    label_by: Scores | None = None
    parts: tuple["Outputs", ...] = ()
    classes: Sequence[object] | None = None

    @property
    def scores(self) -> tuple[Scores, Matrix] | None:
        """The kind of the graph's scores, and their tensor."""
        tensors: dict[Scores, Matrix | None] = {
            "probability": self.probabilities,
            "decision": self.decision,
            "value": self.value,
            "label": self.label,
            "votes": self.decision,
        }
        kinds = _USUALLY if self.label_by is None else (self.label_by,)
        if self.deciding is not None:
            kinds = ("probability",)
        return next(((kind, found) for kind in kinds if (found := tensors[kind])), None)

    @property
    def deciding(self) -> tuple[Deciding, Matrix] | None:
        """What the label follows instead of the probabilities, which is served beside them."""
        if self.probabilities is None or self.decision is None or self.threshold is not None:
            return None
        if self.label_by == "decision" or self.label_by == "votes":
            return self.label_by, self.decision
        return None


_USUALLY: Final[tuple[Scores, ...]] = ("probability", "decision", "value", "label")


def class_position(graph: Graph, scores: Matrix) -> Matrix:
    """Return the position of each row's class, [N, 1]: of one column whether it is above 0."""
    if scores.width == 1:
        above = graph.node("Greater", scores.tensor, graph.constant(0.0))
        return scores.numbers(graph.double(above))
    first = graph.node("ArgMax", scores.tensor, axis=1, keepdims=1)
    return scores.numbers(graph.double(first), 1)


def one_hot(graph: Graph, place: Matrix, width: int) -> Matrix:
    """Encode positions, [N, 1], as one-hot rows, [N, width]."""
    columns = graph.constant([[float(column) for column in range(width)]])
    return place.numbers(graph.double(graph.node("Equal", place.tensor, columns)), width)


def repeated(graph: Graph, matrix: Matrix, row: ArrayLike) -> Matrix:
    """Return the same row, [C], for each row of the matrix, whatever is in it."""
    values = np.reshape(np.asarray(row, dtype=np.float64), (1, -1))
    count = graph.node("Shape", matrix.tensor, start=0, end=1)
    shape = graph.node("Concat", count, graph.constant([1], np.int64), axis=0)
    rows = graph.node("Expand", graph.constant(values), shape)
    return matrix.numbers(rows, values.size)
