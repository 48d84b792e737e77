"""The Lambda function that authorizes callers for API Gateway, with Auth=JWT."""

import json
import logging
import os
import time
import urllib.request
from typing import Any

from functions.authorize import tokens
from functions.authorize.settings import Settings
from functions.authorize.tokens import TokenRefused, TokenVerifier

_SECONDS = 3
_MAX_BYTES = 1_000_000


def fetch(address: str) -> dict[str, Any]:
    """Return the JSON object at an address of the issuer."""
    if not address.startswith("https://"):
        raise TokenRefused("InsecureAddress")
    with urllib.request.urlopen(address, timeout=_SECONDS) as response:
        document: dict[str, Any] = json.loads(response.read(_MAX_BYTES))
    return document


settings = Settings.from_environment(os.environ)
verifier = TokenVerifier(settings.jwt_issuer, settings.jwt_audience, fetch, time.monotonic)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return a policy for the caller, or raise the error that API Gateway answers with 401."""
    try:
        subject = verifier.subject(tokens.from_event(event))
    except TokenRefused as refused:
        logging.getLogger().warning("token refused: %s", refused)
        # The one message that makes it 401 instead of 500.
        raise Exception("Unauthorized") from None
    return tokens.policy(subject, event["methodArn"])
