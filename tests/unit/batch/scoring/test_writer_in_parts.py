"""Input lines extended by output equal a file written cell by cell."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from functions.batch.formats.layout import Layout, OutputOptions
from functions.batch.formats.readers import open_reader
from functions.batch.formats.slices import Slice
from functions.batch.scoring.columns import OutputColumn, prediction_columns
from functions.batch.scoring.writer import Writer, extend_lines
from sklambda.arrays import Flags
from sklambda.signature import Signature, Target
from tests.support.output_tables import BINARY, FEATURES, WARNINGS, scores

SIGNATURE = Signature(features=FEATURES, target=BINARY, row_id="id")
CELLS = st.text(st.characters(codec="utf-8", exclude_characters=',;"\r\n\0'), max_size=6)
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS, st.booleans()), min_size=1, max_size=6)


def write_both_ways(
    content: bytes, delimiter: str, good: Flags, columns: Sequence[OutputColumn]
) -> tuple[bytes, bytes | None]:
    """Write the records cell by cell, and as lines if they can be."""
    layout = Layout("csv", ("id", "age", "city"), delimiter)
    with TemporaryDirectory() as name:
        folder = Path(name)
        reading = open_reader(layout, SIGNATURE, folder).read(Slice(content))
        writer = Writer(layout, OutputOptions("csv"), SIGNATURE, columns)
        pieces = []
        for lines in (None, reading.lines):
            rows = writer.write(reading.con, good, columns, folder / "piece", True, lines)
            assert rows == good.sum()
            pieces.append((folder / "piece").read_bytes())
    return pieces[0], None if reading.lines is None else pieces[1]


@settings(max_examples=150, deadline=None)
@given(rows=ROWS, delimiter=st.sampled_from([",", ";"]), ended=st.booleans())
@example(rows=[("100 %", "%b%%", " x ", True)], delimiter=",", ended=False)
@example(rows=[("\ufeffa", "1", "\u2028", True), ("b", "", "ü", False)], delimiter=";", ended=True)
@example(rows=[("a", "1", "#", True)], delimiter=",", ended=True)
def test_extended_lines_equal_written_cells(
    rows: list[tuple[str, str, str, bool]], delimiter: str, ended: bool
) -> None:
    content = "\n".join(delimiter.join(cells) for *cells, _ in rows) + "\n" * ended
    good = np.array([row[-1] for row in rows])
    columns = [*prediction_columns(BINARY, scores(*np.linspace(0, 1, int(good.sum())))), WARNINGS]

    by_cell, by_line = write_both_ways(content.encode(), delimiter, good, columns)

    assert by_line in (None, by_cell)


@pytest.mark.parametrize(
    ("content", "repeated"),
    [(b"a,1,B\n", True), (b'a,1,"B"\n', False), (b"a,1,B\r\n", True), (b"a,1,#\n", False)],
)
def test_lines_are_repeated_where_no_cell_would_be_quoted(content: bytes, repeated: bool) -> None:
    columns = [*prediction_columns(BINARY, scores(0.25)), WARNINGS]

    by_cell, by_line = write_both_ways(content, ",", np.array([True]), columns)

    assert by_line == (by_cell if repeated else None)


def test_a_label_of_two_lines_is_written_as_one_cell() -> None:
    target = Target(task="binary", classes=("no", "ye\ns"))
    columns = [*prediction_columns(target, scores(0.25, 0.75)), WARNINGS]

    by_cell, by_line = write_both_ways(b"a,1,B\nb,2,B\n", ",", np.array([True, True]), columns)

    assert by_line == by_cell
    assert b'b,2,B,"ye\ns",0.75' in by_cell


def test_output_is_appended_to_each_good_line() -> None:
    good = np.array([True, False, True])

    assert extend_lines(b"a\n%s\n%", good, b",1\n,2\n") == b"a,1\n%,2\n"
    assert extend_lines(b"a\n", np.array([False]), b"") == b""
    assert extend_lines(b"a\n", np.array([True]), b',"1\n2"\n') is None
