"""Requests as every dialect sees them, and the readers of their headers and bodies."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pydantic_core

from functions.predict.http import problems
from functions.predict.http.response import JSON, Response
from sklambda.prediction_ids import draw_request_part

REQUEST_ID: Final = "x-request-id"

_MAX_ID_LENGTH: Final = 128
_MAX_DIGITS: Final = 18
_CHARSETS: Final = ("utf-8", "utf8", "us-ascii", "ascii")


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one request.

    Attributes
    ----------
    rows : int
        Maximum number of rows.
    bytes : int
        Maximum length of the body.
    """

    rows: int
    bytes: int

    def require_rows(self, count: int) -> None:
        """Raise the problem of too many rows."""
        if count > self.rows:
            raise problems.too_many_rows(self.rows)


@dataclass(slots=True)  # not frozen: made for each request, and in half the time
class Caller:
    """The caller of a request.

    Attributes
    ----------
    request_id : str
        The correlation id of the request: in the response, in the log and at the gateway. A
        client may choose it, and may send the same one twice.
    key_id : str or None
        The id of the API key, or the principal; never the key.
    headers, context : mapping of str to object
        Where a split finds its stable identity: headers by lower-case name, and the request
        context.
    request_part : str
        What the ids of the predictions begin with: drawn for each request, never a client's.
    """

    request_id: str
    key_id: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    context: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    request_part: str = field(default_factory=draw_request_part)

    def prediction_id(self, index: int) -> str:
        """Return the id of the prediction for a row, as feedback and monitoring use it."""
        return f"{self.request_part}-{index}"


@dataclass(slots=True)
class Request:
    """An HTTP request.

    Attributes
    ----------
    headers : mapping of str to str
        Headers by lower-case name.
    content : bytes
        The body; a body that exceeds the limit may be cut off after it.
    query : mapping of str to str
        Parameters of the query string.
    path_parameters : mapping of str to str
        Parameters of the path.
    caller : Caller
        The caller.
    route : str or None
        The path template of the matching route; None without one.
    root : str
        The root of the service, as a relative reference from the address of the request.
    measure : callable or None
        Returns the bytes that a response takes on its way; None where there is no limit.
    model : str or None
        The name of the model that the request names, one of those served; None for the default.
    """

    headers: Mapping[str, str]
    content: bytes
    query: Mapping[str, str]
    path_parameters: Mapping[str, str]
    caller: Caller
    route: str | None = None
    root: str = "./"
    measure: Callable[[Response], int] | None = None
    model: str | None = None


def identify_caller(headers: Mapping[str, str], context: Mapping[str, Any]) -> Caller:
    """Return the caller, from API Gateway's request context or else from the headers."""
    identity, authorizer = context.get("identity"), context.get("authorizer")
    key = None
    if isinstance(identity, dict):
        key = identity.get("apiKeyId") or identity.get("userArn")
    if not key and isinstance(authorizer, dict):
        key = authorizer.get("principalId")
    request_id = context.get("requestId") or _client_request_id(headers)
    return Caller(request_id or os.urandom(16).hex(), key or None, headers, context)


def with_request_id(caller: Caller, value: str) -> Caller | None:
    """Return the caller with an id that the client chose; None for one that is not plain."""
    return replace(caller, request_id=value) if _is_plain(value) else None


def _client_request_id(headers: Mapping[str, str]) -> str | None:
    """Return the client's own request id, if it is safe to write to a log."""
    value = headers.get(REQUEST_ID, "")
    return value if _is_plain(value) else None


def _is_plain(value: str) -> bool:
    plain = value.isascii() and value.replace("-", "").replace("_", "").isalnum()
    return plain and len(value) <= _MAX_ID_LENGTH


def combine(name: str, values: list[str]) -> str:
    """Return the values of a header as one; a media type that is repeated counts once."""
    if not isinstance(values, list):
        raise TypeError
    return ", ".join(dict.fromkeys(values) if name.lower() == "content-type" else values)


def byte_count(headers: Mapping[str, str], header: str = "content-length") -> int | None:
    """Read a header that counts bytes; None where it is absent or not a plausible number."""
    text = headers.get(header, "")
    plain = text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
    return int(text) if plain else None


def read_body(request: Request, limits: Limits) -> bytes:
    """Return the body, unpacked; raises the problem of one that is, or is declared, too long."""
    if max(len(request.content), byte_count(request.headers) or 0) > limits.bytes:
        raise problems.too_many_bytes(limits.bytes)
    codings = request.headers.get("content-encoding")
    if codings is None:
        return request.content
    from functions.predict.http import encodings

    return encodings.decode(request.content, codings, limits.bytes)


def require_media_type(request: Request, supported: Iterable[str], default: str = JSON) -> str:
    """Return the media type of the body; raises the problem of one that is not supported."""
    header, choices = request.headers.get("content-type", default), tuple(supported)
    if header in choices:
        return header
    media_type = header.partition(";")[0].strip().lower()
    if media_type not in choices:
        raise problems.unsupported_media_type(choices)
    if content_parameters(request).get("charset", "utf-8") not in _CHARSETS:
        raise problems.unsupported_charset(choices)
    return media_type


def content_parameters(request: Request) -> dict[str, str]:
    """Return the parameters of the media type of the body, in lower case."""
    pieces = request.headers.get("content-type", "").lower().split(";")[1:]
    pairs = (piece.partition("=") for piece in pieces)
    return {name.strip(): value.strip(" \t\"'") for name, _, value in pairs}


def negotiate_media_type(request: Request, available: Iterable[str]) -> str:
    """Choose the media type of the response by ``Accept``, the first of equally good ones.

    Raises the problem of a request that accepts none of them.
    """
    choices, header = tuple(available), request.headers.get("accept", "*/*")
    ranges = parse_qualities(header)
    qualities = {choice: _quality(choice, ranges) for choice in choices}
    best = max(choices, key=qualities.__getitem__)
    if qualities[best] <= 0:
        raise problems.not_acceptable(choices)
    return best


def parse_qualities(header: str) -> dict[str, float]:
    """Return the quality of each choice that a header lists, 1 without one."""
    return dict(map(_parse_quality, header.split(",")))


def _parse_quality(text: str) -> tuple[str, float]:
    media_range, *parameters = (piece.strip().lower() for piece in text.split(";"))
    quality = next((text[2:] for text in parameters if text.startswith("q=")), "1")
    try:
        return media_range, min(1.0, max(0.0, float(quality)))
    except ValueError:
        return media_range, 0.0


def _quality(media_type: str, ranges: Mapping[str, float]) -> float:
    """Return the quality of a media type by its most specific range (RFC 9110)."""
    by_precision = (media_type, f"{media_type.partition('/')[0]}/*", "*/*")
    return next((ranges[each] for each in by_precision if each in ranges), 0.0)


def to_json(value: object) -> bytes:
    """Write JSON; a number that is not finite becomes null."""
    return pydantic_core.to_json(value, inf_nan_mode="null")
