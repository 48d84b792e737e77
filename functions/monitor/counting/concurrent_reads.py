"""Many objects of a storage, several at a time."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Final

from sklambda.sketch.layout import days, moment_of
from sklambda.storage import Storage, Stored

AT_ONCE: Final = 10
"""How many objects are read at a time: as many connections as a boto3 client keeps."""


def contents(records: Storage, objects: Iterable[Stored]) -> Mapping[str, bytes]:
    """Read objects, several at a time; gives them by key, in their order."""
    objects = list(objects)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        read = pool.map(records.read, objects)
        return dict(zip((one.key for one in objects), read, strict=True))


def found(records: Storage, keys: Iterable[str]) -> list[Stored]:
    """Find objects, several at a time; what is not there is left out."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [one for one in pool.map(records.find, keys) if one is not None]


def within(records: Storage, folder: str, start: datetime, stop: datetime) -> list[Stored]:
    """Find the objects of a folder that belong to the hours from `start` until before `stop`."""

    def of_day(day: str) -> list[Stored]:
        return list(records.list(f"{folder}/{day}/"))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(of_day, days(start, stop))
        return [one for day in found for one in day if start <= moment_of(one.key) < stop]
