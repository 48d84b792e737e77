"""Log lines that hold as many records as CloudWatch takes of one line."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pydantic_core import to_json

MOST_BYTES: Final = 256_000
"""A little under the 256 KiB after which Lambda breaks a line in two."""


def record(members: Mapping[str, Any]) -> bytes:
    """Write a record as JSON: what is not finite is null, what has no JSON is text."""
    return to_json(members, inf_nan_mode="null", bytes_mode="base64", serialize_unknown=True)


def lines(heading: Mapping[str, Any], records: Iterable[bytes]) -> Iterator[bytes]:
    """Put records under a heading, in the fewest lines that are short enough.

    A record that alone is too long for a line is left out.
    """
    head = record(heading)[:-1] + b',"records":['
    room = MOST_BYTES - len(head) - len(b"]}")
    batch: list[bytes] = []
    size = 0
    for one in records:
        if len(one) > room:
            continue
        if size + len(one) > room:
            yield head + b",".join(batch) + b"]}"
            batch, size = [], 0
        batch.append(one)
        size += len(one) + 1
    if batch:
        yield head + b",".join(batch) + b"]}"
