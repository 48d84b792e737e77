"""The keys of captures, sketches and outcomes in the bucket, and the counts of an hour."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from sklambda.document import Document
from sklambda.sketch.sketch import Histogram, Mode, Sketch, to_json
from sklambda.storage import hour_folder

type Role = Literal["champion", "challenger"]

ROLES: Final[tuple[Role, ...]] = ("champion", "challenger")
MODES: Final[tuple[Mode, ...]] = ("raw", "binned")

_HOUR: Final = timedelta(hours=1)


class Hour(Document):
    """The counts of the predictions of an hour.

    Attributes
    ----------
    sources : dict of str to str
        The objects that were counted: their keys and etags.
    late : int
        The number of predictions that arrived after the hour was counted first.
    unreadable : int
        The number of damaged objects, lines and captured predictions.
    misfits : int
        The number of predictions with a value that the signature refuses; it counts as missing.
    others : int
        The number of predictions of other packages.
    sketch : Sketch or None
        None without predictions.
    segments : dict of str to Sketch
        The sketches of segments by name, such as "Contract = One year".
    errors : dict of str to Histogram
        The predicted absolute errors of a regressor, by the name of the value.
    """

    sources: dict[str, str]
    late: int = 0
    unreadable: int = 0
    misfits: int = 0
    others: int = 0
    sketch: Sketch | None = None
    segments: dict[str, Sketch]
    errors: dict[str, Histogram]

    @property
    def rows(self) -> int:
        """The number of predictions."""
        return 0 if self.sketch is None else self.sketch.rows

    def json(self) -> bytes:
        """Return it as JSON, which `parse` reads."""
        return to_json(self)


def whole_hour(moment: datetime) -> datetime:
    """Return the start of the hour of a time, in UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def hours(start: datetime, stop: datetime) -> Iterator[datetime]:
    """Yield the starts of the hours from that of `start` until before `stop`."""
    moment = whole_hour(start)
    while moment < stop:
        yield moment
        moment += _HOUR


def days(start: datetime, stop: datetime) -> Iterator[str]:
    """Yield the folders of the days from `start` until before `stop`."""
    named = dict.fromkeys(hour_folder(moment).rpartition("/")[0] for moment in hours(start, stop))
    return iter(named)


def captures_prefix(moment: datetime) -> str:
    """Return the prefix of the keys of the captures of an hour."""
    return f"captures/{hour_folder(moment)}/"


def sketch_key(model: str, role: Role, mode: Mode, moment: datetime) -> str:
    """Return the key of the `Hour` of a package, `model` being its id."""
    return f"sketches/{model}/{role}/{mode}/{hour_folder(moment)}.json"


def batch_sketch_key(model: str, mode: Mode, moment: datetime, job: str, part: str) -> str:
    """Return the key of the `Sketch` of a part of a batch job; it is added to its hour."""
    return f"sketches/{model}/champion/{mode}/{hour_folder(moment)}/batch-{job}-{part}.json"


def predictions_key(model: str, role: Role, moment: datetime) -> str:
    """Return the key of the predictions of an hour, which outcomes are joined with."""
    return f"answers/{model}/{role}/{hour_folder(moment)}.npz"


def outcomes_key(model: str, moment: datetime) -> str:
    """Return the key of the outcomes of an hour."""
    return f"answers/{model}/outcomes/{hour_folder(moment)}.npz"


def hour_of(key: str) -> datetime:
    """Return the start of the hour of a key."""
    start = key.index("year=")
    numbers = (part.partition("=")[2][:4] for part in key[start:].split("/")[:4])
    year, month, day, at = (int("".join(filter(str.isdigit, number))) for number in numbers)
    return datetime(year, month, day, at, tzinfo=UTC)
