"""A local file scored from the command line, as `make batch` does it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, Trained
from training.checks.receipt import check
from training.examples.churn.sample import generate


@pytest.fixture(scope="module")
def customers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("input") / "customers.csv"
    generate(50, seed=8).to_csv(path, index=False)
    return path


def score(*arguments: object, stderr: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", "-m", "functions.batch", *map(str, arguments)]
    return subprocess.run(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=stderr, text=True, check=False
    )


def test_a_file_is_scored_and_its_receipt_printed(
    customers: Path, churn: Trained, tmp_path: Path
) -> None:
    run = score(customers, "--model", churn.package, "--out", tmp_path, "--keep", "none")

    assert run.returncode == 0, run.stderr
    receipt = json.loads(run.stdout)
    assert receipt["rows"] == {"read": 50, "scored": 50, "rejected": 0}
    assert "50 rows read = 50 scored + 0 rejected" in run.stderr
    assert check(tmp_path / f"jobs/{receipt['job']}.json").status == "scored"


def test_a_file_that_is_no_table_fails_with_the_reason(churn: Trained, tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")

    run = score(path, "--model", churn.package, "--out", tmp_path / "out")

    assert run.returncode == 1
    assert json.loads(run.stdout)["status"] == "failed"
    assert "failed: " in run.stderr


def padded(customers: Path, folder: Path) -> Path:
    path = folder / "padded.csv"
    path.write_text(customers.read_text().replace(",Month-to-month", ", Month-to-month"))
    return path


def test_rows_unlike_those_of_training_have_an_exit_code_of_their_own(
    customers: Path, churn: Trained, tmp_path: Path
) -> None:
    run = score(padded(customers, tmp_path), "--model", churn.package, "--out", tmp_path / "out")

    assert run.returncode == 3
    assert json.loads(run.stdout)["reason"]["code"] == "unfit_rows"
    lines = run.stderr.splitlines()
    [reason] = [line for line in lines if line.startswith("failed: ")]
    assert "`Contract` matches after removing leading blanks" in reason
    assert "in [data.read]" in reason
    after = lines[lines.index(reason) + 1 :]
    assert after[0] == "50 rows read = 50 scored + 0 rejected"
    assert after[1].startswith("warnings: unseen categories in `Contract`, ")


def test_a_limit_accepts_rows_unlike_those_of_training(
    customers: Path, churn: Trained, tmp_path: Path
) -> None:
    path = padded(customers, tmp_path)

    run = score(
        path, "--model", churn.package, "--out", tmp_path / "out", "--max-unseen", 1, "--keep=none"
    )

    assert run.returncode == 0, run.stderr
    assert "warnings: unseen categories in `Contract`, " in run.stderr


def test_the_reason_of_a_failure_stands_before_the_receipt(churn: Trained, tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    command = ("--model", churn.package, "--out", tmp_path / "out")

    run = score(path, *command, stderr=subprocess.STDOUT)

    assert run.stdout.index("failed: ") < run.stdout.index("{")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--max-unseen", "20"], "--max-unseen must be between 0 and 1, got 20."),
        (["--tolerance", "7"], "--tolerance must be between 0 and 1, got 7."),
        (["--model", "nowhere"], "`make up` trains one"),
        (["--delimiter", "ab"], "--delimiter must be one character"),
    ],
)
def test_invalid_arguments_fail_with_one_line(
    customers: Path, churn: Trained, tmp_path: Path, arguments: list[str], expected: str
) -> None:
    run = score(customers, "--model", churn.package, "--out", tmp_path, *arguments)

    assert run.returncode != 0
    assert expected in run.stderr
    assert "Traceback" not in run.stderr


def test_a_tab_is_stated_as_a_shell_writes_it(
    customers: Path, churn: Trained, tmp_path: Path
) -> None:
    path = tmp_path / "customers.txt"
    path.write_text(customers.read_text().replace(",", "\t"))

    run = score(path, "--model", churn.package, "--out", tmp_path / "out", "--delimiter", r"\t")

    assert run.returncode == 0, run.stderr
    assert "50 rows read = 50 scored + 0 rejected" in run.stderr


def test_an_absent_file_is_named(churn: Trained, tmp_path: Path) -> None:
    run = score(tmp_path / "absent.csv", "--model", churn.package, "--out", tmp_path)

    assert run.returncode != 0
    assert "absent.csv is not a file" in run.stderr
