"""What training knew, as far as monitoring has to compare with it: no row, and no rare value.

What it reveals: the least and the greatest number of a feature, which stand in the signature too;
between them values that at least `ruler.CROWD` rows of training lie between; how often
each category of the signature's vocabulary was there.
"""

from typing import Self

import numpy as np

from sklambda.arrays import FloatVector
from sklambda.document import Document
from sklambda.errors import DocumentInvalid
from sklambda.manifest import MetricInterval
from sklambda.policy.watching import Watching
from sklambda.signature import Feature, FiniteFloat, Signature
from sklambda.sketch.ruler import Ruler
from sklambda.sketch.sketch import Column, Counts, Mode
from sklambda.sketch.watched_scores import label_names, scored


class Reference(Document):
    """A column of training.

    Attributes
    ----------
    ruler : Ruler
        Where it, and whatever is compared with it, is counted.
    column : Column
        Its counts.
    std : float
        The standard deviation within the edges; 0 for codes.
    """

    ruler: Ruler
    column: Column
    std: FiniteFloat = 0.0

    def agree(self) -> None:
        """Raise `DocumentInvalid` where the counts are not those of the ruler."""
        gaps = len(self.ruler.edges)
        if (len(self.column.counts), len(self.column.gaps)) != (self.ruler.bins, gaps):
            raise DocumentInvalid("the counts are not those of the ruler")


class Calibrator(Document):
    """What a score says of the chance that its class, or the label, is true.

    Attributes
    ----------
    scores, chances : tuple of float
        The knots, both ascending; between two of them lies a straight line.
    rows : int
        From how many rows with an outcome they were learnt.
    """

    scores: tuple[FiniteFloat, ...]
    chances: tuple[FiniteFloat, ...]
    rows: int

    def agree(self) -> None:
        """Raise `DocumentInvalid` for knots that are none."""
        same = len(self.scores) == len(self.chances) > 0
        ascend = all(np.all(np.diff(knots) >= 0) for knots in (self.scores, self.chances))
        if not (same and ascend and self.chances[0] >= 0 and self.chances[-1] <= 1):
            raise DocumentInvalid("the knots do not ascend from 0 to at most 1")

    def __call__(self, scores: FloatVector) -> FloatVector:
        """Give the chances, [n], of scores, [n]."""
        return np.interp(scores, self.scores, self.chances)


class ErrorReference(Document):
    """What the error model says of held-out rows.

    Attributes
    ----------
    reference : Reference
        The absolute errors that it predicts.
    deviation : float
        How far an absolute error lies from its prediction, as a standard deviation.
    rows : int
        From how many rows with an outcome it was learnt.
    """

    reference: Reference
    deviation: FiniteFloat
    rows: int


class Baseline(Document):
    """What windows of predictions are compared with.

    Attributes
    ----------
    rows : int
        How many rows of features.
    duplicates : int
        How many of them are equal to an earlier one.
    features, scores : dict of str to Reference
        By name; of a text that is no category: how many of the terms that the model knows it holds.
    binned : dict of str to Reference
        The features as a binned capture records them.
    labels : dict of str to tuple of int
        For each target how often each class was the answer.
    balance : dict of str to tuple of int
        For each target how often each class was true.
    calibrators : dict of str to Calibrator
        By the name of the score; a score without one is its own chance.
    metrics : dict of str to MetricInterval
        On held-out rows; with several targets or values their name stands before, as "a: accuracy".
    weights : dict of str to float
        How much the model attributes to each feature, adding up to 1; empty if nobody knows.
    errors : dict of str to ErrorReference
        By the name of a regressor's value; empty without an error model.
    held_out : int
        How many rows the scores, and all that follows from them, are of; 0 where they are those of
        the rows of training, which are surer than those to come.
    watching : Watching
        What the monitor looks at.
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
        """Read JSON; raises `DocumentInvalid` where it is not the baseline of such a model."""
        baseline = cls.parse(content)
        baseline.fit(signature)
        return baseline

    def fit(self, signature: Signature) -> None:
        """Raise `DocumentInvalid` for columns that are not the signature's."""
        if list(self.features) != list(signature.names):
            raise DocumentInvalid("features: are not those of the signature")
        if list(self.scores) != [one.name for one in scored(signature.target)]:
            raise DocumentInvalid("scores: are not those of the signature")
        if {name: len(counts) for name, counts in self.labels.items()} != label_names(
            signature.target
        ):
            raise DocumentInvalid("labels: are not those of the signature")
        for feature in signature.features:
            if self.features[feature.name].ruler.codes != codes(feature):
                raise DocumentInvalid(f"features: {feature.name}: has other codes")
        strangers = {*self.binned, *self.weights} - set(signature.names)
        known = self.calibrators.keys() | self.errors.keys()
        if strangers or not known <= self.scores.keys():
            raise DocumentInvalid("binned, weights, calibrators or errors: name what is not there")
        coded = {feature.name for feature in signature.features if codes(feature)}
        if not {*self.watching.groups, *self.watching.segments} <= coded:
            raise DocumentInvalid("watching: names what is no category")

    def recorded(self, mode: Mode) -> dict[str, Reference]:
        """Give the features as captures of a mode record them."""
        return self.features if mode == "raw" else self.binned


def codes(feature: Feature) -> int:
    """How many codes a feature has; 0 for one that is counted as a number."""
    return 2 if feature.kind == "boolean" else len(feature.vocabulary)
