"""A package is verified where it is, with or without rows to try."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from sklambda.manifest import GoldenRow
from sklambda.package import ModelPackage
from tests.conftest import Trained
from tests.support.packages import forge
from training.checks.verify import verify
from training.errors import ConfigurationError, DataError, ParityFailed


@pytest.fixture
def rows(churn: Trained, tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    churn.frame.head(20).to_csv(path, index=False)
    return path


def test_a_whole_package_is_verified(churn: Trained) -> None:
    found = verify(churn.package)

    assert len(found.package.golden) > 50
    assert (found.accepted, found.refused.total()) == (0, 0)


def test_rows_of_a_file_are_tried(churn: Trained, rows: Path) -> None:
    assert verify(churn.package, rows).accepted == 20


def test_rows_that_do_not_fit_are_counted_by_feature_and_code(churn: Trained, rows: Path) -> None:
    header, first, *rest = rows.read_text().splitlines()
    broken = first.split(",")
    broken[header.split(",").index("tenure")] = "2.5"
    rows.write_text("\n".join([header, ",".join(broken), *rest]))

    found = verify(churn.package, rows)

    assert found.accepted == 19
    assert found.refused == {("tenure", "not_integral"): 1}


def test_a_file_without_a_feature_is_refused(churn: Trained, tmp_path: Path) -> None:
    path = tmp_path / "few.csv"
    churn.frame[["tenure"]].head().to_csv(path, index=False)

    with pytest.raises(DataError, match="lacks column `gender`"):
        verify(churn.package, path)


def test_a_file_that_is_not_there_is_refused(churn: Trained, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read"):
        verify(churn.package, tmp_path / "none.csv")


def test_a_damaged_package_is_refused(churn: Trained, tmp_path: Path) -> None:
    package = Path(shutil.copytree(churn.package, tmp_path / "package"))
    (package / "model.onnx").write_bytes(b"")

    with pytest.raises(ConfigurationError, match=r"model\.onnx"):
        verify(package)


@pytest.mark.parametrize("name", ["explainer.npz", "baseline.json"])
def test_what_serving_reads_late_is_verified_too(churn: Trained, tmp_path: Path, name: str) -> None:
    package = Path(shutil.copytree(churn.package, tmp_path / "package"))
    (package / name).write_bytes(b"")

    with pytest.raises(ConfigurationError, match=name):
        verify(package)


def test_a_golden_row_with_another_answer_is_named(churn: Trained, tmp_path: Path) -> None:
    whole = ModelPackage.open(churn.package)
    first = whole.golden[0].row
    wrong = GoldenRow(name="the odd one", row=first, scores=(0.5, 0.5), labels=("No",))

    package = forge(whole, tmp_path / "p", golden=[wrong])

    with pytest.raises(ParityFailed, match="golden rows: the odd one: the scores differ by"):
        verify(package)


def test_a_package_without_a_golden_row_proves_nothing(churn: Trained, tmp_path: Path) -> None:
    package = forge(ModelPackage.open(churn.package), tmp_path / "p", golden=[])

    with pytest.raises(ParityFailed, match="golden rows: there is none"):
        verify(package)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"tenure": 2**53 + 1}, "tenure must not exceed 2^53"),
        ({"tenure": "seven"}, "tenure must be a number"),
        ({"unheard of": 1}, "unheard of is not a feature of this model"),
    ],
)
def test_a_golden_row_that_the_signature_refuses_is_named(
    churn: Trained, tmp_path: Path, change: dict[str, Any], fault: str
) -> None:
    whole = ModelPackage.open(churn.package)
    first = whole.golden[0]
    odd = GoldenRow(name="odd", row=first.row | change, scores=first.scores, labels=first.labels)
    package = forge(whole, tmp_path / "p", golden=[first, odd])

    with pytest.raises(ConfigurationError) as raised:
        verify(package)

    assert f"golden.jsonl: golden row 'odd': {fault}" in str(raised.value)
    assert "train it again" in str(raised.value)
