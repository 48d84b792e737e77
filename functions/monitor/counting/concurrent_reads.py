"""Concurrent reads: many objects of a storage, several at a time."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Final

from sklambda.sketch.layout import days, hour_of
from sklambda.storage import Storage, Stored

MAX_CONCURRENT: Final = 10
"""How many objects are read at a time: as many connections as a boto3 client keeps."""


def read_all(storage: Storage, objects: Iterable[Stored]) -> Mapping[str, bytes]:
    """Read objects; return their contents by key, in their order."""
    objects = list(objects)
    with ThreadPoolExecutor(MAX_CONCURRENT) as pool:
        contents = pool.map(storage.read, objects)
        return dict(zip((one.key for one in objects), contents, strict=True))


def find_all(storage: Storage, keys: Iterable[str]) -> list[Stored]:
    """Find objects by their keys; return those that exist."""
    with ThreadPoolExecutor(MAX_CONCURRENT) as pool:
        return [one for one in pool.map(storage.find, keys) if one is not None]


def list_hours(storage: Storage, folder: str, start: datetime, stop: datetime) -> list[Stored]:
    """List the objects of a folder in the hours from `start` until before `stop`."""

    def list_day(day: str) -> list[Stored]:
        return list(storage.list(f"{folder}/{day}/"))

    with ThreadPoolExecutor(MAX_CONCURRENT) as pool:
        listings = pool.map(list_day, days(start, stop))
        return [one for day in listings for one in day if start <= hour_of(one.key) < stop]
