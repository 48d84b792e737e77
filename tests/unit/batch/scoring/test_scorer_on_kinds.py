"""Whatever the kind of table, a file of each format is scored as the model scores its rows.

These are few of the kinds; `tests.unit.training.test_exporter_on_kinds` has more of them.
"""

import csv
import json
from pathlib import Path
from typing import Any, Final

import duckdb
import pandas as pd
import pytest

from functions.batch.jobs.run import run
from sklambda.errors import RowsInvalid
from sklambda.predictor import Predictor
from tests.support.batch_jobs import Laptop
from tests.support.exporting import export_kind
from tests.support.kinds import ClientRow

KINDS: Final = (
    ("5 columns of all kinds", "yes or no", "missing in each place"),
    ("booleans alone", "True or False", "as trained"),
    ("categories with missing cells", "three classes", "all rows unseen"),
    ("levels that look missing", "several targets", "as trained"),
    ("large integers", "0 or 1", "integers at 2^53"),
    ("odd names", "several numbers", "as trained"),
    ("decimals alone", "numbers", "huge numbers"),
    ("texts", "yes or no", "padded levels"),
    ("dates", "numbers", "as trained"),
)
"""Tables, targets, and values of the rows to score."""

TYPES: Final = {
    "number": "DOUBLE",
    "integer": "BIGINT",
    "boolean": "BOOLEAN",
    "datetime": "TIMESTAMP",
}
"""The types of columns in Parquet; all others are texts."""


class Scored:
    """A model of a kind of table, and rows for it."""

    def __init__(self, folder: Path, kind: str, target: str, values: str) -> None:
        package, self._rows = export_kind(kind, target, values, folder / "p")
        self.predictor = Predictor.open(package)
        self.kinds = self.predictor.package.signature.kinds

    def rows(self, extension: str) -> list[ClientRow]:
        """Return the rows as a format holds them: in Parquet a column has one type."""
        if extension != "parquet":
            return self._rows
        numbers = [name for name, kind in self.kinds.items() if kind == "number"]
        return [{**row, **{name: _float(row[name]) for name in numbers}} for row in self._rows]

    def members(self, row: ClientRow) -> dict[str, Any] | None:
        """Return the members of a prediction as JSON; None for a row that is refused."""
        try:
            [prediction] = self.predictor.predict([row])
        except RowsInvalid:
            return None
        members: dict[str, Any] = json.loads(json.dumps(prediction.members))
        for each in (members, *members.get("targets", {}).values()):
            each.pop("threshold", None)  # the same for all rows, and in no file
        return members

    def write(self, extension: str, path: Path) -> None:
        """Write the rows as a file."""
        rows = self.rows(extension)
        if extension == "jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        elif extension == "csv":
            with path.open("w", newline="") as file:
                writer = csv.writer(file, quoting=csv.QUOTE_STRINGS)
                writer.writerows([[*self.kinds], *(row.values() for row in rows)])
        else:
            columns = [f"column{place}" for place in range(len(self.kinds))]
            casts = ", ".join(
                f"CAST({column} AS {TYPES.get(kind, 'VARCHAR')}) AS {_quoted(name)}"
                for column, (name, kind) in zip(columns, self.kinds.items(), strict=True)
            )
            values = [[None if one is None else str(one) for one in row.values()] for row in rows]
            frame = pd.DataFrame(values, columns=columns, dtype=object)
            duckdb.from_df(frame).project(casts).write_parquet(str(path))


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@pytest.fixture(scope="module", params=KINDS, ids=lambda each: f"{each[0]}, {each[2]}")
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Scored:
    return Scored(tmp_path_factory.mktemp("kind"), *request.param)


@pytest.mark.parametrize("extension", ["csv", "jsonl", "parquet"])
def test_each_row_is_scored_as_the_model_scores_it_or_rejected(
    model: Scored, extension: str, tmp_path: Path
) -> None:
    laptop, name = Laptop(model.predictor, tmp_path), f"rows.{extension}"
    model.write(extension, tmp_path / "in" / name)
    outline = laptop.outline(
        name,
        output_format="json_lines",
        part_bytes=1024,
        **dict.fromkeys(("tolerance", "max_unseen", "max_out_of_range", "max_missing"), 1),
    )

    receipt = run(laptop.context, outline)

    expected = [model.members(row) for row in model.rows(extension)]
    scored = [each for each in expected if each is not None]
    assert receipt is not None
    assert receipt.rows is not None
    assert (receipt.rows.read, receipt.rows.scored) == (len(expected), len(scored))
    published = laptop.published_objects().items()
    [content] = [content for key, content in published if key.startswith("scored/")]
    lines = map(json.loads, content.splitlines())
    found = [{name: line[name] for name in scored[0]} for line in lines]
    assert found == scored
