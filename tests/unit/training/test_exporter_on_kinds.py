"""Whatever the kind of table, an export ends with a package that is served, or with a sentence.

These are few of the kinds and families; all are in `tests/integration/test_published_packages.py`.
"""

from pathlib import Path
from typing import Any, Final

import pytest
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tests.support import kinds
from tests.support.exporting import ending, targets_of
from tests.support.families import fitted

PLAIN: Final = (
    "1 column of integers",
    "small integers alone",
    "booleans alone",
    "categories alone",
    "no decimals",
    "a constant integer",
    "integers with missing cells, Int64",
    "odd names",
    "integers as names",
    "large integers",
    "2 rows",
    "5,000 rows",
)


@pytest.mark.parametrize("kind", PLAIN)
@pytest.mark.parametrize("family", ["linear", "forest"])
def test_plain_tables_are_served(kind: str, family: str, tmp_path: Path) -> None:
    table = kinds.table(kind, rows=60)

    found = ending(fitted(family, table), table.frame, tmp_path / "p", targets_of(table))

    assert found.end == "served", f"{table.description}: {found.reason}"


@pytest.mark.parametrize("target", [name for name in kinds.TARGETS if name != "none"])
def test_each_kind_of_target_is_served(target: str, tmp_path: Path) -> None:
    table = kinds.table("no decimals", rows=60, target=target)

    found = ending(fitted("tree", table), table.frame, tmp_path / "p", targets_of(table))

    assert found.end == "served", f"{table.description}: {found.reason}"


@pytest.mark.parametrize("form", kinds.FRAMES)
def test_each_form_of_a_table_is_served(form: str, tmp_path: Path) -> None:
    table = kinds.table("5 columns of all kinds", rows=60)
    rows = kinds.FRAMES[form](table.frame)
    pipeline = make_pipeline(preparation(form), LogisticRegression()).fit(rows, table.target)

    found = ending(pipeline, rows, tmp_path / "p")

    assert found.end == "served", f"{form}: {found.reason}"


def preparation(form: str) -> Any:
    """Return the steps for a form of a table, of which some have no names or no dtypes."""
    encode = OneHotEncoder(handle_unknown="ignore")
    numbers = ["number", "bool", "boolean"]
    chosen = [make_column_selector(**{key: numbers}) for key in ("dtype_include", "dtype_exclude")]
    if form == "a list of texts":
        return CountVectorizer()
    if form in ("numpy of numbers", "sparse", "sparse columns"):
        return StandardScaler(with_mean=False)
    if form == "numpy":
        chosen = [[0, 1, 2], [3, 4]]
    return ColumnTransformer([("n", StandardScaler(), chosen[0]), ("c", encode, chosen[1])])
