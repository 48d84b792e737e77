"""An object in S3 that is written whole, and only if nothing is there."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from sklambda.errors import ObjectReplaced
from sklambda.objects import Stored
from sklambda.parts import Copy, Part, Upload

_AT_ONCE: Final = 10
"""How many parts are on their way: what is held of them in memory, and a client's connections."""
_PAUSES: Final = (0.2, 0.4, 0.8, 1.6, 3.2)
_TAKEN: Final = frozenset({"412", "PreconditionFailed"})
_CONTENDED: Final = frozenset({"409", "ConditionalRequestConflict", "NoSuchUpload"})
"""Begin again. An upload is unknown, too, when the answer to its completion was lost."""
_REPLACED: Final = _TAKEN | {"404", "NoSuchKey", "NoSuchVersion"}


@dataclass(frozen=True, slots=True)
class Upcoming:
    """An object that is to be.

    Attributes
    ----------
    client : Client
        Of S3.
    place : dict
        Its bucket and key.
    media_type : str
        Of its content.
    pinned : callable
        Gives the bucket, key and version of an object that a part is copied from.
    """

    client: Any
    place: dict[str, str]
    media_type: str
    pinned: Callable[[Stored], dict[str, str]]


def published(upcoming: Upcoming, parts: Sequence[Part]) -> bool:
    """Write an object of its parts; False if something is there."""
    write = _put if len(parts) == 1 and isinstance(parts[0], Upload) else _write_parts
    for pause in (*_PAUSES, None):
        try:
            write(upcoming, parts)
            return True
        except upcoming.client.exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _TAKEN:
                return False
            if code not in _CONTENDED or pause is None:
                raise
        time.sleep(pause * (1 + os.urandom(1)[0] / 0xFF) / 2)
    raise AssertionError("the last attempt returns or raises")


@contextmanager
def unreplaced(client: Any, stored: Stored) -> Iterator[None]:
    """Say of an object that S3 does not have as it was found that it was replaced."""
    try:
        yield
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in _REPLACED:
            raise ObjectReplaced(stored.key) from error
        raise


def _put(upcoming: Upcoming, parts: Sequence[Part]) -> None:
    (part,) = parts
    assert isinstance(part, Upload)
    named = upcoming.place | {"ContentType": upcoming.media_type}
    upcoming.client.put_object(**named, Body=part.content(), IfNoneMatch="*")


def _write_parts(upcoming: Upcoming, parts: Sequence[Part]) -> None:
    client, place = upcoming.client, upcoming.place
    begun = client.create_multipart_upload(**place, ContentType=upcoming.media_type)
    place = place | {"UploadId": begun["UploadId"]}
    try:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            numbered = enumerate(parts, 1)
            done = list(pool.map(lambda one: _write_part(upcoming, place, *one), numbered))
        client.complete_multipart_upload(**place, MultipartUpload={"Parts": done}, IfNoneMatch="*")
    except BaseException:
        with suppress(client.exceptions.ClientError):  # what went wrong before is what counts
            client.abort_multipart_upload(**place)
        raise


def _write_part(
    upcoming: Upcoming, place: dict[str, str], number: int, part: Part
) -> dict[str, Any]:
    """Send or copy a part; S3 wants its checksums back, if it gave any."""
    named = place | {"PartNumber": number}
    if isinstance(part, Copy):
        told = _copy(upcoming, named, part)
    else:
        told = upcoming.client.upload_part(**named, Body=part.content())
    sums = {name: told[name] for name in told if name.startswith("Checksum")}
    return {"PartNumber": number, "ETag": told["ETag"], **sums}


def _copy(upcoming: Upcoming, named: dict[str, Any], part: Copy) -> Any:
    stored, start, stop = part.extent.stored, part.extent.start, part.extent.stop
    with unreplaced(upcoming.client, stored):
        told = upcoming.client.upload_part_copy(
            **named,
            CopySource=upcoming.pinned(stored),
            CopySourceRange=f"bytes={start}-{stop - 1}",
            CopySourceIfMatch=f'"{stored.etag}"',
        )
    return told["CopyPartResult"]
