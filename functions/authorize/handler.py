"""The Lambda function: with Auth=JWT, API Gateway asks it who calls."""

import json
import logging
import os
import time
import urllib.request
from typing import Any

from functions.authorize import policy
from functions.authorize.settings import Settings
from functions.authorize.tokens import TokenRefused, Tokens

_SECONDS = 3
_MOST_BYTES = 1_000_000


def fetch(address: str) -> dict[str, Any]:
    """Get the JSON object at an address of the issuer."""
    if not address.startswith("https://"):
        raise TokenRefused("InsecureAddress")
    with urllib.request.urlopen(address, timeout=_SECONDS) as answer:
        document: dict[str, Any] = json.loads(answer.read(_MOST_BYTES))
    return document


settings = Settings.from_environment(os.environ)
tokens = Tokens(settings.jwt_issuer, settings.jwt_audience, fetch, time.monotonic)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Let the caller in, or raise what API Gateway answers with 401."""
    try:
        return policy.allow(tokens.subject(policy.token_of(event)), event["methodArn"])
    except TokenRefused as refused:
        logging.getLogger().warning("token refused: %s", refused)
        # The one message that makes it 401 instead of 500.
        raise Exception("Unauthorized") from None
