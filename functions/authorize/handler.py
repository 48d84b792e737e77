"""The Lambda function that authorizes callers for API Gateway, with Auth=JWT."""

import json
import logging
import os
import time
import urllib.request
from http.client import HTTPException
from typing import Any

from functions.authorize import tokens
from functions.authorize.settings import Settings
from functions.authorize.tokens import IssuerUnavailable, TokenRefused, TokenVerifier

_SECONDS = 3
_MAX_BYTES = 1_000_000
_CHUNK_BYTES = 65_536


def fetch(address: str) -> dict[str, Any]:
    """Return the JSON object at an address of the issuer.

    Raises
    ------
    OSError
        There is no response in time.
    ValueError
        The address, or one that it redirects to, does not use HTTPS; the response is no JSON.
    """
    _require_https(address)
    try:
        with urllib.request.urlopen(address, timeout=_SECONDS) as response:
            _require_https(response.url)
            document: dict[str, Any] = json.loads(_read(response))
    except HTTPException as error:
        raise OSError(type(error).__name__) from None
    return document


def _read(response: Any) -> bytes:
    """Read a response; the timeout alone, one of each read, allows a byte every two seconds."""
    end, content = time.monotonic() + _SECONDS, b""
    while chunk := response.read1(_CHUNK_BYTES):
        content += chunk
        if time.monotonic() > end or len(content) > _MAX_BYTES:
            raise TimeoutError
    return content


def _require_https(address: str) -> None:
    if not address.startswith("https://"):
        raise ValueError("InsecureAddress")


settings = Settings.from_environment(os.environ)
verifier = TokenVerifier(settings.jwt_issuer, settings.jwt_audience, fetch, time.monotonic)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return a policy for the caller, or raise the error that API Gateway answers with 401."""
    try:
        subject = verifier.subject(tokens.from_event(event))
    except IssuerUnavailable as unavailable:
        logging.getLogger().error("token not checked: %s", unavailable)
        raise  # API Gateway answers 500: a client should try again, not log in again
    except TokenRefused as refused:
        logging.getLogger().warning("token refused: %s", refused)
        # The one message that makes it 401 instead of 500.
        raise Exception("Unauthorized") from None
    return tokens.policy(subject, event["methodArn"])
