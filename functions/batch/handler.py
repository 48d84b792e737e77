"""The Lambda function: events of S3, the schedule, the state machine and callers to jobs."""

import json
import os
import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import boto3

from functions.batch.jobs import metrics
from functions.batch.jobs.context import Workshop
from functions.batch.jobs.cost import Rates
from functions.batch.service import Colleagues, Service
from functions.batch.settings import Settings
from sklambda.predictor import Predictor
from sklambda.storage import Bucket, Storage, opened
from sklambda.telemetry import Log, anatomy, write_line


@cache
def _client(name: str) -> Any:
    return boto3.client(name)


def _open(address: str) -> tuple[Storage, str]:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return Bucket(lambda: _client("s3"), bucket), key


def _hand_on(event: dict[str, Any]) -> None:
    _client("lambda").invoke(
        FunctionName=os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        InvocationType="Event",
        Payload=json.dumps(event),
    )


def _distribute(job: str) -> None:
    """Start the state machine, once a day at most: a name is taken for good."""
    states = _client("stepfunctions")
    try:
        states.start_execution(
            stateMachineArn=settings.batch_machine,
            name=f"{job}-{datetime.now(UTC):%Y%m%d}",
            input=json.dumps({"job": job}),
        )
    except states.exceptions.ExecutionAlreadyExists:
        log.info("the state machine has this job", extra={"job": job})


def _records() -> Storage | None:
    if not settings.batch_sketch_store:
        return None
    return opened(settings.batch_sketch_store, lambda: _client("s3"))


settings = Settings.from_environment(os.environ)
log = Log("batch", settings.log_level)
service = Service(
    Workshop(
        predictor=Predictor.open(settings.model_dir),
        storage=Bucket(lambda: _client("s3"), settings.batch_bucket),
        open=_open,
        folder=Path(tempfile.gettempdir()),
        rates=Rates.of(os.environ),
        records=_records(),
        redacted=settings.redact,
    ),
    settings.batch_bucket,
    settings.options,
    Colleagues(
        _hand_on,
        _distribute if settings.batch_machine else None,
        settings.batch_distribute_above,
    ),
    metrics.writer(settings.metrics_namespace, write_line)
    if settings.metrics_namespace
    else lambda receipt: None,
)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do what an event asks for; an error is raised, so that the caller tries again."""
    try:
        answer = service.answer(event, lambda: context.get_remaining_time_in_millis() / 1000)
    except Exception as error:
        log.error("the call failed", extra=anatomy(error))
        raise
    log.info("done", extra={"answer": answer})
    return answer
