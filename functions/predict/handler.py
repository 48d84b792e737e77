"""The Lambda function: API Gateway events to the application."""

import asyncio
import os
from functools import cache
from typing import Any

from mangum.adapter import DEFAULT_TEXT_MIME_TYPES

from functions.predict import snapshot
from functions.predict.api import create_app
from functions.predict.assembly import Surroundings, assemble
from functions.predict.dialects.invocations_schemas import JSON_LINES
from functions.predict.exchange import Limits
from functions.predict.gateway import Gateway
from functions.predict.problems import MEDIA_TYPE
from functions.predict.service import Service
from sklambda.settings import Settings
from sklambda.telemetry import logger, write_line


@cache
def _s3() -> Any:
    """Make the client at the first feedback: its import takes longer than a whole cold start."""
    import boto3

    return boto3.client("s3")


settings = Settings.from_environment(os.environ)
log = logger("predict", settings)
service, app, immediate = assemble(settings, Surroundings(log, write_line, _s3))
# Mangum runs what waits on the current loop, and since Python 3.12 there is none to begin with.
asyncio.set_event_loop(asyncio.new_event_loop())
# What it does not know for text it encodes in base64, which the gateway would pass on as it is.
_TEXTS = [*DEFAULT_TEXT_MIME_TYPES, MEDIA_TYPE, JSON_LINES]
handler = Gateway(app, immediate, _TEXTS)


def _warm() -> None:
    """Rehearse with nobody listening: the prediction is not counted, captured or compared."""
    limits = Limits(settings.max_rows, settings.max_bytes)
    rehearsal = create_app(Service(service.model), limits, log)
    snapshot.warm(Gateway(rehearsal, frozenset(rehearsal.state.fixed), _TEXTS), service.model)


snapshot.register(_warm)
