"""What all dialects share of HTTP: who asks, how much, in which media type."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from pydantic_core import from_json, to_json
from starlette.requests import Request
from starlette.responses import Response

from functions.predict import problems
from functions.predict.service import Caller

JSON: Final = "application/json"
REQUEST_ID: Final = "x-request-id"

_LONGEST_ID: Final = 128
_MOST_DIGITS: Final = 18
_CALLER: Final = "sklambda.caller"


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


def caller(request: Request) -> Caller:
    """Tell who asks, and the same for as long as the request is answered."""
    scope = request.scope
    if _CALLER not in scope:
        scope[_CALLER] = _caller(request)
    asks: Caller = scope[_CALLER]
    return asks


def _caller(request: Request) -> Caller:
    """API Gateway knows the key's id; elsewhere there is the request's own name."""
    context = request.scope.get("aws.event", {}).get("requestContext") or {}
    identity, authorizer = context.get("identity") or {}, context.get("authorizer") or {}
    key = identity.get("apiKeyId") or identity.get("userArn") or authorizer.get("principalId")
    return Caller(context.get("requestId") or _named(request) or uuid4().hex, key)


def _named(request: Request) -> str | None:
    """Take the request's own name, if it is one that can be written to a log."""
    name = request.headers.get(REQUEST_ID, "")
    plain = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if plain and len(name) <= _LONGEST_ID else None


def length(request: Request, header: str) -> int | None:
    """Read a count of bytes; None where there is none, or one too long to be meant."""
    text = request.headers.get(header, "")
    plain = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return int(text) if plain else None


async def body(request: Request, limits: Limits) -> bytes:
    """Read a body of at most so many bytes; no more than that is kept."""
    announced = length(request, "content-length")
    if announced is not None and announced > limits.bytes:
        raise problems.too_many_bytes(limits.bytes)
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limits.bytes:
            raise problems.too_many_bytes(limits.bytes)
        parts.append(part)
    return b"".join(parts)


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


def answer(content: bytes, asked_by: Caller, media: str = JSON) -> Response:
    """Send an answer that names the request."""
    return Response(content, media_type=media, headers={REQUEST_ID: asked_by.request_id})
