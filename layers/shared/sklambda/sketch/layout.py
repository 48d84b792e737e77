"""Where records of predictions lie, and what is counted of them: keys of one layout."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from sklambda.document import Document
from sklambda.sketch.sketch import Column, Mode, Sketch, to_json
from sklambda.storage import hour

type Role = Literal["champion", "challenger"]

ROLES: Final[tuple[Role, ...]] = ("champion", "challenger")
MODES: Final[tuple[Mode, ...]] = ("raw", "binned")

_HOUR: Final = timedelta(hours=1)


class Hour(Document):
    """What is counted of the predictions of an hour.

    Attributes
    ----------
    sources : dict of str to str
        What it was counted from: the keys of objects with their etags.
    late : int
        How many predictions arrived after the hour was counted first.
    unreadable : int
        How many objects, lines and records were damaged.
    misfits : int
        How many predictions had a value that the model does not admit; it counts as missing.
    others : int
        How many predictions were those of other packages.
    sketch : Sketch or None
        None where there are none.
    segments : dict of str to Sketch
        Parts of it, by their names, such as "Contract = One year".
    errors : dict of str to Column
        The absolute errors that are to be expected of a regressor, by the name of the value.
    """

    sources: dict[str, str]
    late: int = 0
    unreadable: int = 0
    misfits: int = 0
    others: int = 0
    sketch: Sketch | None = None
    segments: dict[str, Sketch]
    errors: dict[str, Column]

    @property
    def rows(self) -> int:
        """How many predictions."""
        return 0 if self.sketch is None else self.sketch.rows

    def json(self) -> bytes:
        """Write it as JSON, which `parse` reads."""
        return to_json(self)


def whole_hour(moment: datetime) -> datetime:
    """Give the beginning of the hour, in UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def hours(start: datetime, stop: datetime) -> Iterator[datetime]:
    """Give the beginnings of the hours from `start` until before `stop`."""
    moment = whole_hour(start)
    while moment < stop:
        yield moment
        moment += _HOUR


def days(start: datetime, stop: datetime) -> Iterator[str]:
    """Name the parts of a layout that hold the days from `start` until before `stop`."""
    named = dict.fromkeys(hour(moment).rpartition("/")[0] for moment in hours(start, stop))
    return iter(named)


def captures(moment: datetime) -> str:
    """Give what the keys of an hour's captures begin with."""
    return f"captures/{hour(moment)}/"


def sketch(model: str, role: Role, mode: Mode, moment: datetime) -> str:
    """Give the key of the `Hour` of a package, by its id."""
    return f"sketches/{model}/{role}/{mode}/{hour(moment)}.json"


def batch_sketch(model: str, mode: Mode, moment: datetime, job: str, part: str) -> str:
    """Give the key of the `Sketch` of a part of a batch job, which is added to its hour."""
    return f"sketches/{model}/champion/{mode}/{hour(moment)}/batch-{job}-{part}.json"


def answers(model: str, role: Role, moment: datetime) -> str:
    """Give the key of what outcomes are joined with."""
    return f"answers/{model}/{role}/{hour(moment)}.npz"


def truths(model: str, moment: datetime) -> str:
    """Give the key of the outcomes of an hour, gathered."""
    return f"answers/{model}/outcomes/{hour(moment)}.npz"


def moment_of(key: str) -> datetime:
    """Give the hour that a key of the layout belongs to."""
    start = key.index("year=")
    numbers = (part.partition("=")[2][:4] for part in key[start:].split("/")[:4])
    year, month, day, at = (int("".join(filter(str.isdigit, number))) for number in numbers)
    return datetime(year, month, day, at, tzinfo=UTC)
