"""The Lambda function: reads the environment and serves API Gateway's events."""

import os
from functools import cache
from typing import Any

from functions.predict.app.api import create_app
from functions.predict.app.gateway import Gateway, register_snapshot, warm
from functions.predict.assembly import Dependencies, assemble
from functions.predict.http.exchange import Limits
from functions.predict.registry import Registry
from functions.predict.service import Service
from functions.predict.settings import Settings
from sklambda.telemetry import Log, write_line


@cache
def _s3() -> Any:
    """Return the S3 client, made at the first feedback: its import outlasts a cold start."""
    import boto3

    return boto3.client("s3")


settings = Settings.from_environment(os.environ)
log = Log("predict", settings.log_level)
registry, app, handler = assemble(settings, Dependencies(log, write_line, _s3))


def _warm() -> None:
    """Score the examples without listeners: they are not counted, captured or compared."""
    limits = Limits(settings.max_rows, settings.max_bytes)
    for each in registry:
        alone = Registry(Service(each.model))
        warm(Gateway(create_app(alone, limits, log)), each.model)


register_snapshot(_warm)
