"""What was wrong with the records that were not scored, a JSON object a line."""

import json
from collections.abc import Iterable
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from functions.batch.formats.reading import Reject


def write(rejects: Iterable["Reject"], first: int, *, show: bool) -> bytes:
    """Write faults in the order of their records.

    Parameters
    ----------
    rejects : iterable of Reject
        All faults of all records of a slice.
    first : int
        The number of the slice's first record in the whole input.
    show : bool
        Whether each holds the value that was refused.
    """
    ordered = sorted(rejects, key=attrgetter("place"))
    return "".join(_line(reject, first, show) for reject in ordered).encode()


def _line(reject: "Reject", first: int, show: bool) -> str:
    members = {
        "row": first + reject.place,
        "column": reject.column,
        "code": reject.code,
        "detail": reject.detail,
    }
    value = {"value": reject.value} if show else {}
    return json.dumps(members | value, ensure_ascii=False) + "\n"
