from dataclasses import replace

import pandas as pd
import pytest

from training.errors import DataError
from training.train import data
from training.train.data import Table


@pytest.fixture
def table() -> Table:
    features = pd.DataFrame({"fee": range(80)})
    target = pd.Series(["yes", "no", "no", "no"] * 20, dtype=object)
    return Table(features, target, row_id=None, digest="")


def test_each_class_is_held_out_in_its_share(table: Table) -> None:
    trained, held_out = data.split(table, 0.2, seed=1)

    assert held_out.target.value_counts().to_dict() == {"no": 12, "yes": 4}
    assert trained.target.value_counts().to_dict() == {"no": 48, "yes": 16}


def test_each_row_is_on_one_side(table: Table) -> None:
    trained, held_out = data.split(table, 0.3, seed=1)

    assert sorted([*trained.features.index, *held_out.features.index]) == list(range(80))


def test_the_same_seed_holds_out_the_same_rows(table: Table) -> None:
    first, again, other = (data.split(table, 0.2, seed)[1].features for seed in (1, 1, 2))

    assert first.index.equals(again.index)
    assert not first.index.equals(other.index)


def test_values_are_split_without_strata(table: Table) -> None:
    values = replace(table, target=pd.Series(range(80)), learning="regression")

    trained, held_out = data.split(values, 0.2, seed=1)

    assert (len(trained.target), len(held_out.target)) == (64, 16)


@pytest.mark.parametrize("test_size", [0.01, 0.1, 0.99])
def test_a_class_that_is_too_rare_to_hold_out_is_refused(table: Table, test_size: float) -> None:
    table.target[:2] = "rare"

    with pytest.raises(DataError, match="class 'rare' of the target has 2 rows"):
        data.split(table, test_size, seed=1)
