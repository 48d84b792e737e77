"""Hours of captures, counted once each."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from functions.monitor.answers import Answers
from functions.monitor.captures import Captures, Heading
from functions.monitor.objects import found
from functions.monitor.subject import Subject
from functions.monitor.tally import Tally
from sklambda import records
from sklambda.objects import ANY
from sklambda.records import MODES, ROLES, Hour, Role
from sklambda.storage import Stored

_HOUR: Final = timedelta(hours=1)
_MAIN: Final[Heading] = "champion", "raw"
"""Where it is kept that an hour without any prediction of the package was counted."""


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
    objects = list(subject.records.list(records.captures(hour)))
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
    return records.answers(subject.id, role, hour)


def _counted(subject: Subject, hour: datetime) -> dict[Heading, Hour]:
    headings: list[Heading] = [(role, mode) for role in ROLES for mode in MODES]
    keys = {records.sketch(subject.id, *heading, hour): heading for heading in headings}
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
        kept[records.sketch(subject.id, *heading, hour)] = made.replace(
            late=_late(counted, heading, made)
        ).json()
    subject.records.put(kept)


def _late(counted: Mapping[Heading, Hour], heading: Heading, made: Hour) -> int:
    if not counted:
        return 0
    before = counted.get(heading)
    return made.rows if before is None else before.late + max(0, made.rows - before.rows)
