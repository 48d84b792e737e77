"""Hours of captures: the predictions of each hour are counted once, and stored."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from functions.monitor.counting.captures import Captures, Chunk, Encoding, Heading, alike
from functions.monitor.counting.concurrent_reads import found
from functions.monitor.counting.predictions import ABSENT, Answers
from functions.monitor.counting.windows import columns, plus
from functions.monitor.watched_model import Subject
from sklambda.arrays import FloatMatrix, IntMatrix
from sklambda.signature import Feature
from sklambda.sketch import layout
from sklambda.sketch.baseline import codes
from sklambda.sketch.layout import MODES, ROLES, Hour, Role
from sklambda.sketch.sketch import Column, Sketch
from sklambda.sketch.sketcher import Sketcher
from sklambda.sketch.watched_scores import scored
from sklambda.storage import Stored
from sklambda.storage.objects import ANY

_HOUR: Final = timedelta(hours=1)

_MAIN: Final[Heading] = "champion", "raw"
"""Where it is kept that an hour without any prediction of the package was counted."""

_EXPECTED: Final[Heading] = "champion", "raw"
"""Whose errors the error model knows."""

type _Names = tuple[str, ...]


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


def count(subject: Subject, hour: datetime) -> None:
    """Count the captures of an hour; again only where there are new ones.

    What is counted already stays as it is where nothing came to it, and where some of what it
    was counted from is there no longer: captures expire, and counts do not. A line that stands in
    the hour before too is left out.

    Parameters
    ----------
    subject : Subject
        Whose answers are counted: the package's as champion, and any challenger's beside it.
    hour : datetime
        Its beginning.
    """
    objects = list(subject.records.list(layout.captures(hour)))
    before = found(subject.records, (_answers(subject, role, hour - _HOUR) for role in ROLES))
    sources = {one.key: one.etag for one in [*objects, *before]}
    counted = _counted(subject, hour)
    known = {key: etag for one in counted.values() for key, etag in one.sources.items()}
    if counted and (known == sources or not sources.keys() >= known.keys()):
        return
    captures = Captures(subject.signature.target, subject.id, _known(subject, before))
    tallies: dict[Heading, Tally] = {}
    for heading, chunk in captures.read(subject.records, objects):
        tally = tallies.setdefault(heading, Tally(subject, heading))
        tally.add(chunk)
    for key in captures.damaged:
        subject.notice(key)
    _keep_answers(subject, hour, tallies)
    _keep(subject, hour, counted, sources, captures, tallies)


def _answers(subject: Subject, role: Role, hour: datetime) -> str:
    return layout.answers(subject.id, role, hour)


def _counted(subject: Subject, hour: datetime) -> dict[Heading, Hour]:
    headings: list[Heading] = [(role, mode) for role in ROLES for mode in MODES]
    keys = {layout.sketch(subject.id, *heading, hour): heading for heading in headings}
    return {
        keys[one.key]: Hour.parse(subject.records.read(one)) for one in found(subject.records, keys)
    }


def _known(subject: Subject, before: Iterable[Stored]) -> Mapping[Role, list[int]]:
    """Give what the hour before has counted: a line may stand in both."""
    kept = {one.key.split("/")[2]: Answers.read(subject.records.read(one)) for one in before}
    return {role: kept[role].ids.tolist() for role in ROLES if role in kept}


def _keep_answers(subject: Subject, hour: datetime, tallies: Mapping[Heading, Tally]) -> None:
    for role in ROLES:
        parts = [
            part
            for heading, tally in tallies.items()
            if heading[0] == role
            for part in tally.answers
        ]
        if parts:
            key = _answers(subject, role, hour)
            subject.records.put({key: Answers.joined(parts).written()}, ANY)


def _keep(
    subject: Subject,
    hour: datetime,
    counted: Mapping[Heading, Hour],
    sources: dict[str, str],
    captures: Captures,
    tallies: Mapping[Heading, Tally],
) -> None:
    """Write what was counted, last: only then the hour is."""
    kept = {}
    for heading in {_MAIN, *tallies, *counted}:
        made = Hour(sources=sources, segments={}, errors={})
        if (tally := tallies.get(heading)) is not None:
            made = made.replace(
                misfits=tally.misfits,
                sketch=tally.sketch,
                segments=tally.segments,
                errors=tally.errors,
            )
        if heading == _MAIN:
            made = made.replace(unreadable=captures.unreadable, others=captures.others)
        kept[layout.sketch(subject.id, *heading, hour)] = made.replace(
            late=_late(counted, heading, made)
        ).json()
    subject.records.put(kept)


def _late(counted: Mapping[Heading, Hour], heading: Heading, made: Hour) -> int:
    if not counted:
        return 0
    before = counted.get(heading)
    return made.rows if before is None else before.late + max(0, made.rows - before.rows)


def _categories(feature: Feature) -> tuple[str, ...]:
    return ("false", "true") if feature.kind == "boolean" else feature.vocabulary
