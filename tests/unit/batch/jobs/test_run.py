"""A job is done once, wherever it was interrupted and however often it is started."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import zstandard

from functions.batch.jobs.run import run
from sklambda.errors import InputRefused, ObjectReplaced
from sklambda.predictor import Predictor
from sklambda.storage.receipt import Receipt
from tests.conftest import Trained
from tests.support.batch_jobs import PART, Laptop, killed_and_resumed, undisturbed
from training.checks.receipt import differences
from training.examples.churn.sample import generate

ROWS = 400


@pytest.fixture
def laptop(predictor: Predictor, tmp_path: Path) -> Laptop:
    return Laptop(predictor, tmp_path)


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    return generate(ROWS, seed=11)


@pytest.fixture(scope="module")
def text(customers: pd.DataFrame) -> bytes:
    return customers.to_csv(index=False).encode()


def scored(content: bytes) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(content))


def probabilities(churn: Trained, customers: pd.DataFrame) -> np.ndarray:
    features = customers[list(churn.frame.columns)]
    return np.asarray(churn.pipeline.predict_proba(features))


def test_a_file_is_scored_as_scikit_learn_does(
    laptop: Laptop, text: bytes, customers: pd.DataFrame, churn: Trained
) -> None:
    laptop.drop("customers.csv", text)
    outline = laptop.outline("customers.csv", part_bytes=PART)

    receipt = run(laptop.context, outline)

    assert receipt is not None
    assert receipt.status == "scored"
    assert receipt.parts > 5
    assert receipt.scored is not None
    table = scored(laptop.content(receipt.scored.key))
    assert table["customerID"].tolist() == customers["customerID"].tolist()
    found = table[["probability_No", "probability_Yes"]].to_numpy()
    assert np.abs(found - probabilities(churn, customers)).max() <= 1e-9


def test_the_receipt_accounts_for_every_row_and_byte(laptop: Laptop, text: bytes) -> None:
    lines = text.decode().splitlines()
    lines[17] = lines[17].replace(",", ",,", 1)
    laptop.drop("customers.csv", "\n".join(lines).encode())
    outline = laptop.outline("customers.csv", part_bytes=PART)

    receipt = run(laptop.context, outline)

    assert receipt is not None
    assert receipt.rows is not None
    assert (receipt.rows.read, receipt.rows.scored, receipt.rows.rejected) == (ROWS, ROWS - 1, 1)
    assert list(differences(receipt, lambda file: io.BytesIO(laptop.content(file.key)))) == []
    assert receipt.rejects is not None
    reject = json.loads(laptop.content(receipt.rejects.key).splitlines()[0])
    assert (reject["row"], reject["column"], reject["code"]) == (17, None, "malformed")


def test_work_in_progress_is_removed_in_the_end(laptop: Laptop, text: bytes) -> None:
    laptop.drop("customers.csv", text)

    run(laptop.context, laptop.outline("customers.csv", part_bytes=PART))

    assert [path for path in (laptop.root / "out/work").rglob("*") if path.is_file()] == []
    assert [path for path in (laptop.root / "scratch").rglob("*") if path.is_file()] == []


def test_the_number_of_parts_changes_no_byte(laptop: Laptop, text: bytes) -> None:
    laptop.drop("customers.csv", text)
    one = run(laptop.context, laptop.outline("customers.csv"))
    many = run(laptop.context, laptop.outline("customers.csv", part_bytes=1024))

    assert one is not None
    assert many is not None
    assert many.parts > one.parts == 1
    assert one.scored is not None
    assert many.scored is not None
    assert laptop.content(one.scored.key) == laptop.content(many.scored.key)


PACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}
UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.decompress,
    ".zst": lambda content: (
        zstandard.ZstdDecompressor().stream_reader(content, read_across_frames=True).read()
    ),
}


@pytest.mark.parametrize("suffix", PACK)
def test_a_compressed_file_is_scored_and_compressed(
    laptop: Laptop, text: bytes, suffix: str
) -> None:
    laptop.drop(f"customers.csv{suffix}", PACK[suffix](text))

    receipt = run(laptop.context, laptop.outline(f"customers.csv{suffix}", part_bytes=PART))

    assert receipt is not None
    assert receipt.scored is not None
    assert receipt.scored.key.endswith(f".csv{suffix}")
    assert len(scored(UNPACK[suffix](laptop.content(receipt.scored.key)))) == ROWS


@pytest.mark.parametrize("output", ["csv", "json_lines", "parquet"])
@pytest.mark.parametrize("given", ["csv", "json_lines", "parquet"])
def test_each_format_becomes_each_other(
    laptop: Laptop, customers: pd.DataFrame, churn: Trained, given: str, output: str
) -> None:
    name = drop(laptop, customers, given)
    outline = laptop.outline(name, output_format=output, part_bytes=PART)

    receipt = run(laptop.context, outline)

    assert receipt is not None
    assert receipt.reason is None
    assert receipt.scored is not None
    path = laptop.root / "out" / receipt.scored.key
    found = positive(path, output)
    expected = probabilities(churn, customers)[:, 1]
    assert np.abs(found - expected).max() <= 1e-9


def drop(laptop: Laptop, customers: pd.DataFrame, given: str) -> str:
    if given == "csv":
        laptop.drop("customers.csv", customers.to_csv(index=False).encode())
        return "customers.csv"
    if given == "json_lines":
        lines = customers.to_json(orient="records", lines=True)
        laptop.drop("customers.jsonl", lines.encode())
        return "customers.jsonl"
    path = laptop.root / "in/customers.parquet"
    con = duckdb.connect()
    con.register("customers", customers)
    con.execute(f"copy customers to '{path}' (row_group_size 100)")
    return "customers.parquet"


def positive(path: Path, output: str) -> np.ndarray:
    if output == "json_lines":
        lines = path.read_text().splitlines()
        return np.array([json.loads(line)["probabilities"]["Yes"] for line in lines])
    reader = {"csv": "read_csv", "parquet": "read_parquet"}[output]
    query = f"select probability_Yes from {reader}('{path}')"
    return np.array(duckdb.execute(query).fetchall())[:, 0]


def test_too_many_rejects_fail_the_job_and_nothing_scored_is_published(
    laptop: Laptop, text: bytes
) -> None:
    lines = text.decode().splitlines()
    broken = [line + ",1" if place % 10 == 3 else line for place, line in enumerate(lines)]
    laptop.drop("customers.csv", "\n".join(broken).encode())
    outline = laptop.outline("customers.csv", part_bytes=PART)

    receipt = run(laptop.context, outline)

    assert receipt is not None
    assert receipt.status == "failed"
    assert receipt.reason is not None
    assert receipt.reason.code == "too_many_rejects"
    assert not any(key.startswith("scored/") for key in laptop.published_objects())
    assert receipt.rejects is not None
    assert len(laptop.content(receipt.rejects.key).splitlines()) == 40


def test_a_file_without_the_features_fails_and_names_them(laptop: Laptop) -> None:
    laptop.drop("other.csv", b"tenure,PaymentMethod\n1,2\n")

    receipt = run(laptop.context, laptop.outline("other.csv"))

    assert receipt is not None
    assert receipt.reason is not None
    assert receipt.reason.code == "columns_absent"
    assert "`gender`" in receipt.reason.detail
    assert list(laptop.published_objects()) == [laptop.outline("other.csv").receipt]


def test_a_file_with_a_header_alone_has_no_rows(laptop: Laptop, text: bytes) -> None:
    laptop.drop("none.csv", text.splitlines(keepends=True)[0])

    receipt = run(laptop.context, laptop.outline("none.csv"))

    assert receipt is not None
    assert receipt.rows is not None
    assert receipt.rows.read == 0
    assert receipt.scored is not None
    [header] = csv.reader(laptop.content(receipt.scored.key).decode().splitlines())
    assert "probability_Yes" in header


@pytest.mark.parametrize("cut", [1, 10, 1000])
def test_a_truncated_file_fails(laptop: Laptop, text: bytes, cut: int) -> None:
    laptop.drop("customers.csv.gz", gzip.compress(text)[:-cut])

    receipt = run(laptop.context, laptop.outline("customers.csv.gz", part_bytes=PART))

    assert receipt is not None
    assert receipt.reason is not None
    assert receipt.reason.code == "truncated"
    assert not any(key.startswith("scored/") for key in laptop.published_objects())


def test_an_absent_input_is_refused(laptop: Laptop) -> None:
    with pytest.raises(InputRefused, match="no object at the address"):
        laptop.outline("absent.csv")


def test_a_file_that_is_replaced_meanwhile_is_not_mixed(laptop: Laptop, text: bytes) -> None:
    laptop.drop("customers.csv", text)
    outline = laptop.outline("customers.csv", part_bytes=PART)

    with pytest.raises(ObjectReplaced):
        run(
            laptop.context,
            outline,
            report=lambda part: laptop.drop("customers.csv", text.replace(b"Yes", b"No")),
        )

    assert laptop.published_objects() == {}


def test_a_job_that_is_started_again_is_the_same(laptop: Laptop, text: bytes) -> None:
    laptop.drop("customers.csv", text)
    first = run(laptop.context, laptop.outline("customers.csv", part_bytes=PART))
    before = laptop.published_objects()

    second = run(laptop.context, laptop.outline("customers.csv", part_bytes=PART))

    assert first == second
    assert laptop.published_objects() == before


def test_jobs_at_once_give_one_result(predictor: Predictor, text: bytes, tmp_path: Path) -> None:
    laptops = [Laptop(predictor, tmp_path) for _ in range(4)]
    for place, laptop in enumerate(laptops):
        laptop.root = tmp_path
        scratch = tmp_path / f"scratch-{place}"
        scratch.mkdir()
    laptops[0].drop("customers.csv", text)

    def begin(place: int) -> Receipt | None:
        context = replace(laptops[place].context, folder=tmp_path / f"scratch-{place}")
        outline = laptops[place].outline("customers.csv", part_bytes=PART)
        for _ in range(5):
            try:
                return run(context, outline)
            except (RuntimeError, ObjectReplaced, KeyError, OSError):
                continue  # as Lambda retries: another process was faster
        return None

    with ThreadPoolExecutor(4) as pool:
        receipts = list(pool.map(begin, range(4)))

    assert receipts[0] is not None
    assert all(receipt == receipts[0] for receipt in receipts)
    assert len(laptops[0].published_objects()) == 2


def test_a_job_stops_in_time_and_goes_on(laptop: Laptop, text: bytes) -> None:
    laptop.drop("customers.csv", text)
    outline = laptop.outline("customers.csv", part_bytes=PART)
    left = iter([100.0, 100.0, 1.0])

    first = run(laptop.context, outline, lambda: next(left))
    second = run(laptop.context, outline)

    assert first is None
    assert second is not None
    assert second.rows is not None
    assert second.rows.scored == ROWS


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("given", ["csv", "parquet"])
def test_a_job_killed_at_any_step_gives_the_same_bytes(
    predictor: Predictor, customers: pd.DataFrame, tmp_path: Path, given: str, late: bool
) -> None:
    """`python -m tests.benchmark.kill_points` does it at 200 steps."""
    rows = customers.head(60)

    def make(folder: str) -> Laptop:
        laptop = Laptop(predictor, tmp_path / folder)
        drop(laptop, rows, given)
        return laptop

    expected, steps = undisturbed(make, f"customers.{given}")

    for step in range(1, steps + 1, 11):
        laptop = make(f"{step}")
        assert killed_and_resumed(laptop, f"customers.{given}", step, late) == expected, step
