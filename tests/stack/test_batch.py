"""The deployed batch function: dropped, scheduled and asked for, by one function and by many."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from botocore.exceptions import ClientError

from functions.batch.jobs import opening
from functions.batch.jobs.context import Context
from functions.batch.jobs.job import Outline
from functions.batch.jobs.options import Options
from functions.batch.jobs.run import run
from sklambda.predictor import Predictor
from sklambda.storage import Directory, Storage
from tests.conftest import Train, Trained
from tests.stack.batch_bucket import SECONDS, BatchBucket, scores
from tests.stack.conftest import TOLD, StackFactory
from tests.stack.deployment import Stack
from tests.support.evidence import wait_for
from tests.support.lambda_containers import docker
from training.checks.receipt import check
from training.examples.churn.sample import generate

pytestmark = pytest.mark.stack

DROPPED = "inbox/june + july/ünïcödé.csv"
LARGEST_MEGABYTES = 600
PEAK = """
import glob
lines = (line.split() for path in glob.glob("/proc/[0-9]*/status") for line in open(path))
print(max(int(words[1]) for words in lines if words and words[0] == "VmHWM:"))
"""


@pytest.fixture(scope="module")
def bucket(stack: Stack) -> BatchBucket:
    """The bucket of the stack as it comes."""
    return BatchBucket(stack)


@pytest.fixture(scope="module")
def large(told: Stack) -> BatchBucket:
    """The bucket of a stack for which every file is a large one."""
    return BatchBucket(told)


def table(rows: int, seed: int) -> pd.DataFrame:
    return generate(rows=rows, seed=seed)


def csv(rows: int, seed: int) -> bytes:
    return table(rows, seed).to_csv(index=False).encode()


def test_a_dropped_file_gets_scikit_learns_own_probabilities(
    bucket: BatchBucket, churn: Trained, tmp_path: Path
) -> None:
    address = bucket.drop(DROPPED, csv(2000, seed=5))

    receipt = bucket.receipt(address)

    assert receipt["status"] == "scored"
    assert receipt["rows"] == {"read": 2000, "scored": 2000, "rejected": 0}
    assert check(bucket.copied(receipt, tmp_path)).job == receipt["job"]
    expected = churn.pipeline.predict_proba(table(2000, seed=5)[churn.frame.columns])
    found = scores(bucket.content(receipt["scored"]["key"]), churn.pipeline.classes_)
    assert np.abs(found - expected).max() <= 1e-9


def test_all_real_customers_get_scikit_learns_own_probabilities_from_either_model(
    model: str, stack_factory: StackFactory, trained: Train, telco: Path
) -> None:
    real = trained(model, telco)
    bucket = BatchBucket(stack_factory(f"sklambda-{model.replace('_', '-')}", real.package))
    address = bucket.drop("inbox/telco.csv", telco.read_bytes())

    receipt = bucket.receipt(address)

    assert receipt["rows"] == {"read": 7043, "scored": 7043, "rejected": 0}
    expected = real.pipeline.predict_proba(real.frame)
    found = scores(bucket.content(receipt["scored"]["key"]), real.pipeline.classes_)
    assert np.abs(found - expected).max() <= 1e-9


def test_what_is_published_starts_nothing(bucket: BatchBucket) -> None:
    bucket.receipt(bucket.drop("inbox/first.csv", csv(50, seed=6)))
    bucket.receipt(bucket.drop("inbox/last.csv", csv(50, seed=7)))

    def answers() -> list[Any] | None:
        found = [line["answer"] for line in bucket.logged() if line.get("message") == "done"]
        return found if len(found) >= 2 else None

    # A receipt lies in the bucket before the function has returned, and logged what it answers.
    assert {"answers": []} not in wait_for(
        answers, 60, "the answers to both files"
    )  # what an event elsewhere would be answered
    assert [key for key in bucket.described() if key.startswith("work/")] == []


def test_a_direct_call_publishes_where_and_what_it_asks_for(
    bucket: BatchBucket, tmp_path: Path
) -> None:
    event = bucket.event("batch-direct.json")
    bucket.drop("elsewhere/customers.csv", csv(30, seed=8))

    answer = bucket.call(event | {"input": bucket.address("elsewhere/customers.csv")})

    [key] = bucket.described("campaign/")
    (tmp_path / "scored.parquet").write_bytes(bucket.content(key))
    scored = duckdb.read_parquet(str(tmp_path / "scored.parquet"))
    assert answer["rows"] == {"read": 30, "scored": 30, "rejected": 0}
    found = [row[0] for row in scored.select("customerID").fetchall()]
    assert found == table(30, seed=8)["customerID"].tolist()
    assert {"score", "base_value", "contribution_tenure"} <= set(scored.columns)
    assert "tenure" not in scored.columns


def test_an_event_that_comes_twice_changes_nothing(bucket: BatchBucket) -> None:
    event = bucket.event("batch-dropped.json")
    address = bucket.drop(event["detail"]["object"]["key"], csv(40, seed=9))
    receipt = bucket.receipt(address)
    before = bucket.described("scored/")

    answers = [bucket.call(event), bucket.call(event)]

    assert {answer["job"] for answer in answers} == {receipt["job"]}
    assert bucket.receipts(address) == [receipt]
    assert bucket.described("scored/") == before


def test_a_file_that_is_no_table_has_a_receipt_that_says_so(bucket: BatchBucket) -> None:
    address = bucket.drop("inbox/wrong.csv", b"a,b\n1,2\n")

    receipt = bucket.receipt(address)

    assert receipt["status"] == "failed"
    assert receipt["reason"]["code"] == "no_header"
    assert [key for key in bucket.described("scored/") if "wrong" in key] == []


def test_an_event_that_cannot_be_done_stands_in_the_queue(bucket: BatchBucket) -> None:
    address, stack = bucket.address("inbox/absent.csv"), bucket.stack

    stack.client("lambda").invoke(
        FunctionName=stack.outputs["BatchFunction"],
        InvocationType="Event",
        Payload=json.dumps({"input": address}),
    )

    def failure() -> str | None:
        received = stack.client("sqs").receive_message(QueueUrl=stack.outputs["BatchFailures"])
        return next((one["Body"] for one in received.get("Messages", [])), None)

    assert address in wait_for(failure, SECONDS, "the event in the queue")


def test_the_function_may_publish_and_never_touch_what_was_dropped(bucket: BatchBucket) -> None:
    s3 = bucket.stack.role_client("BatchRole", "s3")
    bucket.drop("elsewhere/kept", b"1")

    for key in ("inbox/x.csv", "inbox/first.csv"):
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.put_object(Bucket=bucket.name, Key=key, Body=b"")
    for key in ("inbox/first.csv", "elsewhere/kept"):
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.delete_object(Bucket=bucket.name, Key=key)
    s3.put_object(Bucket=bucket.name, Key="work/x", Body=b"")
    s3.delete_object(Bucket=bucket.name, Key="work/x")


def test_parts_of_the_usual_length_leave_memory(bucket: BatchBucket) -> None:
    one = csv(20_000, seed=10)
    header, rows = one.split(b"\n", 1)
    address = bucket.drop("inbox/forty megabytes.csv", header + b"\n" + rows * 15)

    receipt = bucket.receipt(address)

    assert receipt["rows"]["scored"] == 300_000
    assert receipt["parts"] == 3
    assert max(peaks(bucket.stack)) < LARGEST_MEGABYTES


def peaks(stack: Stack) -> list[float]:
    """Give how many MB the processes of the containers had at most."""
    running = docker("ps", "--quiet", "--filter", stack.emulator.containers).split()
    function = f"AWS_LAMBDA_FUNCTION_NAME={stack.outputs['BatchFunction']}"
    chosen = [one for one in running if function in docker("inspect", one)]
    interpreter = ["/var/lang/bin/python3.13", "-c", PEAK]
    return [int(docker("exec", one, *interpreter)) * 1024 / 1e6 for one in chosen]


def execution(bucket: BatchBucket, job: str) -> dict[str, Any]:
    """Wait for the end of the execution about a job."""
    states, machine = bucket.stack.client("stepfunctions"), bucket.stack.outputs["BatchMachine"]

    def ended() -> dict[str, Any] | None:
        executions = states.list_executions(stateMachineArn=machine)["executions"]
        about = (one for one in executions if one["name"].startswith(job))
        return next((one for one in about if one["status"] != "RUNNING"), None)

    return wait_for(ended, SECONDS, f"the execution about {job}")


def alone(content: bytes, predictor: Predictor, folder: Path) -> tuple[dict[str, Any], bytes]:
    """Score a file in this process; give the receipt and the scored file."""
    (folder / "in").mkdir()
    (folder / "scratch").mkdir()
    (folder / "in/customers.csv").write_bytes(content)
    given: Storage = Directory(folder / "in")
    context = Context(
        predictor,
        Directory(folder / "out"),
        lambda key: (given, key),
        folder / "scratch",
    )
    options = Options(part_bytes=int(TOLD["BatchPartBytes"]))
    outline: Outline = opening.outline_job(context, "customers.csv", options)
    receipt = run(context, outline)
    assert receipt is not None
    assert receipt.scored is not None
    summary = receipt.model_dump(mode="json")
    return summary, (folder / "out" / receipt.scored.key).read_bytes()


def test_a_large_file_is_scored_by_many_functions_to_the_same_bytes(
    large: BatchBucket, predictor: Predictor, tmp_path: Path
) -> None:
    content = csv(1500, seed=11)
    address = large.drop("elsewhere/customers.csv", content)

    answer = large.call({"input": address})

    assert answer["status"] == "distributed"
    ended = execution(large, answer["job"])
    expected, scored = alone(content, predictor, tmp_path)
    [receipt] = large.receipts(address)
    assert ended["status"] == "SUCCEEDED"
    assert receipt["rows"] == expected["rows"]
    assert receipt["parts"] == expected["parts"] > 4
    assert children(large, ended) == [("SUCCEEDED", index) for index in range(receipt["parts"])]
    assert large.content(receipt["scored"]["key"]) == scored
    assert receipt["scored"]["pieces"] == expected["scored"]["pieces"]
    assert check(large.copied(receipt, tmp_path / "copied")).job == answer["job"]


def children(bucket: BatchBucket, ended: dict[str, Any]) -> list[tuple[str, int]]:
    """Tell how the children of an execution ended, and which part each of them scored."""
    states = bucket.stack.client("stepfunctions")
    [mapped] = states.list_map_runs(executionArn=ended["executionArn"])["mapRuns"]
    listed = states.list_executions(mapRunArn=mapped["mapRunArn"])["executions"]
    counts = states.describe_map_run(mapRunArn=mapped["mapRunArn"])["executionCounts"]
    assert counts["total"] == counts["succeeded"] == len(listed)
    inputs = [states.describe_execution(executionArn=one["executionArn"]) for one in listed]
    parts = [json.loads(one["input"])["part"]["index"] for one in inputs]
    return sorted(zip((one["status"] for one in listed), parts, strict=True))


@pytest.fixture
def unnoticed(large: BatchBucket) -> Iterator[str]:
    """A dropped file whose event got lost."""
    rule, events = large.stack.resource("BatchDropped"), large.stack.client("events")
    events.disable_rule(Name=rule)
    yield large.drop("inbox/unnoticed.csv", csv(200, seed=12))
    events.enable_rule(Name=rule)


def test_the_schedule_scores_what_no_event_was_about(large: BatchBucket, unnoticed: str) -> None:
    receipt = large.receipt(unnoticed)

    assert receipt["status"] == "scored"
    assert execution(large, receipt["job"])["status"] == "SUCCEEDED"
