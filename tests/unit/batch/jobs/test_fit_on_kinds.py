"""Whatever the kind of table, rows as trained are no failure, and rows unlike them are one."""

import json
from pathlib import Path
from typing import Final

import pytest

from functions.batch.jobs.run import run
from sklambda.predictor import Predictor
from sklambda.storage.receipt import Receipt
from tests.support import kinds
from tests.support.batch_jobs import Laptop
from tests.support.exporting import export_quickly, targets_of
from tests.support.families import fitted
from tests.support.kinds import ClientRow

TABLES: Final = {
    "5 columns of all kinds": {"plan"},
    "2 rows": {"plan"},
    "integers alone": set[str](),
    "booleans alone": set[str](),
    "categories with missing cells": {"plan", "colour"},
    "a category of 2,000 levels": {"plan", "postcode"},
    "an all-missing column": {"plan"},
    "heavy tails": set[str](),
    "dates": {"plan"},
}
"""Tables, and their categories."""


class Model:
    """A model of a kind of table, and rows for it."""

    def __init__(self, folder: Path, kind: str) -> None:
        self._table = kinds.table(kind)
        pipeline, targets = fitted("tree", self._table), targets_of(self._table)
        path = export_quickly(pipeline, self._table.features, folder / "p", targets)
        self.kind, self.predictor = kind, Predictor.open(path)

    def rows(self, values: str) -> list[ClientRow]:
        """Return rows of some values, of the features."""
        names = self.predictor.package.signature.names
        made = [row for seed in range(3) for row in self._made(values, seed)]
        return [{name: row[name] for name in names} for row in made]

    def _made(self, values: str, seed: int) -> list[ClientRow]:
        repeated = 8 if values == "everything missing" else 1
        return kinds.rows(values, self._table.features, seed=seed) * repeated

    def receipt(self, values: str, folder: Path) -> Receipt:
        """Return the receipt of a job of such rows."""
        laptop = Laptop(self.predictor, folder)
        lines = [json.dumps(row) + "\n" for row in self.rows(values)]
        laptop.drop("rows.jsonl", "".join(lines).encode())
        receipt = run(laptop.context, laptop.outline("rows.jsonl", part_bytes=2048))
        assert receipt is not None
        return receipt


@pytest.fixture(scope="module", params=TABLES)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    return Model(tmp_path_factory.mktemp("kind"), request.param)


@pytest.mark.parametrize("values", ["as trained", "duplicates"])
def test_rows_as_trained_are_no_failure(model: Model, values: str, tmp_path: Path) -> None:
    assert model.receipt(values, tmp_path).reason is None


@pytest.mark.parametrize(
    ("values", "change"),
    [("padded levels", "leading and trailing blanks"), ("levels in another case", "ignoring case")],
)
def test_categories_written_otherwise_are_a_failure_with_the_remedy(
    model: Model, values: str, change: str, tmp_path: Path
) -> None:
    receipt = model.receipt(values, tmp_path)

    detail = receipt.reason.detail if receipt.reason else ""
    changed = {one.feature for one in receipt.warnings or () if one.match}
    assert (change in detail) is bool(changed)
    assert changed == TABLES[model.kind] & changed_by(model, values)


def changed_by(model: Model, values: str) -> set[str]:
    """Return the features that differ from those of training."""
    pairs = zip(model.rows(values), model.rows("as trained"), strict=True)
    return {name for new, old in pairs for name in new if new[name] != old[name]}


def test_categories_that_are_new_fail_where_training_had_few(model: Model, tmp_path: Path) -> None:
    receipt = model.receipt("all rows unseen", tmp_path)

    expected = {one.feature: one.expected for one in receipt.warnings or ()}
    assert bool(receipt.reason) is ("plan" in TABLES[model.kind] and expected["plan"] != 1)


def test_numbers_in_another_unit_are_a_failure(model: Model, tmp_path: Path) -> None:
    receipt = model.receipt("a unit change", tmp_path)

    kinds_of_features = model.predictor.package.signature.kinds.values()
    assert bool(receipt.reason) is ("number" in kinds_of_features or "integer" in kinds_of_features)


def test_rows_without_any_value_are_a_failure(model: Model, tmp_path: Path) -> None:
    assert model.receipt("everything missing", tmp_path).status == "failed"
