"""Captured records of one role and mode, counted chunk by chunk."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from functions.monitor.answers import ABSENT, Answers
from functions.monitor.captures import Heading
from functions.monitor.chunk import Chunk
from functions.monitor.encoding import Encoding, alike
from functions.monitor.subject import Subject
from functions.monitor.sums import columns, plus
from sklambda.arrays import FloatMatrix, IntMatrix
from sklambda.baseline import codes
from sklambda.scored import scored
from sklambda.signature import Feature
from sklambda.sketch import Column, Sketch
from sklambda.sketching import Sketcher

type _Names = tuple[str, ...]


_EXPECTED: Final[Heading] = "champion", "raw"
"""Whose errors the error model knows."""


class Tally:
    """Counts records.

    Parameters
    ----------
    subject : Subject
        Whose they are.
    heading : tuple of str
        Who answered, and how features were recorded.

    Attributes
    ----------
    sketch : Sketch or None
        Of all records so far.
    segments : dict of str to Sketch
        Of parts of them.
    answers : list of Answers
        A part each chunk.
    errors : dict of str to Column
        The absolute errors that are to be expected, where the whole row is recorded.
    misfits : int
        How many records have a value that the model does not admit.
    """

    def __init__(self, subject: Subject, heading: Heading) -> None:
        mode = heading[1]
        self.sketch: Sketch | None = None
        self.segments: dict[str, Sketch] = {}
        self.answers: list[Answers] = []
        self.misfits = 0
        self.errors: dict[str, Column] = {}
        self._subject, self._mode = subject, mode
        self._expects = subject.error_model if heading == _EXPECTED else None
        self._encoding = Encoding(subject.signature, mode)
        self._sketchers: dict[_Names, Sketcher] = {}
        self._scored = scored(subject.signature.target)
        self._groups = [subject.signature.names.index(name) for name in subject.watching.groups]
        self._segments = [
            (place, feature)
            for place, feature in enumerate(subject.signature.features)
            if feature.name in subject.watching.segments and codes(feature)
        ]

    def add(self, chunk: Chunk) -> None:
        """Count a chunk."""
        scores = np.array(chunk.scores, dtype=np.float64).reshape(len(chunk.ids), -1)
        labels = np.array(chunk.labels, dtype=np.intp).reshape(len(chunk.ids), -1)
        ids = np.array(chunk.ids, dtype=np.uint64)
        coerced = dict(chunk.coerced)
        for names, rows, at in alike(self._subject.signature, chunk.rows):
            X, misfits = self._encoding.encode(names, rows)
            self.misfits += misfits
            self._count(names, X, scores[at], labels[at], coerced)
            watched = [one.of(scores[at], labels[at]) for one in self._scored]
            values = np.array(watched).reshape(len(watched), -1).T
            self.answers.append(Answers(ids[at], values, labels[at], self._codes(X)))
            coerced = {}  # they are known of the chunk, and counted with its first part

    def _count(
        self,
        names: _Names,
        X: FloatMatrix,
        scores: FloatMatrix,
        labels: IntMatrix,
        coerced: dict[str, int],
    ) -> None:
        sketcher = self._sketcher(names)
        whole = len(names) == len(self._subject.signature.names)
        one = sketcher.sketch(X, scores, labels, coerced)
        # Of rows that lack a feature more are equal than of whole ones.
        self.sketch = plus(self.sketch, one if whole else one.replace(duplicates=0))
        if whole and self._expects is not None:
            self.errors = columns([self.errors, self._expects.count(X)])
        for name, part in self._parts(X):
            some = sketcher.sketch(X[part], scores[part], labels[part])
            self.segments[name] = plus(self.segments.get(name), some.replace(duplicates=0))

    def _parts(self, X: FloatMatrix) -> Iterator[tuple[str, IntMatrix]]:
        for place, feature in self._segments:
            for code, name in enumerate(_categories(feature)):
                rows = np.flatnonzero(X[:, place] == code)
                if rows.size:
                    yield f"{feature.name} = {name}", rows

    def _codes(self, X: FloatMatrix) -> IntMatrix:
        chosen = X[:, self._groups]
        return np.where(np.isnan(chosen), ABSENT, chosen).astype(np.intp)

    def _sketcher(self, names: _Names) -> Sketcher:
        if names not in self._sketchers:
            subject = self._subject
            without = set(subject.signature.names) - set(names)
            self._sketchers[names] = Sketcher(
                subject.signature, subject.baseline, self._mode, without
            )
        return self._sketchers[names]


def _categories(feature: Feature) -> tuple[str, ...]:
    return ("false", "true") if feature.kind == "boolean" else feature.vocabulary
