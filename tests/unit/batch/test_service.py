"""The calls of the function: dropped, scheduled, direct, handed on, distributed."""

import gzip
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from functions.batch.jobs.options import Options
from functions.batch.service import Callbacks, EventRefused, JobStuck, Service
from functions.batch.steps import JobOver, ModelChanged
from sklambda.errors import InputRefused
from sklambda.predictor import Predictor
from sklambda.storage.receipt import Receipt
from tests.conftest import Train
from tests.support.batch_jobs import Laptop
from training.examples.churn.sample import generate

BUCKET = "s3://data/"
PLENTY = 900.0
KEY = "inbox/customers.csv"


class Function:
    """The function, with a folder for its bucket, and the calls of its callbacks."""

    def __init__(self, predictor: Predictor, root: Path, above: int = 2**30) -> None:
        self.laptop = Laptop(predictor, root, BUCKET)
        self.invoked: list[dict[str, Any]] = []
        self.distributed: list[str] = []
        self.receipts: list[Receipt] = []
        self.service = Service(
            self.laptop.context,
            "data",
            Options(part_bytes=4096),
            Callbacks(self.invoked.append, self.distributed.append, above),
            self.receipts.append,
        )

    def drop(self, key: str = KEY, rows: int = 200) -> None:
        self.laptop.drop(key, generate(rows, seed=4).to_csv(index=False).encode())

    def call(self, remaining: float = PLENTY, **event: Any) -> dict[str, Any]:
        return self.service.handle(event, lambda: remaining)

    def keys(self, prefix: str) -> list[str]:
        return [stored.key for stored in self.laptop.outputs.list(prefix)]


@pytest.fixture
def function(predictor: Predictor, tmp_path: Path) -> Function:
    return Function(predictor, tmp_path)


@pytest.fixture
def large(predictor: Predictor, tmp_path: Path) -> Function:
    """A function for which every file is a large one."""
    return Function(predictor, tmp_path, above=1)


def test_a_call_returns_a_summary_of_the_receipt(function: Function) -> None:
    function.drop()

    answer = function.call(input=BUCKET + KEY)

    assert answer["status"] == "scored"
    assert answer["rows"] == {"read": 200, "scored": 200, "rejected": 0}
    assert function.keys("jobs/") == [answer["receipt"].removeprefix(BUCKET)]
    assert len(function.keys("scored/")) == 1
    assert [receipt.job for receipt in function.receipts] == [answer["job"]]


def test_a_stated_output_is_a_folder_of_the_bucket(function: Function) -> None:
    function.drop()

    function.call(input=BUCKET + KEY, output=BUCKET + "campaign/")

    assert len(function.keys("campaign/")) == 1


@pytest.mark.parametrize("output", ["s3://other/x/", "s3://data/inbox/", "s3://data/work/a/"])
def test_an_output_elsewhere_is_refused(function: Function, output: str) -> None:
    function.drop()

    with pytest.raises(EventRefused, match="must"):
        function.call(input=BUCKET + KEY, output=output)


def test_an_absent_input_is_an_error(function: Function) -> None:
    with pytest.raises(InputRefused, match="no object at the address"):
        function.call(input=BUCKET + KEY)


def test_the_sweep_starts_unscored_inputs(function: Function) -> None:
    for name in ("a", "b", "c"):
        function.drop(f"inbox/{name}.csv", rows=60)
    function.call(input=f"{BUCKET}inbox/b.csv", explain=False)

    answer = function.call(sweep="inbox/")

    assert answer == {"status": "swept", "begun": 2}
    assert function.invoked == [
        {"input": f"{BUCKET}inbox/a.csv"},
        {"input": f"{BUCKET}inbox/c.csv"},
    ]


def test_the_sweep_skips_inputs_that_another_model_scored(
    function: Function, trained: Train, tmp_path: Path
) -> None:
    function.drop()
    function.call(input=BUCKET + KEY)
    other = Predictor.open(trained("logistic_regression", None).package)

    answer = Function(other, tmp_path).call(sweep="inbox/")

    assert answer["begun"] == 0


def test_a_job_without_time_is_invoked(function: Function) -> None:
    function.drop()
    left = iter([PLENTY, PLENTY, 0.0])

    first = function.service.handle({"input": BUCKET + KEY}, lambda: next(left))
    [event] = function.invoked
    second = function.call(**event)

    assert first["status"] == "continued"
    assert event == {"step": "continue", "job": first["job"], "after": 2}
    assert second["status"] == "scored"


def test_a_job_that_gets_no_further_stops(function: Function) -> None:
    function.drop()
    left = iter([PLENTY, 0.0])
    function.service.handle({"input": BUCKET + KEY}, lambda: next(left))
    [event] = function.invoked

    with pytest.raises(JobStuck):
        function.call(remaining=0.0, **event)


def test_a_job_that_is_over_is_not_started_again(function: Function) -> None:
    function.drop()
    answer = function.call(input=BUCKET + KEY)

    again = function.call(step="continue", job=answer["job"])

    assert again["status"] == "over"


def test_a_large_file_is_planned_mapped_and_assembled(large: Function) -> None:
    large.drop()
    started = large.call(input=BUCKET + KEY)
    [job] = large.distributed
    planned = large.call(step="plan", job=job)

    for part in reversed(parts(large, planned)):
        large.call(step="part", job=job, part=part)
    assembled = large.call(step="assemble", job=job)

    assert started["status"] == "distributed"
    assert planned["status"] == "planned"
    assert planned["parts"] > 3
    assert assembled["rows"] == {"read": 200, "scored": 200, "rejected": 0}


def parts(function: Function, planned: dict[str, Any]) -> list[dict[str, Any]]:
    plan: list[dict[str, Any]] = json.loads(
        (function.laptop.root / "in" / planned["manifest"]["key"]).read_text()
    )
    return plan


def test_a_distributed_file_has_the_bytes_of_one_scored_at_once(
    large: Function, predictor: Predictor, tmp_path: Path
) -> None:
    large.drop()
    alone = Function(predictor, tmp_path / "alone")
    alone.drop()
    large.call(input=BUCKET + KEY)
    [job] = large.distributed
    large.call(step="plan", job=job)

    large.call(step="assemble", job=job)
    alone.call(input=BUCKET + KEY)

    [scored] = large.keys("scored/")
    root, other = large.laptop.root / "in", alone.laptop.root / "in"
    assert (root / scored).read_bytes() == (other / scored).read_bytes()


def test_assembling_once_more_gives_the_receipt_again(large: Function) -> None:
    large.drop()
    large.call(input=BUCKET + KEY)
    [job] = large.distributed
    large.call(step="plan", job=job)

    answers = [large.call(step="assemble", job=job), large.call(step="assemble", job=job)]

    assert answers[0]["status"] == "scored"
    assert answers[1] == answers[0]


def test_a_plan_without_time_goes_on(large: Function) -> None:
    large.drop()
    large.call(input=BUCKET + KEY)
    [job] = large.distributed
    left = iter([PLENTY, PLENTY, 0.0, 0.0])

    first = large.service.handle({"step": "plan", "job": job}, lambda: next(left))
    second = large.call(step="plan", job=job)

    assert first["status"] == "planning"
    plan = parts(large, second)
    assert [part["index"] for part in plan] == list(range(second["parts"]))
    assert all(one["stop"] == next_["start"] for one, next_ in pairwise(plan))


def test_a_large_file_that_is_no_table_fails_at_once(large: Function) -> None:
    large.laptop.drop(KEY, b"a,b\n1,2\n")

    answer = large.call(input=BUCKET + KEY)

    assert answer["status"] == "failed"
    assert large.distributed == []


def test_a_large_compressed_file_is_scored_by_one_function(large: Function) -> None:
    content = gzip.compress(generate(50, seed=2).to_csv(index=False).encode())
    large.laptop.drop(f"{KEY}.gz", content)

    assert large.call(input=f"{BUCKET}{KEY}.gz")["status"] == "scored"


def test_a_step_of_another_model_is_refused(
    large: Function, trained: Train, tmp_path: Path
) -> None:
    large.drop()
    large.call(input=BUCKET + KEY)
    [job] = large.distributed
    other = Predictor.open(trained("logistic_regression", None).package)

    with pytest.raises(ModelChanged):
        Function(other, tmp_path).call(step="plan", job=job)


def test_a_step_of_no_job_is_refused(function: Function) -> None:
    with pytest.raises(JobOver):
        function.call(step="assemble", job="0" * 32)
