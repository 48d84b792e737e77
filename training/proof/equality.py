"""The rule by which two predictions are equal, on any processor.

Scores are equal within `TOLERANCE`, or within the bound on their rounding where that is greater
(`training.proof.rounding`). A real row whose bound exceeds `PLAUSIBLE` is noise, also where both
sides happen to agree: on another processor they would not.

Labels are compared wherever no change of the scores by their tolerance changes the label. The
others are undecidable: processors add in different orders, and the sign of a decision of 1e-17 is
that of the order. Where nothing was rounded, the same bits decide.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd

from sklambda.arrays import Flags, FloatMatrix, FloatVector
from sklambda.codec.codec import Codec
from sklambda.decision import (
    TOLERANCE,
    by_target,
    decided,
    distinct,
    scales,
    score_differences,
)
from sklambda.errors import RowsInvalid
from sklambda.session import Session
from sklambda.signature import Signature
from training.frames import ClientRow
from training.proof.reference import Predictions, Reference
from training.proof.rounding import Rounding

PLAUSIBLE: Final = 1e-5
"""The greatest bound on the rounding of a score that is no noise, relative to a usual score."""

_SAMPLE: Final = 500
"""The number of rows whose median is a usual score."""

_SAFETY: Final = 1000.0
"""The number of tolerances between a golden row and a change of its label."""

_FLATTER: Final = 100.0
"""How much flatter scores may be than the decisions behind them; a logistic function is 4 times."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The comparison of two predictions of some rows.

    Attributes
    ----------
    differences : FloatVector
        Shape [N]: the greatest difference of each row, absolute up to 1, relative above.
    equal : Flags
        Shape [N]: whether all scores are within their tolerance.
    widened : Flags
        Shape [N]: whether that took more than the usual tolerance.
    decided : Flags
        Shape [N, L]: the labels that can be compared.
    contradicted : Flags
        Shape [N, L]: those of them that differ.
    noise : Flags
        Shape [N]: the real rows whose bound is finite and exceeds `PLAUSIBLE`.
    bounds : FloatVector
        Shape [N]: how far rounding alone may move the scores, as `differences`, of real rows and
        of those that needed it; of the others `TOLERANCE`.
    """

    differences: FloatVector
    equal: Flags
    widened: Flags
    decided: Flags
    contradicted: Flags
    noise: Flags
    bounds: FloatVector


class Equality:
    """Compares predictions of one model.

    Parameters
    ----------
    reference : Reference
        scikit-learn's side.
    model : bytes
        The graph.
    signature : Signature
        The signature of the graph.
    frame : DataFrame
        Shape [N, K]: real rows.
    """

    def __init__(
        self, reference: Reference, model: bytes, signature: Signature, frame: pd.DataFrame
    ) -> None:
        self._reference = reference
        self._model = model
        self._codec = Codec(signature)
        self._target, self._partial = signature.target, signature.partial
        self._frame = frame

    def compare(
        self,
        rows: Sequence[ClientRow],
        expected: Predictions,
        found: Predictions,
        real: Flags | None = None,
    ) -> Comparison:
        """Compare two predictions for `rows`; a row that one side refuses is not equal.

        The bounds of rows that are `real`, [N], are computed whether they differ or not, so that
        every processor finds the same noise. Any finite bound is a tolerance.
        """
        apart = score_differences(expected.scores, found.scores)
        scored = ~(expected.refused | found.refused)
        far = scored & ~(apart <= TOLERANCE).all(axis=1)  # so that NaN is far
        mixed = expected.labels != found.labels
        usual = np.full(apart.shape, TOLERANCE)
        judged = np.zeros(len(rows), dtype=bool) if real is None else scored & real
        close = scored & ~self._decided(expected.scores, usual).all(axis=1)
        known = np.full(apart.shape, np.nan)
        places = np.flatnonzero(judged | far | close | (scored & mixed.any(axis=1)))
        if len(places):
            own = [rows[place] for place in places.tolist()]
            known[places] = self._bounds(own, expected.scores[places])
        bounds = np.fmax(TOLERANCE, known)
        tolerances = np.where(np.isfinite(bounds), bounds, TOLERANCE)
        clear = self._decided(expected.scores, tolerances)
        close = scored & ~clear.all(axis=1) & (tolerances == usual).all(axis=1)
        clear |= self._decided_otherwise(rows, expected, found, close, known == 0)
        equal = scored & (apart <= tolerances).all(axis=1)
        noise = self._noise(expected.scores, known) & judged
        return Comparison(
            apart.max(axis=1), equal, far & equal, clear, mixed & clear, noise, bounds.max(axis=1)
        )

    def _noise(self, scores: FloatMatrix, known: FloatMatrix) -> Flags:
        with np.errstate(invalid="ignore"):
            exceeded = np.isfinite(known) & (known > self._greatest_bounds(scores))
        noise: Flags = exceeded.any(axis=1)
        return noise

    def bounds(self, rows: Sequence[ClientRow], scores: FloatMatrix) -> FloatVector:
        """Return how far the scores of each row, [N, C], may be off on another processor.

        Returns
        -------
        FloatVector
            Shape [N]: absolute up to a score of 1, relative above; at least `TOLERANCE`, and not
            finite where there is no bound, or none below `PLAUSIBLE`, or the service refuses the
            row.
        """
        known = np.fmax(TOLERANCE, self._bounds(rows, scores))
        with np.errstate(invalid="ignore"):
            known = np.where(known <= self._greatest_bounds(scores), known, np.inf)
        greatest: FloatVector = np.where(self._unscored(rows), np.inf, known.max(axis=1))
        return greatest

    def _unscored(self, rows: Sequence[ClientRow]) -> Flags:
        """Return which rows that the codec accepts have no score of the graph, [N]."""
        found = np.zeros(len(rows), dtype=np.bool_)
        session = Session(self._model) if self._partial else None
        for place, row in enumerate(rows if session else ()):
            with suppress(RowsInvalid):
                scores = session.run(self._codec.encode([row])) if session else found
                found[place] = bool(np.isnan(scores).any())
        return found

    def labels_hold(self, scores: FloatMatrix, bounds: FloatVector) -> Flags:
        """Return in which rows, [N], every label is the same on any processor."""
        return self._decided(scores, _SAFETY * bounds[:, None]).all(axis=1)

    def _decided(self, scores: FloatMatrix, tolerances: FloatMatrix) -> Flags:
        with np.errstate(invalid="ignore", over="ignore"):
            return decided(self._target, scores, tolerances * scales(scores))

    def _bounds(self, rows: Sequence[ClientRow], scores: FloatMatrix) -> FloatMatrix:
        """Return how far rounding may set the sides apart, [N, C]: 0 if nothing was rounded."""
        X, accepted = self._codec.encode_accepted(rows)
        bounds = np.full(scores.shape, np.inf)
        with np.errstate(invalid="ignore"):
            # Each side may be off by as much.
            own = 2 * self._rounding.bounds(X) / scales(scores[accepted])
        bounds[accepted] = np.where(np.isnan(own), np.inf, own)
        return bounds

    def _greatest_bounds(self, scores: FloatMatrix) -> FloatMatrix:
        return np.maximum(TOLERANCE, PLAUSIBLE * np.maximum(1.0, self._usual / scales(scores)))

    @cached_property
    def _usual(self) -> FloatVector:
        sizes = np.abs(self._reference.predict_frame(self._frame.head(_SAMPLE)).scores)
        sizes[~np.isfinite(sizes)] = 0.0
        usual: FloatVector = np.median(sizes, axis=0)
        return usual

    @cached_property
    def _rounding(self) -> Rounding:
        return Rounding(self._model)

    def _decided_otherwise(
        self,
        rows: Sequence[ClientRow],
        expected: Predictions,
        found: Predictions,
        close: Flags,
        exact: Flags,
    ) -> Flags:
        """Return which labels, [N, L], of rows `close` to a change, [N], rounding leaves alone.

        An estimator that decides by its scores decides alike where both sides have the same bits,
        as in the ties of trees; so does any where the scores, [N, C], are `exact`. Decisions may be
        clear where the scores made of them are not.
        """
        clear = np.zeros(expected.labels.shape, dtype=bool)
        places = np.flatnonzero(close)
        if not len(places) or self._reference.is_exact:
            return clear | close[:, None]
        decisions = self._reference.decisions([rows[place] for place in places.tolist()])
        one, other = expected.scores[places], found.scores[places]
        alike = (one == other) | (np.isnan(one) & np.isnan(other))
        deciding = one if self._target.label_by is None else one[:, self._target.shown :]
        if deciding.shape[1] == 1:  # libsvm's label of a decision of 0 is that of its sign
            alike[(deciding[:, 0] == 0) & ~exact[places].all(axis=1)] = False
        for label, (decision, same, sure) in enumerate(
            zip(decisions, self._by_label(alike), self._by_label(exact[places]), strict=True)
        ):
            clear[places, label] = (
                same
                if decision is None
                else (same & sure) | distinct(decision, _FLATTER * TOLERANCE * scales(decision))
            )
        return clear

    def _by_label(self, flags: Flags) -> list[Flags]:
        """Return for each label whether the flags of all its scores, [N, C], hold."""
        parts = by_target(self._target, flags.astype(np.float64))
        return [own.all(axis=1) for part, own in parts if part.classes]
