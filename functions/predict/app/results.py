"""What Lambda returns to a gateway: a response as a JSON document, and the bytes that it takes."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final

from functions.predict.http.problems import MEDIA_TYPE
from functions.predict.http.response import JSON, JSON_LINES, Response

type Event = Mapping[str, Any]
type Result = dict[str, Any]

TEXT_MEDIA_TYPES: Final = (JSON, MEDIA_TYPE, JSON_LINES, "text/")
"""Prefixes of the media types that pass the gateway as text; all others are base64."""


def to_result(response: Response) -> Result:
    """Return a response as API Gateway reads it."""
    headers, content = response.all_headers, response.content
    is_text = _is_text(response)
    return {
        "statusCode": response.status,
        "headers": headers,
        "multiValueHeaders": {},
        "body": content.decode() if is_text else b64encode(content).decode(),
        "isBase64Encoded": not is_text,
    }


def payload_bytes(response: Response) -> int:
    """Return the length of the result as Lambda's runtime writes it."""
    return written_bytes(to_result(response))


def written_bytes(value: object) -> int:
    """Return the bytes of a value as Lambda's runtime writes it: JSON in UTF-8, with blanks."""
    from json import dumps

    return len(dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def _is_text(response: Response) -> bool:
    if "content-encoding" in response.headers:
        return False
    return (response.media_type or JSON).startswith(TEXT_MEDIA_TYPES)
