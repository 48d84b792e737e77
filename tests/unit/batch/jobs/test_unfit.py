"""A job whose rows are unlike those of training fails by name, and says what would help."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from functions.batch.jobs import opening, planning, publishing
from functions.batch.jobs.run import run
from functions.batch.jobs.worker import Worker
from functions.batch.service import metrics_writer
from sklambda.predictor import Predictor
from sklambda.storage.receipt import Receipt
from tests.support.batch_jobs import PART, Killed, Laptop
from tests.support.exporting import export_quickly
from training.examples.churn.sample import generate

ROWS = 200
CATEGORIES = ("Contract", "PaymentMethod", "InternetService")


@pytest.fixture
def laptop(predictor: Predictor, tmp_path: Path) -> Laptop:
    return Laptop(predictor, tmp_path)


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    return generate(ROWS, seed=21)


def padded(customers: pd.DataFrame) -> pd.DataFrame:
    return customers.assign(**{name: " " + customers[name] for name in CATEGORIES})


def drop(laptop: Laptop, customers: pd.DataFrame, given: str = "csv") -> str:
    name = f"customers.{given}"
    path = laptop.root / "in" / name
    if given == "csv":
        customers.to_csv(path, index=False)
    elif given == "jsonl":
        customers.to_json(path, orient="records", lines=True)
    else:
        duckdb.from_df(customers).write_parquet(str(path))
    return name


def finished(laptop: Laptop, customers: pd.DataFrame, **options: Any) -> Receipt:
    receipt = run(laptop.context, laptop.outline(drop(laptop, customers), **options))
    assert receipt is not None
    return receipt


def test_usual_rows_are_no_failure_and_counted(laptop: Laptop, customers: pd.DataFrame) -> None:
    receipt = finished(laptop, customers, part_bytes=PART)

    assert receipt.status == "scored"
    assert receipt.parts > 1
    assert receipt.warnings is not None
    written = laptop.published_objects()
    [scored] = [content for key, content in written.items() if key.startswith("scored/")]
    cells = [cell for line in scored.decode().splitlines() for cell in line.split(",")[-1:]]
    listed = [warning for cell in cells[1:] for warning in cell.split(";") if warning]
    assert {f"{one.feature}:{one.code}": one.rows for one in receipt.warnings} == {
        warning: listed.count(warning) for warning in listed
    }


@pytest.mark.parametrize("given", ["csv", "jsonl", "parquet"])
def test_padded_categories_fail_and_the_remedy_is_said(
    laptop: Laptop, customers: pd.DataFrame, given: str
) -> None:
    name = drop(laptop, padded(customers), given)

    receipt = run(laptop.context, laptop.outline(name, part_bytes=PART))

    assert receipt is not None
    assert receipt.reason is not None
    assert (receipt.status, receipt.reason.code) == ("failed", "unfit_rows")
    assert "3 features match after removing leading blanks" in receipt.reason.detail
    assert list(laptop.published_objects()) == [f"jobs/{receipt.job}.json"]
    unseen = [one for one in receipt.warnings or () if one.code == "unseen_category"]
    assert {(one.feature, one.rows, one.share) for one in unseen} == {
        (feature, ROWS, 1.0) for feature in CATEGORIES
    }
    assert {one.match and one.match.change for one in unseen} == {"leading_blanks"}


def test_no_value_of_the_file_is_said(laptop: Laptop, customers: pd.DataFrame) -> None:
    secret = customers.assign(Contract="XYZZY")

    receipt = finished(laptop, secret)

    assert receipt.reason is not None
    assert b"XYZZY" not in laptop.content(f"jobs/{receipt.job}.json")


def test_another_limit_is_another_job(laptop: Laptop, customers: pd.DataFrame) -> None:
    rows = padded(customers)

    failed, scored = finished(laptop, rows), finished(laptop, rows, max_unseen=1)

    assert (failed.status, scored.status) == ("failed", "scored")
    assert scored.scored is not None
    assert scored.scored.rows == ROWS


def test_parts_change_nothing(laptop: Laptop, customers: pd.DataFrame) -> None:
    whole = finished(laptop, padded(customers))
    many = finished(laptop, padded(customers), part_bytes=PART)

    assert many.parts > whole.parts == 1
    assert (many.reason, many.warnings) == (whole.reason, whole.warnings)


def test_a_job_that_is_resumed_counts_each_row_once(
    predictor: Predictor, customers: pd.DataFrame, tmp_path: Path
) -> None:
    undisturbed, killed = (Laptop(predictor, tmp_path / name) for name in ("one", "two"))
    expected = finished(undisturbed, padded(customers), part_bytes=PART)
    outline = killed.outline(drop(killed, padded(customers)), part_bytes=PART)
    killed.outputs.operations, killed.outputs.fails_at = 0, 15
    with suppress(Killed):
        run(killed.context, outline)
    killed.outputs.fails_at = 0

    receipt = run(killed.context, outline)

    assert receipt is not None
    assert (receipt.reason, receipt.warnings) == (expected.reason, expected.warnings)


def test_workers_of_a_distributed_job_are_added_up(laptop: Laptop, customers: pd.DataFrame) -> None:
    outline = laptop.outline(drop(laptop, padded(customers)), part_bytes=PART)
    job = opening.open_job(laptop.context, outline)
    parts = planning.plan(laptop.context, job, lambda: float("inf"))
    assert parts is not None
    results = [Worker(laptop.context, job).score(part) for part in parts]

    receipt = publishing.publish(laptop.context, job, results, distributed=True)

    assert receipt.reason is not None
    assert receipt.reason.code == "unfit_rows"
    assert {one.rows for one in receipt.warnings or () if one.code == "unseen_category"} == {ROWS}


def without_counts(content: bytes) -> bytes:
    document = json.loads(content)
    del document["warnings"], document["trials"]
    return json.dumps(document).encode()


def test_parts_of_an_older_version_leave_the_job_without_a_verdict(
    laptop: Laptop, customers: pd.DataFrame
) -> None:
    outline = laptop.outline(drop(laptop, padded(customers)), part_bytes=PART)
    left = iter([100.0, 100.0, 1.0])
    run(laptop.context, outline, lambda: next(left))
    for path in (laptop.root / "out/work").rglob("done/*.json"):
        path.write_bytes(without_counts(path.read_bytes()))

    receipt = run(laptop.context, outline)

    assert receipt is not None
    assert (receipt.status, receipt.warnings) == ("scored", None)


def test_rejected_categories_have_the_remedy_too(tmp_path: Path) -> None:
    frame = pd.DataFrame({"city": ["Bern", "Chur", "Genf"] * 20, "age": range(60)})
    pipeline = make_pipeline(
        make_column_transformer((OneHotEncoder(), ["city"]), remainder="passthrough"),
        LogisticRegression(),
    ).fit(frame, ["no", "yes"] * 30)
    laptop = Laptop(Predictor.open(export_quickly(pipeline, frame, tmp_path / "p")), tmp_path)

    receipt = finished(laptop, frame.assign(city=frame["city"].str.upper()))

    assert receipt.reason is not None
    assert receipt.reason.code == "too_many_rejects"
    assert "`city` matches after ignoring case" in receipt.reason.detail


def test_a_column_that_was_left_empty_fails(laptop: Laptop, customers: pd.DataFrame) -> None:
    receipt = finished(laptop, customers.assign(MonthlyCharges=None))

    assert receipt.reason is not None
    assert "missing values in `MonthlyCharges` (100.00%" in receipt.reason.detail


def test_the_metrics_add_up_the_warnings(laptop: Laptop, customers: pd.DataFrame) -> None:
    receipt, lines = finished(laptop, padded(customers)), list[bytes]()

    metrics_writer("namespace", lines.append)(receipt)

    [line] = map(json.loads, lines)
    assert line["batch_warning_unseen_category"] == len(CATEGORIES) * ROWS
    assert line["reason"] == "unfit_rows"
    declared = {metric["Name"] for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert "batch_warning_unseen_category" in declared


def old(receipt: Receipt) -> str:
    document = json.loads(receipt.model_dump_json())
    del document["warnings"]
    return json.dumps(document)


@pytest.mark.parametrize("write", [old, Receipt.model_dump_json])
def test_receipts_of_both_versions_are_read(
    laptop: Laptop, customers: pd.DataFrame, write: Callable[[Receipt], str]
) -> None:
    receipt = finished(laptop, customers)

    read = Receipt.model_validate_json(write(receipt))

    assert read.warnings in (None, receipt.warnings)
    assert read.scored == receipt.scored
