"""What batch scored is counted where the monitor looks: once, and without a row."""

from functools import reduce
from operator import add
from pathlib import Path

import pytest

from functions.batch.jobs.run import run
from sklambda.predictor import Predictor
from sklambda.sketch.sketch import Sketch
from tests.support.batch_jobs import PART, Laptop
from training.examples.churn.sample import generate

HOUR = "year=2026/month=11/day=22/hour=10"
ROWS = 200


@pytest.fixture
def laptop(predictor: Predictor, tmp_path: Path) -> Laptop:
    made = Laptop(predictor, tmp_path)
    made.drop("customers.csv", generate(ROWS, seed=4).to_csv(index=False).encode())
    return made


def sketches(laptop: Laptop) -> dict[str, Sketch]:
    found = sorted((laptop.root / "records").rglob("*.json"))
    return {str(path): Sketch.parse(path.read_bytes()) for path in found}


def test_each_part_is_counted_in_the_hour_of_its_job(laptop: Laptop) -> None:
    receipt = run(laptop.context, laptop.outline("customers.csv", part_bytes=PART))

    assert receipt is not None
    found = sketches(laptop)
    assert len(found) == receipt.parts
    folder = f"sketches/{receipt.model.id}/champion/raw/{HOUR}/batch-{receipt.job}-"
    assert all(folder in key for key in found)
    whole = reduce(add, found.values())
    assert whole.rows == ROWS
    assert sum(whole.labels["Churn"]) == ROWS


def test_rejected_rows_are_not_counted(laptop: Laptop) -> None:
    lines = (laptop.root / "in/customers.csv").read_text().splitlines()
    lines[5] += ",1"
    laptop.drop("customers.csv", "\n".join(lines).encode())

    run(laptop.context, laptop.outline("customers.csv"))

    assert reduce(add, sketches(laptop).values()).rows == ROWS - 1


def test_a_job_that_is_done_again_counts_nothing_twice(laptop: Laptop) -> None:
    outline = laptop.outline("customers.csv", part_bytes=PART)
    left = iter([100.0, 100.0, 1.0])
    run(laptop.context, outline, lambda: next(left))
    for path in (laptop.root / "out/work").rglob("done/*"):
        path.unlink()

    run(laptop.context, outline)

    assert reduce(add, sketches(laptop).values()).rows == ROWS
