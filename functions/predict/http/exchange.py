"""A request and its answer as every dialect sees them, however they travelled."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import from_json, to_json

from functions.predict.http import problems
from functions.predict.http.response import JSON

REQUEST_ID: Final = "x-request-id"

_LONGEST_ID: Final = 128
_MOST_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one request may hold.

    Attributes
    ----------
    rows : int
        Rows of features.
    bytes : int
        Bytes of the body.
    """

    rows: int
    bytes: int

    def require_rows(self, count: int) -> None:
        """Raise the problem of too many rows."""
        if count > self.rows:
            raise problems.too_many_rows(self.rows)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as far as the service may know.

    Attributes
    ----------
    request_id : str
        Names the request in the answer, in the log and at the gateway.
    key_id : str or None
        The id of the API key, or the principal; never the key.
    """

    request_id: str
    key_id: str | None = None

    def prediction_id(self, place: int) -> str:
        """Name the answer for the row at `place`, as feedback and monitoring do."""
        return f"{self.request_id}-{place}"


@dataclass(slots=True)
class Request:
    """A request that has arrived.

    Attributes
    ----------
    headers : mapping of str to str
        By their names in lower case.
    content : bytes
        The body; of one that is longer than is taken, no more than tells so.
    query : mapping of str to str
        The parameters of the address.
    parts : mapping of str to str
        The parameters of the path.
    caller : Caller
        Who asks.
    route : str or None
        The path of the route that answers; None where there is none.
    """

    headers: Mapping[str, str]
    content: bytes
    query: Mapping[str, str]
    parts: Mapping[str, str]
    caller: Caller
    route: str | None = None


def caller(headers: Mapping[str, str], context: Mapping[str, Any]) -> Caller:
    """Tell who asks: API Gateway's context knows the key's id; elsewhere there is a header."""
    identity, authorizer = context.get("identity") or {}, context.get("authorizer") or {}
    key = identity.get("apiKeyId") or identity.get("userArn") or authorizer.get("principalId")
    return Caller(context.get("requestId") or _named(headers) or os.urandom(16).hex(), key)


def _named(headers: Mapping[str, str]) -> str | None:
    """Take the request's own name, if it is one that can be written to a log."""
    name = headers.get(REQUEST_ID, "")
    plain = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if plain and len(name) <= _LONGEST_ID else None


def length(headers: Mapping[str, str], header: str = "content-length") -> int | None:
    """Read a count of bytes; None where there is none, or one too long to be meant."""
    text = headers.get(header, "")
    plain = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return int(text) if plain else None


def body(request: Request, limits: Limits) -> bytes:
    """Give the body; raises the problem of one that is too long, or announced as such."""
    if max(len(request.content), length(request.headers) or 0) > limits.bytes:
        raise problems.too_many_bytes(limits.bytes)
    return request.content


def media_type(request: Request, known: Iterable[str], default: str = JSON) -> str:
    """Tell which of the known media types the body is announced as; raises the problem of 415."""
    announced = request.headers.get("content-type", default).partition(";")[0].strip().lower()
    choices = tuple(known)
    if announced not in choices:
        raise problems.unsupported_media_type(choices)
    return announced


def accepted(request: Request, offered: Iterable[str]) -> str:
    """Choose the media type of the answer, the first of equal ones; raises the problem of 406."""
    choices, header = tuple(offered), request.headers.get("accept", "*/*")
    ranges = dict(map(_range, header.split(",")))
    rated = {choice: _quality(choice, ranges) for choice in choices}
    best = max(choices, key=rated.__getitem__)
    if rated[best] <= 0:
        raise problems.not_acceptable(choices)
    return best


def _range(part: str) -> tuple[str, float]:
    kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = next((text[2:] for text in parameters if text.startswith("q=")), "1")
    try:
        return kind, min(1.0, max(0.0, float(quality)))
    except ValueError:
        return kind, 0.0


def _quality(choice: str, ranges: Mapping[str, float]) -> float:
    """Give the quality of a media type by the range that names it most closely (RFC 9110)."""
    closest = (choice, f"{choice.partition('/')[0]}/*", "*/*")
    return next((ranges[kind] for kind in closest if kind in ranges), 0.0)


def document(content: bytes, inf_nan: bool = False) -> Any:
    """Parse JSON; NaN and Infinity are none, unless the dialect has them.

    Raises the problem of what is no JSON.
    """
    try:
        return from_json(content, allow_inf_nan=inf_nan)
    except ValueError as error:
        raise problems.not_json(str(error)) from None


def written(value: object) -> bytes:
    """Write JSON; a number that is not finite is null, for JSON has none."""
    return to_json(value, inf_nan_mode="null")
