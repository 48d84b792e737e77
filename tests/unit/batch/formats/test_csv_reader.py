import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas._libs.parsers import STR_NA_VALUES  # type: ignore[import-not-found]  # no stubs

from functions.batch.formats.layout import Layout, sniff
from functions.batch.formats.readers import Reader, open_reader
from functions.batch.formats.slices import Slice
from sklambda.codec.codec import Codec
from sklambda.predictor import Predictor
from sklambda.reading.values import MISSING
from sklambda.signature import Feature, Signature
from tests.support.random_tables import (
    CELLS,
    TARGET,
    assert_same_rows,
    expected,
    faults_of,
    signatures,
)

NUMBER = Feature(name="n", kind="number", nullable=True)
WORD = Feature(name="w", kind="category", nullable=True, vocabulary=("yes", "no"))
SIGNATURE = Signature(features=(NUMBER, WORD), target=TARGET, row_id="id")
LAYOUT = Layout("csv", ("id", "n", "w"))


@pytest.fixture
def csv_reader(tmp_path: Path) -> Reader:
    return open_reader(LAYOUT, SIGNATURE, tmp_path)


def value_of(feature: Feature, cell: str | None) -> object:
    """Read a cell as the documents have it."""
    if cell is None or (cell in MISSING and cell not in feature.vocabulary):
        return None
    if feature.kind == "boolean":
        return {"true": True, "1": True, "false": False, "0": False}.get(cell.lower(), cell)
    if feature.kind not in ("number", "integer") or "_" in cell:
        return cell
    try:
        number = float(cell)
    except ValueError:
        return cell
    whole = re.fullmatch(r"\s*[+-]?\d+\s*", cell) and abs(number) >= 2**53
    return int(cell) if whole else number


def csv_text(rows: Sequence[Sequence[str | None]], quoting: Sequence[bool], end: str) -> bytes:
    """Write records, quoted where they must be or may."""
    lines = []
    for row, quoted in zip(rows, quoting, strict=True):
        cells = [_cell(cell, quoted) for cell in row]
        lines.append(",".join(cells) or '""')
    return "".join(line + end for line in lines).encode()


def _cell(cell: str | None, quoted: bool) -> str:
    if cell is None:
        return ""
    special = quoted or not cell or any(letter in cell for letter in ',"\r\n')
    return '"' + cell.replace('"', '""') + '"' if special else cell


@st.composite
def tables(draw: st.DrawFn) -> tuple[Signature, list[list[str | None]], bytes]:
    signature = draw(signatures())
    cells = [st.none() | CELLS[feature.kind] for feature in signature.features]
    rows = draw(st.lists(st.tuples(*cells).map(list), max_size=8))
    rows = [row if row != [None] else [""] for row in rows]
    quoting = draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    return signature, rows, csv_text(rows, quoting, draw(st.sampled_from(["\n", "\r\n", "\r"])))


@settings(max_examples=100, deadline=None)
@given(table=tables())
def test_any_cells_are_encoded_as_the_codec_encodes_their_values(
    table: tuple[Signature, list[list[str | None]], bytes],
) -> None:
    signature, rows, content = table
    values = [
        {f.name: value_of(f, cell) for f, cell in zip(signature.features, row, strict=True)}
        for row in rows
    ]
    X, faults = expected(signature, values)

    with TemporaryDirectory() as folder:
        layout = Layout("csv", signature.names)
        cells = open_reader(layout, signature, Path(folder))
        encoded = cells.read(Slice(content))

        assert (encoded.read, faults_of(encoded)) == (len(rows), faults)
        assert_same_rows(encoded, X)
        names = ", ".join('"' + name.replace('"', '""') + '"' for name in signature.names)
        stored = encoded.con.execute(f"select {names} from records").fetchall()
        assert [list(row) for row in stored] == rows
        cells.clear()
        assert not [*Path(folder).iterdir()]


def test_the_words_for_missing_are_those_of_pandas() -> None:
    assert set(MISSING) == STR_NA_VALUES


@pytest.mark.parametrize("every", [2, 1000])
def test_rows_stay_in_order(every: int, csv_reader: Reader) -> None:
    rows = range(300_000)
    odd = [f"1e+{row % 300}" if row % every == 0 else str(row) for row in rows]
    content = "".join(f"{row},{cell},yes\n" for row, cell in zip(rows, odd, strict=True))

    encoded = csv_reader.read(Slice(content.encode()))

    assert encoded.X[:, 0].tolist() == [float(cell) for cell in odd]
    stored = encoded.con.execute("select id from records").fetchall()
    assert stored == [(str(row),) for row in rows]


def test_a_number_of_thousands_of_digits_is_too_large(csv_reader: Reader) -> None:
    encoded = csv_reader.read(Slice(b"a," + b"1" * 5000 + b",yes\n"))

    assert [(one.column, one.code) for one in encoded.rejects] == [("n", "too_large")]


def test_ones_and_zeros_for_booleans_are_coerced(tmp_path: Path) -> None:
    feature = Feature(name="b", kind="boolean", nullable=True)
    signature = Signature(features=(feature,), target=TARGET)

    encoded = open_reader(Layout("csv", ("b",)), signature, tmp_path).read(
        Slice(b"1\ntrue\nNA\n0\n")
    )

    np.testing.assert_array_equal(encoded.X[:, 0], [1, 1, np.nan, 0])
    assert encoded.coerced == [(0, "b"), (3, "b")]
    assert not encoded.rejects


def test_a_vocabulary_of_thousands_is_known(tmp_path: Path) -> None:
    known = tuple(f'it\'s "{n}"; drop table records; --' for n in range(5000))
    feature = Feature(name="w", kind="category", nullable=False, vocabulary=known)
    signature = Signature(features=(feature,), target=TARGET)
    content = "".join('"' + word.replace('"', '""') + '"\n' for word in known).encode()

    encoded = open_reader(Layout("csv", ("w",)), signature, tmp_path).read(Slice(content))

    assert encoded.X[:, 0].tolist() == list(range(5000))


def test_the_telco_file_is_encoded_as_its_frame(
    telco: Path, predictor: Predictor, tmp_path: Path
) -> None:
    content, signature = telco.read_bytes(), predictor.package.signature
    frame = pd.read_csv(telco)
    layout = sniff(content, "csv", None, signature)

    encoded = open_reader(layout, signature, tmp_path).read(Slice(content[layout.start :]))

    columns = {name: frame[name].tolist() for name in signature.names}
    expected = Codec(signature).encode_columns(columns)
    assert encoded.X.tobytes() == expected.tobytes()
    assert (encoded.read, encoded.rejects) == (len(frame), [])
