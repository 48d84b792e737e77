"""Rows and their scores, to a sketch."""

from collections.abc import Collection, Iterator, Mapping

import numpy as np

from sklambda.arrays import FloatMatrix, FloatVector, IntMatrix
from sklambda.baseline import Baseline, Reference
from sklambda.counting import count_codes, count_duplicates, count_numbers, count_tenths
from sklambda.scored import label_names, scored
from sklambda.signature import Signature
from sklambda.sketch import Column, Counts, Mode, Sketch


class Sketcher:
    """Counts predictions on the rulers of a baseline.

    Parameters
    ----------
    signature : Signature
        Knows the columns.
    baseline : Baseline
        Knows the rulers.
    mode : {"raw", "binned"}
        How the features were recorded.
    without : collection of str
        Features that were not recorded.
    """

    def __init__(
        self,
        signature: Signature,
        baseline: Baseline,
        mode: Mode = "raw",
        without: Collection[str] = (),
    ) -> None:
        self._signature, self._mode = signature, mode
        self._features = {
            name: one for name, one in baseline.recorded(mode).items() if name not in without
        }
        self._scored = scored(signature.target)
        self._scores = baseline.scores
        self._places = [signature.names.index(name) for name in self._features]

    def sketch(
        self,
        X: FloatMatrix,
        scores: FloatMatrix,
        labels: IntMatrix,
        coerced: Mapping[str, int] | None = None,
    ) -> Sketch:
        """Count rows.

        Parameters
        ----------
        X : FloatMatrix
            Shape [N, K] float64, as `Codec.encode` gives it, or, binned, [N, F] of the parts that
            the capture recorded; NaN where missing.
        scores : FloatMatrix
            Shape [N, C] float64.
        labels : IntMatrix
            Shape [N, L], as `sklambda.predictor.choose` gives it.
        coerced : mapping of str to int, optional
            How many values of a feature had their type changed on the way.

        Returns
        -------
        Sketch
            Any sum of such sketches is one of all their rows.
        """
        return Sketch(
            mode=self._mode,
            rows=len(X),
            duplicates=count_duplicates(X) if self._mode == "raw" else 0,
            features=dict(self._columns(X, coerced or {})),
            scores={
                one.name: count_numbers(self._scores[one.name].ruler, one.of(scores, labels))
                for one in self._scored
            },
            labels=count_labels(self._signature, labels),
        )

    def _columns(self, X: FloatMatrix, coerced: Mapping[str, int]) -> Iterator[tuple[str, Column]]:
        values = X if self._mode == "binned" else watched(self._signature, X)
        for place, (name, reference) in zip(self._places, self._features.items(), strict=True):
            column = self._count(reference, np.ascontiguousarray(values[:, place]))
            yield name, column.replace(coerced=coerced.get(name, 0))

    def _count(self, reference: Reference, values: FloatVector) -> Column:
        if reference.ruler.codes:
            return count_codes(reference.ruler, values)
        count = count_numbers if self._mode == "raw" else count_tenths
        return count(reference.ruler, values)


def watched(signature: Signature, X: FloatMatrix) -> FloatMatrix:
    """Give what is watched of encoded rows [N, K]: [N, F], one column a feature.

    Of a text it is how many of the terms that the model knows stand in it.
    """
    values = X[:, : len(signature.features)]
    if not signature.counts:
        return values
    values, start = values.copy(), len(signature.features)
    for counts in signature.counts:
        end = start + len(counts.terms)
        values[:, signature.names.index(counts.feature)] += X[:, start:end].sum(axis=1)
        start = end
    return values


def count_labels(signature: Signature, labels: IntMatrix) -> dict[str, Counts]:
    """Count the positions of labels, [N, L], for each target."""
    return {
        name: tuple(np.bincount(labels[:, place], minlength=classes).tolist())
        for place, (name, classes) in enumerate(label_names(signature.target).items())
    }
