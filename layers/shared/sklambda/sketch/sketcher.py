"""Counts rows and their scores into sketches."""

from collections.abc import Collection, Iterator, Mapping

import numpy as np

from sklambda.arrays import FloatMatrix, FloatVector, IntMatrix, IntVector
from sklambda.signature import UNSEEN, Signature
from sklambda.sketch.baseline import Baseline, Reference
from sklambda.sketch.ruler import TENTHS, Ruler, bins_of
from sklambda.sketch.sketch import Counts, Histogram, Mode, Sketch
from sklambda.sketch.watched_scores import class_counts, watched_scores

_ODD = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)


def count_numbers(ruler: Ruler, values: FloatVector) -> Histogram:
    """Count numbers, [n] float64; a number that is not finite is missing."""
    present = values[np.isfinite(values)]
    if not ruler.edges or not present.size:
        return _outside(ruler, len(values), present)
    low, high = ruler.edges[0], ruler.edges[-1]
    inside = np.clip(present, low, high)
    bins = bins_of(ruler, inside)
    gaps = np.bincount(bins, np.array(ruler.edges)[bins] - inside, minlength=ruler.bins)
    return Histogram(
        rows=len(values),
        missing=len(values) - len(present),
        counts=_counts(bins, ruler.bins),
        gaps=_finite(gaps),
        below=int((present < low).sum()),
        above=int((present > high).sum()),
        least=float(present.min()),
        greatest=float(present.max()),
    )


def _finite(gaps: FloatVector) -> tuple[float, ...]:
    """Return sums of distances; JSON has no infinity, which a sum of numbers near 1e308 is."""
    return tuple(np.minimum(gaps, np.finfo(np.float64).max).tolist())


def count_codes(ruler: Ruler, values: FloatVector) -> Histogram:
    """Count the codes of categories and booleans, [n] float64, NaN where missing."""
    present = values[~np.isnan(values)]
    known = present[(present >= 0) & (present < ruler.codes)].astype(np.intp)
    return Histogram(
        rows=len(values),
        missing=len(values) - len(present),
        counts=_counts(known, ruler.codes),
        unseen=int((present == UNSEEN).sum()),
    )


def count_tenths(ruler: Ruler, values: FloatVector) -> Histogram:
    """Count the bins of a binned capture, [n] float64 from -1 to 10, NaN where missing.

    A value counts as the middle of its bin.
    """
    present = values[~np.isnan(values)]
    counts = _counts(np.clip(present + 1, 0, TENTHS).astype(np.intp), ruler.bins)
    widths = np.diff(np.array(ruler.edges), prepend=ruler.edges[0])
    return Histogram(
        rows=len(values),
        missing=len(values) - len(present),
        counts=counts,
        gaps=_finite(np.array(counts) * (widths / 2)),
        below=int((present < 0).sum()),
        above=int((present >= TENTHS).sum()),
    )


def count_duplicates(X: FloatMatrix) -> int:
    """Count the rows of [N, K] that are equal to an earlier one; missing values are equal.

    Rows are compared by a hash of 64 bits: the probability of any collision among a million
    different rows is 3e-8.
    """
    hashes = np.zeros(len(X), dtype=np.uint64)
    for values in X.T:
        plain = np.where(np.isnan(values), np.nan, values + 0.0)  # one NaN, and one zero
        hashes = (hashes ^ plain.view(np.uint64)) * _ODD
        hashes ^= hashes >> _HALF
    return len(X) - len(np.unique(hashes))


def _outside(ruler: Ruler, rows: int, present: FloatVector) -> Histogram:
    """Count where there are no edges, or no present value."""
    return Histogram(
        rows=rows,
        missing=rows - len(present),
        counts=(0,) * ruler.bins,
        gaps=(0.0,) * ruler.bins,
        above=len(present),
        least=float(present.min()) if present.size else None,
        greatest=float(present.max()) if present.size else None,
    )


def _counts(bins: IntVector, most: int) -> tuple[int, ...]:
    return tuple(np.bincount(bins, minlength=most).tolist())


class Sketcher:
    """Counts predictions in the bins of a baseline.

    Parameters
    ----------
    signature : Signature
        The features and the target.
    baseline : Baseline
        The rulers.
    mode : {"raw", "binned"}
        How captures hold the features.
    without : collection of str
        Features that are not captured.
    """

    def __init__(
        self,
        signature: Signature,
        baseline: Baseline,
        mode: Mode = "raw",
        without: Collection[str] = (),
    ) -> None:
        self._signature, self._mode, self._baseline = signature, mode, baseline
        self._features = {
            name: one for name, one in baseline.recorded(mode).items() if name not in without
        }
        self._scored = watched_scores(signature.target)
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
            Shape [N, K] float64, as `Codec.encode` returns it, or, binned, [N, F] of the parts in
            the capture; NaN where missing.
        scores : FloatMatrix
            Shape [N, C] float64.
        labels : IntMatrix
            Shape [N, L], as `sklambda.decision.label_positions` returns it.
        coerced : mapping of str to int, optional
            For a feature the number of values whose type was converted.

        Returns
        -------
        Sketch
            The sum of such sketches is the sketch of all their rows.
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

    def _columns(
        self, X: FloatMatrix, coerced: Mapping[str, int]
    ) -> Iterator[tuple[str, Histogram]]:
        values = X if self._mode == "binned" else watched_values(self._signature, X)
        for place, (name, reference) in zip(self._places, self._features.items(), strict=True):
            one = np.ascontiguousarray(values[:, place])
            merged = self._baseline.merge(name, one) if self._mode == "binned" else one
            column = self._count(reference, merged)
            yield name, column.replace(coerced=coerced.get(name, 0))

    def _count(self, reference: Reference, values: FloatVector) -> Histogram:
        if reference.ruler.codes:
            return count_codes(reference.ruler, values)
        count = count_numbers if self._mode == "raw" else count_tenths
        return count(reference.ruler, values)


def watched_values(signature: Signature, X: FloatMatrix) -> FloatMatrix:
    """Return the monitored values of encoded rows [N, K]: [N, F], one column for each feature.

    Of a text it is the number of terms of the model in it.
    """
    values = X[:, : len(signature.features)]
    if not signature.counts:
        return values
    values, start = values.copy(), len(signature.features)
    for counts in signature.counts:
        end = start + counts.width
        if counts.reading == "terms":
            terms = np.abs(X[:, start:end]) if counts.signed else X[:, start:end]
            values[:, signature.names.index(counts.feature)] += terms.sum(axis=1)
        start = end
    return values


def count_labels(signature: Signature, labels: IntMatrix) -> dict[str, Counts]:
    """Count the positions of labels, [N, L], for each target."""
    return {
        name: tuple(np.bincount(labels[:, place], minlength=classes).tolist())
        for place, (name, classes) in enumerate(class_counts(signature.target).items())
    }
