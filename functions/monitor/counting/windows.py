"""Windows: the sums of stored hours."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce

import numpy as np

from functions.monitor.counting.concurrent_reads import contents, within
from functions.monitor.watched_model import Subject
from sklambda.sketch import layout
from sklambda.sketch.layout import MODES, Hour, Role
from sklambda.sketch.sketch import Column, Mode, Sketch
from sklambda.sketch.sketcher import Sketcher
from sklambda.sketch.watched_scores import label_names

type Counted = tuple[datetime, Hour]


@dataclass(frozen=True, slots=True)
class Sum:
    """The predictions of one role and mode in some time.

    Attributes
    ----------
    sketch : Sketch
        Of all of them; of none where there are none.
    segments : dict of str to Sketch
        Of parts of them, by their names.
    errors : dict of str to Column
        The absolute errors that are to be expected, by the name of the value.
    hours : int
        In how many hours there were some.
    late : int
        How many arrived after their hour was counted first.
    """

    sketch: Sketch
    segments: dict[str, Sketch] = field(default_factory=dict)
    errors: dict[str, Column] = field(default_factory=dict)
    hours: int = 0
    late: int = 0

    @property
    def rows(self) -> int:
        """How many predictions."""
        return self.sketch.rows


def summed(
    subject: Subject,
    start: datetime,
    stop: datetime,
    role: Role = "champion",
    mode: Mode | None = None,
) -> Sum:
    """Add up what is counted of the hours from `start` until before `stop`.

    Parameters
    ----------
    subject : Subject
        Whose answers they are.
    start, stop : datetime
        Whole hours.
    role : {"champion", "challenger"}
        Who answered.
    mode : {"raw", "binned"}, optional
        How features were recorded: as those of most predictions, unless told.
    """
    modes = MODES if mode is None else (mode,)
    sums = [_sum(subject, counted(subject, role, one, start, stop), one) for one in modes]
    return max(sums, key=lambda one: one.rows)


def _sum(subject: Subject, hours: Iterable[Counted], mode: Mode) -> Sum:
    some = [(moment, hour) for moment, hour in hours if hour.rows]
    sketch = total(hour.sketch for _, hour in some if hour.sketch is not None)
    names = dict.fromkeys(name for _, hour in some for name in hour.segments)
    segments = {
        name: total(hour.segments[name] for _, hour in some if name in hour.segments)
        for name in names
    }
    return Sum(
        sketch=empty(subject, mode) if sketch is None else sketch,
        segments={name: one for name, one in segments.items() if one is not None},
        hours=len({moment for moment, _ in some}),
        errors=columns(hour.errors for _, hour in some),
        late=sum(hour.late for _, hour in some),
    )


def counted(
    subject: Subject, role: Role, mode: Mode, start: datetime, stop: datetime
) -> Iterator[Counted]:
    """Give what is counted of hours: of one more than once where a batch job added to it."""
    folder = f"sketches/{subject.id}/{role}/{mode}"
    kept = within(subject.records, folder, start, stop)
    for key, content in contents(subject.records, kept).items():
        yield layout.moment_of(key), _hour(key, content)


def _hour(key: str, content: bytes) -> Hour:
    if "/batch-" in key:
        return Hour(sources={}, sketch=Sketch.parse(content), segments={}, errors={})
    return Hour.parse(content)


def empty(subject: Subject, mode: Mode = "raw") -> Sketch:
    """Sketch nothing."""
    signature, none = subject.signature, np.empty((0, 0))
    width = signature.width if mode == "raw" else len(signature.features)
    labels = np.empty((0, len(label_names(signature.target))), dtype=np.intp)
    return Sketcher(signature, subject.baseline, mode).sketch(
        none.reshape(0, width), none.reshape(0, signature.target.width), labels
    )


def plus(one: Sketch | None, other: Sketch) -> Sketch:
    """Add a sketch of the same mode to what there is.

    A feature that is not in both was redacted for a time: its column holds the rows of the rest.
    """
    if one is None:
        return other
    if one.features.keys() == other.features.keys():
        return one + other
    return _with(one, other.features) + _with(other, one.features)


def total(parts: Iterable[Sketch]) -> Sketch | None:
    """Add sketches of the same mode; None where there are none."""
    return reduce(plus, parts, None)


def columns(parts: Iterable[Mapping[str, Column]]) -> dict[str, Column]:
    """Add columns by their names."""
    found: dict[str, Column] = {}
    for part in parts:
        for name, column in part.items():
            found[name] = found[name] + column if name in found else column
    return found


def _with(sketch: Sketch, others: dict[str, Column]) -> Sketch:
    empty = {name: _none(column) for name, column in others.items()}
    return sketch.replace(features=empty | sketch.features)


def _none(column: Column) -> Column:
    return Column(rows=0, counts=(0,) * len(column.counts), gaps=(0.0,) * len(column.gaps))
