"""A CSV file has one matrix, whichever of training, /invocations and batch scoring reads it."""

import csv
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.batch.formats.layout import sniff
from functions.batch.formats.readers import open_reader
from functions.batch.formats.slices import Slice
from functions.predict.dialects.invocations import csv_tables
from functions.predict.http.exchange import Limits
from sklambda.arrays import FloatMatrix
from sklambda.codec.codec import Codec
from sklambda.reading.rules import Reading
from sklambda.reading.sniffing import HEAD, encoding_of
from sklambda.signature import Feature, Signature
from tests.support.random_tables import TARGET
from training.data import sources
from training.frames import client_rows

WORDS: Final = ("plain", "a, b", "x;y", 'say "so"', "back\\slash", "two\nlines", "Größe", "#5", "0")
FEATURES: Final = (
    Feature(name="number", kind="number", nullable=True),
    Feature(name="whole", kind="integer", nullable=True),
    Feature(name="flag", kind="boolean", nullable=True),
    Feature(name="word", kind="category", nullable=True, accepts_unseen=True, vocabulary=WORDS),
    Feature(name="moment", kind="datetime", nullable=False, unit="us"),
)
LIMITS: Final = Limits(rows=1000, bytes=1_000_000)

rows_of_values = st.lists(
    st.tuples(
        st.none() | st.floats(-1e6, 1e6).map(lambda number: round(number, 3)),
        st.none() | st.integers(-(2**53), 2**53),
        st.none() | st.booleans(),
        st.none() | st.sampled_from(WORDS) | st.just("never seen"),
        st.datetimes(pd.Timestamp("1900-01-01"), pd.Timestamp("2100-01-01")).map(
            lambda moment: moment.replace(microsecond=0)
        ),
    ),
    min_size=1,
    max_size=12,
)
readings = st.builds(
    Reading,
    delimiter=st.sampled_from([None, ",", ";", "\t", "|", "~"]),
    quote=st.sampled_from(['"', "'"]),
    escape=st.sampled_from([None, "\\"]),
    encoding=st.sampled_from([None, "utf-8", "latin-1", "utf-16"]),
    trim=st.booleans(),
    comment=st.sampled_from([None, "%"]),
    skip=st.sampled_from([0, 2]),
    missing=st.sampled_from([(), ("?", "-999")]),
    units=st.sampled_from([(), ("$", "kg")]),
    zone=st.sampled_from([None, "UTC"]),
    dates=st.sampled_from([{}, {"moment": "%d.%m.%Y %H:%M:%S"}]),
) | st.builds(
    Reading,
    delimiter=st.just(";"),
    decimal=st.just(","),
    thousands=st.sampled_from([None, ".", " ", "'"]),
    true=st.sampled_from([(), ("ja",)]),
    false=st.sampled_from([(), ("nein",)]),
)


def written(value: Any, name: str, reading: Reading, blank: str) -> str:
    """Return a value as a file of these rules has it."""
    if value is None:
        text = reading.missing[0] if reading.missing else ""
    elif isinstance(value, bool):
        spellings = reading.true if value else reading.false
        text = spellings[0] if spellings else str(value)
    elif isinstance(value, (int, float)):
        text = f"{value:,}" if reading.thousands else repr(value)
        signs = str.maketrans({",": reading.thousands or ",", ".": reading.decimal})
        text = text.translate(signs)
        text = f"{reading.units[0]}{text}" if reading.units and value > 0 else text
    elif isinstance(value, str):
        text = value
    else:
        text = value.strftime(reading.dates.get(name, "%Y-%m-%dT%H:%M:%S"))
    return f"{blank}{text}{blank}" if reading.trim else text


def file_of(rows: Sequence[tuple[Any, ...]], reading: Reading, blank: str, end: str) -> bytes:
    text = StringIO(newline="")
    text.write("a title\r\n" * reading.skip)
    writer = csv.writer(
        text,
        delimiter=reading.delimiter or ",",
        quotechar=reading.quote,
        escapechar=reading.escape,
        doublequote=reading.escape is None,
        lineterminator=end,
        quoting=csv.QUOTE_MINIMAL,
    )
    names = [feature.name for feature in FEATURES]
    writer.writerow(names)
    if reading.comment:
        text.write(f"{reading.comment} no record, 5{end}")
    for row in rows:
        cells = zip(row, names, strict=True)
        writer.writerow([written(value, name, reading, blank) for value, name in cells])
    return text.getvalue().encode(reading.encoding or "utf-8")


def through_training(content: bytes, signature: Signature, folder: Path) -> FloatMatrix:
    path = folder / "rows.csv"
    path.write_bytes(content)
    frame = sources.read(str(path), signature.reading, signature.kinds).frame
    rows = client_rows(frame, signature.kinds)
    return np.asarray(Codec(signature).encode(rows))


def through_invocations(content: bytes, signature: Signature) -> FloatMatrix:
    table = csv_tables.read(content, signature, signature.cell_parsers, LIMITS, header=None)
    assert not table.faults
    assert not table.unread
    return np.asarray(Codec(signature).encode(table.rows))


def through_batch(content: bytes, signature: Signature, folder: Path) -> FloatMatrix:
    encoding = encoding_of(content, signature.reading)
    text = content if encoding == "utf-8" else content.decode(encoding).encode()
    layout = sniff(text[:HEAD], "csv", None, signature)
    found = open_reader(layout, signature, folder).read(Slice(text[layout.start :]))
    assert found.rejects == []
    return found.X


@given(
    rows=rows_of_values,
    reading=readings,
    blank=st.sampled_from(["", " ", "\t "]),
    end=st.sampled_from(["\n", "\r\n"]),
)
@settings(max_examples=60, deadline=None)
def test_one_file_has_one_matrix(
    rows: list[tuple[Any, ...]], reading: Reading, blank: str, end: str
) -> None:
    signature = Signature(features=FEATURES, target=TARGET, read=reading)
    content = file_of(rows, reading, blank, end)

    with TemporaryDirectory() as name:
        matrices = [
            through_training(content, signature, Path(name)),
            through_invocations(content, signature),
            through_batch(content, signature, Path(name)),
        ]

    expected = Codec(signature).encode(
        [
            {
                feature.name: value.isoformat() if feature.kind == "datetime" else value
                for feature, value in zip(FEATURES, row, strict=True)
            }
            for row in rows
        ]
    )
    for matrix in matrices:
        np.testing.assert_array_equal(matrix, expected)
