"""A job of several parts killed at 200 steps, each time resumed."""

import tempfile
from pathlib import Path

from rich.console import Console

from sklambda.predictor import Predictor
from tests.support.batch_jobs import Laptop, killed_and_resumed, undisturbed
from training.examples.churn.pipeline import build
from training.examples.churn.sample import generate
from training.exporter import export

POINTS = 200
ROWS = 900


def main() -> None:
    """Print the number of steps at which a job was killed, and of runs with another byte."""
    with tempfile.TemporaryDirectory() as folder:
        table = generate(rows=1500, seed=3)
        frame, target = table.drop(columns=["customerID", "Churn"]), table["Churn"]
        pipeline = build(model="logistic_regression").fit(frame, target)
        package = export(pipeline, frame, out=Path(folder, "package"), name="churn", target="Churn")
        _kill(Predictor(package), Path(folder))


def _kill(predictor: Predictor, folder: Path) -> None:
    content = generate(rows=ROWS, seed=5).to_csv(index=False).encode()

    def make(name: str) -> Laptop:
        laptop = Laptop(predictor, folder / name)
        laptop.drop("customers.csv", content)
        return laptop

    expected, steps = undisturbed(make, "customers.csv")
    points = [(1 + place * 2 % steps, place * 2 >= steps) for place in range(POINTS)]
    other = [
        (step, late)
        for step, late in points
        if killed_and_resumed(make(f"{step}-{late}"), "customers.csv", step, late) != expected
    ]
    Console().print(
        f"{len(set(points))} of {2 * steps} points (before and after {steps} operations of the "
        f"storage): {len(other)} with another byte",
        highlight=False,
    )
    if other:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
