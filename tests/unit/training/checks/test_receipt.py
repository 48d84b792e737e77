"""A receipt is compared with every byte of the files that it names."""

from hashlib import sha256
from pathlib import Path

import pytest

from sklambda.storage.receipt import Digest, File, Model, Receipt, Rows, Source
from training.checks.receipt import check
from training.errors import ConfigurationError, DataError

HEAD, TAIL = b"id,label\n1,No\n", b"2,Yes\n"


def digest(content: bytes) -> Digest:
    return Digest(bytes=len(content), sha256=sha256(content).hexdigest())


@pytest.fixture
def receipt(tmp_path: Path) -> Path:
    pieces = (digest(HEAD), digest(TAIL))
    document = Receipt(
        job="a" * 32,
        status="scored",
        input=Source(address="customers.csv", bytes=9, etag="e", version=None),
        model=Model(name="churn", id="b" * 64),
        options={},
        rows=Rows(read=2, scored=2, rejected=0),
        scored=File(key="scored/a.csv", bytes=20, rows=2, pieces=pieces),
        started="2026-11-22T10:15:00+00:00",
        finished="2026-11-22T10:15:01+00:00",
    )
    for folder in ("scored", "jobs"):
        (tmp_path / folder).mkdir()
    (tmp_path / "scored/a.csv").write_bytes(HEAD + TAIL)
    path = tmp_path / "jobs/a.json"
    path.write_text(document.model_dump_json())
    return path


def test_what_was_written_holds(receipt: Path) -> None:
    assert check(receipt).rows == Rows(read=2, scored=2, rejected=0)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (HEAD + b"2,No\n", "piece 1 of 2"),
        (HEAD.replace(b"No", b"no") + TAIL, "piece 0 of 2"),
        (HEAD, "piece 1 of 2"),
        (HEAD + TAIL + TAIL, "longer than in the receipt"),
    ],
)
def test_what_was_changed_is_found(receipt: Path, content: bytes, problem: str) -> None:
    (receipt.parent.parent / "scored/a.csv").write_bytes(content)

    with pytest.raises(DataError, match=problem):
        check(receipt)


def test_a_file_that_is_gone_is_named(receipt: Path, tmp_path: Path) -> None:
    (tmp_path / "scored/a.csv").unlink()

    with pytest.raises(DataError, match=r"scored/a\.csv"):
        check(receipt)


def test_rows_that_are_not_accounted_for_are_found(receipt: Path) -> None:
    receipt.write_text(receipt.read_text().replace('"read":2', '"read":3'))

    with pytest.raises(DataError, match="rows read is not that of"):
        check(receipt)


def test_files_may_be_elsewhere(receipt: Path, tmp_path: Path) -> None:
    moved = receipt.rename(tmp_path / "receipt.json")

    assert check(moved, tmp_path).status == "scored"


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"format": 1}'])
def test_what_is_no_receipt_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(content)

    with pytest.raises(ConfigurationError, match="not a receipt"):
        check(path)
