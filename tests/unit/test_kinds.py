"""The generator of the kinds of tables makes what its names say, the same from the same seed."""

import numpy as np
import pandas as pd
import pytest

from tests.support import kinds
from tests.support.families import FAMILIES, MORE, fitted
from training.frames import kinds_of


@pytest.mark.parametrize("kind", kinds.TABLES)
def test_a_seed_decides_a_table(kind: str) -> None:
    first, second, other = (kinds.table(kind, seed=seed) for seed in (1, 1, 2))

    pd.testing.assert_frame_equal(first.frame, second.frame)
    assert first.target.equals(second.target)
    assert not first.frame.equals(other.frame) or not first.target.equals(other.target)


@pytest.mark.parametrize("target", kinds.CLASSES)
def test_each_class_has_two_rows(target: str) -> None:
    made = kinds.table("no decimals", target=target).target

    columns = made if isinstance(made, pd.DataFrame) else made.to_frame()
    assert all(columns[name].value_counts().min() >= 2 for name in columns)


def test_tables_without_decimals_have_none() -> None:
    of = {kind: set(kinds_of(kinds.table(kind).frame).values()) for kind in _WITHOUT_DECIMALS}

    assert of == _WITHOUT_DECIMALS


_WITHOUT_DECIMALS = {
    "integers alone": {"integer"},
    "small integers alone": {"integer"},
    "booleans alone": {"boolean"},
    "categories alone": {"category"},
    "no decimals": {"integer", "category", "boolean"},
}


@pytest.mark.parametrize("kind", kinds.VALUES)
def test_rows_have_every_feature_and_values_of_json(kind: str) -> None:
    frame = kinds.table("a category with unused levels").frame

    rows = kinds.rows(kind, frame, seed=3)

    assert rows
    assert all([*row] == [*frame] for row in rows)
    plain = (bool, int, float, str, type(None))
    assert all(isinstance(value, plain) for row in rows for value in row.values())


@pytest.mark.parametrize("family", [*FAMILIES, *MORE])
@pytest.mark.parametrize("target", ["yes or no", "numbers"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_each_family_fits_a_table(family: str, target: str) -> None:
    table = kinds.table("5 columns of all kinds", rows=60, target=target)

    found = fitted(family, table).predict(table.features)

    assert np.shape(found) == (60,)
