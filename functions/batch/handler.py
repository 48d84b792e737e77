"""The Lambda function: handles events of S3, the schedule, the state machine and direct calls."""

import json
import os
import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import boto3

from functions.batch.jobs.context import Context
from functions.batch.jobs.cost import Rates
from functions.batch.service import Callbacks, Service, metrics_writer
from functions.batch.settings import Settings
from sklambda.predictor import Predictor
from sklambda.storage import Bucket, Storage, open_storage
from sklambda.telemetry import Log, describe_exception, write_line


@cache
def _client(name: str) -> Any:
    return boto3.client(name)


def _open_input(address: str) -> tuple[Storage, str]:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return Bucket(lambda: _client("s3"), bucket), key


def _invoke(event: dict[str, Any]) -> None:
    _client("lambda").invoke(
        FunctionName=os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        InvocationType="Event",
        Payload=json.dumps(event),
    )


def _distribute(job: str) -> None:
    """Start the state machine, once a day at most: names of executions are unique."""
    states = _client("stepfunctions")
    try:
        states.start_execution(
            stateMachineArn=settings.batch_machine,
            name=f"{job}-{datetime.now(UTC):%Y%m%d}",
            input=json.dumps({"job": job}),
        )
    except states.exceptions.ExecutionAlreadyExists:
        log.info("the state machine already has this job", extra={"job": job})


def _sketches() -> Storage | None:
    if not settings.batch_sketch_store:
        return None
    return open_storage(settings.batch_sketch_store, lambda: _client("s3"))


settings = Settings.from_environment(os.environ)
log = Log("batch", settings.log_level)
service = Service(
    Context(
        predictor=Predictor.open(settings.model_dir),
        storage=Bucket(lambda: _client("s3"), settings.batch_bucket),
        open_input=_open_input,
        folder=Path(tempfile.gettempdir()),
        rates=Rates.of(os.environ),
        sketches=_sketches(),
        redacted=settings.redact,
    ),
    settings.batch_bucket,
    settings.options,
    Callbacks(
        _invoke,
        _distribute if settings.batch_machine else None,
        settings.batch_distribute_above,
    ),
    metrics_writer(settings.metrics_namespace, write_line)
    if settings.metrics_namespace
    else lambda receipt: None,
)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle an event; an error is raised, so that the caller retries."""
    try:
        answer = service.handle(event, lambda: context.get_remaining_time_in_millis() / 1000)
    except Exception as error:
        log.error("the event failed", extra=describe_exception(error))
        raise
    log.info("done", extra={"answer": answer})
    return answer
