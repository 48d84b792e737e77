"""The baseline: counts of the rows of training, which the monitor compares windows with.

It holds no row and no rare value. It reveals the least and the greatest number of a feature, which
the signature has too; values between them, with at least ten rows of training between two; and the
count of each category of the vocabulary.
"""

from typing import Final, Self

import numpy as np

from sklambda.arrays import FloatVector
from sklambda.document import Document
from sklambda.errors import DocumentInvalid
from sklambda.manifest import MetricInterval
from sklambda.policy.watching import Watching
from sklambda.signature import Feature, FiniteFloat, Signature
from sklambda.sketch.merging import (
    merge_codes,
    merge_histogram,
    merge_tenths,
    merged_codes,
    part_width,
)
from sklambda.sketch.ruler import Ruler
from sklambda.sketch.sketch import Counts, Histogram, Mode, Sketch
from sklambda.sketch.watched_scores import class_counts, watched_scores

_NOTABLE: Final = 0.05
"""The share of the attributions up to which scores without some features count as the model's."""


class Reference(Document):
    """A feature or a score of training.

    Attributes
    ----------
    ruler : Ruler
        The bins in which it, and what is compared with it, are counted.
    column : Histogram
        The counts.
    std : float
        The standard deviation of the values within the edges; 0 for codes.
    """

    ruler: Ruler
    column: Histogram
    std: FiniteFloat = 0.0

    def validate(self) -> None:
        """Raise `DocumentInvalid` where the counts do not fit the ruler."""
        gaps = len(self.ruler.edges)
        if (len(self.column.counts), len(self.column.gaps)) != (self.ruler.bins, gaps):
            raise DocumentInvalid("column: has another number of counts than the ruler has bins")


class Calibrator(Document):
    """The probability that a class, or the label, is true, as a function of its score.

    Attributes
    ----------
    scores, chances : tuple of float
        The knots, both ascending; the function is linear between them.
    rows : int
        The number of rows with an outcome that it was fitted on.
    """

    scores: tuple[FiniteFloat, ...]
    chances: tuple[FiniteFloat, ...]
    rows: int

    def validate(self) -> None:
        """Raise `DocumentInvalid` for invalid knots."""
        same = len(self.scores) == len(self.chances) > 0
        ascend = all(np.all(np.diff(knots) >= 0) for knots in (self.scores, self.chances))
        if not (same and ascend and self.chances[0] >= 0 and self.chances[-1] <= 1):
            raise DocumentInvalid("scores and chances must ascend, chances between 0 and 1")

    def __call__(self, scores: FloatVector) -> FloatVector:
        """Return the probabilities, [n], of scores, [n]."""
        return np.interp(scores, self.scores, self.chances)


class ErrorReference(Document):
    """The predictions of the error model for held-out rows.

    Attributes
    ----------
    reference : Reference
        The predicted absolute errors.
    deviation : float
        The standard deviation of an absolute error from its prediction.
    rows : int
        The number of rows with an outcome that it was fitted on.
    """

    reference: Reference
    deviation: FiniteFloat
    rows: int


class Baseline(Document):
    """The counts of training that windows of predictions are compared with.

    Attributes
    ----------
    rows : int
        The number of rows of training.
    duplicates : int
        The number of rows that are equal to an earlier one.
    features, scores : dict of str to Reference
        By name; of a text, the number of terms of the model in it.
    binned : dict of str to Reference
        The features as a binned capture holds them.
    labels : dict of str to tuple of int
        For each target the count of each predicted class.
    balance : dict of str to tuple of int
        For each target the count of each true class.
    calibrators : dict of str to Calibrator
        By the name of the score; a score without one is its own probability.
    metrics : dict of str to MetricInterval
        Of held-out rows; with several targets or values prefixed by their name, as "a: accuracy".
    weights : dict of str to float
        The share of each feature in the attributions of the model; empty if unknown.
    errors : dict of str to ErrorReference
        By the name of a regressor's value; empty without an error model.
    held_out : int
        The number of held-out rows of scores, labels and metrics; 0 without them, where the
        scores are those of the rows of training, which are surer than later ones.
    watching : Watching
        The configuration of monitoring.
    """

    rows: int
    duplicates: int
    features: dict[str, Reference]
    scores: dict[str, Reference]
    binned: dict[str, Reference]
    labels: dict[str, Counts]
    balance: dict[str, Counts]
    calibrators: dict[str, Calibrator]
    metrics: dict[str, MetricInterval]
    weights: dict[str, FiniteFloat]
    errors: dict[str, ErrorReference]
    held_out: int = 0
    watching: Watching = Watching()

    @classmethod
    def read(cls, content: bytes, signature: Signature) -> Self:
        """Read JSON; raises `DocumentInvalid` where it does not fit the signature."""
        baseline = cls.parse(content)
        baseline.require_fit(signature)
        return baseline

    def require_fit(self, signature: Signature) -> None:
        """Raise `DocumentInvalid` where features, scores or labels differ from the signature's."""
        if list(self.features) != list(signature.names):
            raise DocumentInvalid("features: differ from those of the signature")
        if list(self.scores) != [one.name for one in watched_scores(signature.target)]:
            raise DocumentInvalid("scores: differ from those of the signature")
        if {name: len(counts) for name, counts in self.labels.items()} != class_counts(
            signature.target
        ):
            raise DocumentInvalid("labels: differ from those of the signature")
        for feature in signature.features:
            if self.features[feature.name].ruler.codes != codes(feature):
                raise DocumentInvalid(f"features: {feature.name}: has other codes")
        unknown = {*self.binned, *self.weights} - set(signature.names)
        named = self.calibrators.keys() | self.errors.keys()
        if unknown or not named <= self.scores.keys():
            raise DocumentInvalid("binned, weights, calibrators or errors: unknown name")
        coded = {feature.name for feature in signature.features if codes(feature)}
        if not {*self.watching.groups, *self.watching.segments} <= coded:
            raise DocumentInvalid("watching: groups and segments must be categories")

    def recorded(self, mode: Mode) -> dict[str, Reference]:
        """Return the features as captures of a mode hold them."""
        if mode == "raw":
            return self.features
        return {
            name: one.replace(column=merge_histogram(one.ruler, one.column, self._edges(name)))
            for name, one in self.binned.items()
        }

    def merge(self, name: str, bins: FloatVector) -> FloatVector:
        """Return the bins of a feature, [n], as captures merge them."""
        if self.features[name].ruler.codes:
            return merge_codes(bins, merged_codes(self.features[name].column.counts))
        return merge_tenths(bins, part_width(self._edges(name)))

    def _edges(self, name: str) -> FloatVector:
        return np.array(self.features[name].ruler.edges)

    def hides_much(self, sketch: Sketch) -> bool:
        """Return whether captures lack features that the scores depend on notably.

        Their scores are then those of a model without these features, and are not compared with
        training.
        """
        hidden = self.recorded(sketch.mode).keys() - sketch.features.keys()
        share = 1 / len(self.features)
        weights = self.weights or dict.fromkeys(self.features, share)
        return sum(weights.get(name, 0.0) for name in hidden) > _NOTABLE


def codes(feature: Feature) -> int:
    """Return the number of codes of a feature; 0 for one that is counted as a number."""
    return 2 if feature.kind == "boolean" else len(feature.vocabulary)
