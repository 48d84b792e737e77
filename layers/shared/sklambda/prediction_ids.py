"""The ids by which outcomes name predictions, and when an outcome can have become true.

The id of a prediction is a UUID of version 7 (RFC 9562), one for each request, and the position of
the row. The service draws it; what a client sends is never part of it, so that no two predictions
share one. A client may name a prediction by its own id of the row instead.
"""

import os
import re
import time
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final

CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far the clocks of clients and of the service may differ."""

MAX_ID_LENGTH: Final = 256
"""The greatest length of the id of a prediction, and of a client's row id."""

_MAX_BITS: Final = 512
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = (datetime.max.replace(tzinfo=UTC) - _START) // timedelta(milliseconds=1)

_FORM: Final = re.compile(
    r"([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}-[0-9]{1,9}"
)


def draw_request_part(moment: float | None = None) -> str:
    """Draw what the ids of the predictions of one request begin with.

    Parameters
    ----------
    moment : float, optional
        When they are made, in seconds since 1970; by default now.
    """
    milliseconds = time.time_ns() // 1_000_000 if moment is None else int(moment * 1000)
    drawn = (milliseconds.to_bytes(6) + os.urandom(9)).hex()
    return f"{drawn[:8]}-{drawn[8:12]}-7{drawn[12:15]}-8{drawn[15:18]}-{drawn[18:]}"


def prediction_time(prediction_id: str) -> datetime | None:
    """Return when a prediction was made, by its id; None for an id of another form.

    None too for a moment after the year 9999, which a UUID has room for and `datetime` has not.
    """
    found = _FORM.fullmatch(prediction_id)
    if found is None:
        return None
    milliseconds = int(found[1] + found[2], 16)
    return None if milliseconds > _LAST else _START + timedelta(milliseconds=milliseconds)


def row_digest(row_id: object) -> str | None:
    """Return the digest of a client's own row id; None for a value that cannot be one.

    A row id is a text or a whole number; 7 and "7" are the same. A digest only spares the records
    the id itself: who knows the ids of all rows can find each by its digest.
    """
    if isinstance(row_id, bool) or not isinstance(row_id, (str, int)):
        return None
    if isinstance(row_id, int) and row_id.bit_length() > _MAX_BITS:
        return None
    text = str(row_id)
    if not 0 < len(text) <= MAX_ID_LENGTH:
        return None
    return blake2b(text.encode(errors="surrogatepass"), digest_size=16, person=b"row").hexdigest()
