import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from training.errors import ConfigurationError, DataError
from training.init.create import Project, create
from training.train import data
from training.train.config import load
from training.train.run import read_table

ROWS = 240
RNG = np.random.default_rng(7)
DAYS = pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.integers(0, 300, ROWS), unit="D"))


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "row": range(7000, 7000 + ROWS),
            "age": RNG.integers(18, 90, ROWS),
            "job": RNG.choice(["clerk", "cook", "smith"], ROWS),
            "left": RNG.choice(["no", "yes"], ROWS),
        }
    )


def project(tmp_path: Path, frame: pd.DataFrame, target: str = "left", **options: Any) -> Project:
    frame.to_csv(tmp_path / "rows.csv", index=False, **options)
    return create(tmp_path / "mine", str(tmp_path / "rows.csv"), target)


def read(found: Project) -> data.Table:
    return read_table(load(found.folder / "train.toml"), found.folder, None)


def rules(found: Project) -> dict[str, Any]:
    text = (found.folder / "train.toml").read_text()
    read: dict[str, Any] = tomllib.loads(text)["data"].get("read", {})
    return read


def test_four_files_are_written_with_nothing_of_another_project(tmp_path: Path) -> None:
    found = project(tmp_path, table())

    files = {path.name: path.read_text() for path in found.folder.iterdir()}
    assert {*files} == {"train.toml", "pipeline.py", "test_pipeline.py", ".gitignore"}
    assert not re.search("churn|customer|telco", " ".join(files.values()), re.IGNORECASE)
    assert found.findings == ()


def test_the_configuration_reads_the_file_that_was_looked_at(tmp_path: Path) -> None:
    found = project(tmp_path, table())

    rows = read(found)

    assert (rows.row_id, [*rows.features]) == ("row", ["age", "job"])
    assert len(rows.features) == ROWS


@pytest.mark.parametrize(
    ("columns", "rule"),
    [
        ({"job": np.resize([" clerk", "cook "], ROWS)}, {"trim": True}),
        ({"job": np.resize(["clerk", "?", "cook"], ROWS)}, {"missing": ["?"]}),
        ({"pay": [f"{v:.2f}".replace(".", ",") for v in RNG.random(ROWS)]}, {"decimal": ","}),
        ({"pay": [f"{v:,.2f}" for v in RNG.random(ROWS) * 9999]}, {"thousands": ","}),
        ({"pay": [f"{v:.2f}%" for v in RNG.random(ROWS)]}, {"units": ["%"]}),
        (
            {"pay": [f"{int(v)}.{int(v) + 100},5 €" for v in RNG.random(ROWS) * 800]},
            {"units": ["€"], "decimal": ",", "thousands": "."},
        ),
        ({"pay": [*RNG.random(ROWS - 1), "none known"]}, {"missing": ["none known"]}),
        ({"day": DAYS.dt.strftime("%Y-%m-%d")}, {"types": {"day": "datetime"}}),
        ({"day": DAYS.dt.strftime("%d.%m.%Y")}, {"dates": {"day": "%d.%m.%Y"}}),
        ({"day": DAYS.dt.strftime("%Y%m%d")}, {"dates": {"day": "%Y%m%d"}}),
        ({"zip": np.resize(["01067", "80331"], ROWS)}, {"types": {"zip": "category"}}),
    ],
)  # fmt: skip
def test_the_rules_that_a_file_needs_are_found(
    tmp_path: Path, columns: dict[str, Any], rule: dict[str, Any]
) -> None:
    found = project(tmp_path, table().assign(**columns))

    assert rules(found) == rule
    assert {*columns} <= {*read(found).features}


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"sep": ";"}, {"delimiter": ";"}),
        ({"sep": "\t"}, {"delimiter": "\t"}),
        ({"encoding": "cp1252"}, {"encoding": "cp1252"}),
    ],
)
def test_the_dialect_of_a_file_is_found(
    tmp_path: Path, options: dict[str, Any], rule: dict[str, Any]
) -> None:
    frame = table().assign(job=np.resize(["café", "bar"], ROWS))

    assert rules(project(tmp_path, frame, **options)) == rule


def test_lines_before_the_header_are_skipped(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("Report\nof March\n" + table().to_csv(index=False))

    found = create(tmp_path / "mine", str(tmp_path / "rows.csv"), "left")

    assert rules(found) == {"skip": 2}


def test_a_decimal_comma_that_would_spoil_another_column_is_not_taken(tmp_path: Path) -> None:
    frame = table().assign(
        a=[f"{v:.2f}".replace(".", ",") for v in RNG.random(ROWS)], b=RNG.random(ROWS).round(3)
    )

    found = project(tmp_path, frame)

    assert rules(found) == {"types": {"a": "category"}}
    assert read(found).features["b"].dtype == "float64"
    assert "no rule reads both it and the other columns" in str(found.findings[0])


@pytest.mark.parametrize("counts", [RNG.poisson(1.0, ROWS), RNG.poisson(40.0, ROWS)])
def test_a_count_becomes_a_regression_and_is_remarked_on(tmp_path: Path, counts: Any) -> None:
    found = project(tmp_path, table().assign(left=[*counts[:-1], 90]))

    assert found.plan.learning == "regression"
    assert any("looks like counts" in str(finding) for finding in found.findings)
    assert "Ridge" in (found.folder / "pipeline.py").read_text()


def test_names_with_quotes_and_blanks_are_names(tmp_path: Path) -> None:
    names = {"age": "how 'old' \"now\"", "job": "Beruf / Stellung\\x", "left": "ge\u00e4ndert?"}

    found = project(tmp_path, table().rename(columns=names), names["left"])

    assert [*read(found).features] == [names["age"], names["job"]]
    compile((found.folder / "pipeline.py").read_text(), "pipeline.py", "exec")


def test_a_small_table_holds_out_a_larger_share(tmp_path: Path) -> None:
    frame = table().head(60).assign(left=["yes", "yes", "maybe", "maybe", *["no"] * 56])

    found = project(tmp_path, frame)

    assert found.plan.test_size > 0.2


def test_nothing_is_overwritten_and_nothing_written_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "pipeline.py").write_text("mine = True")

    with pytest.raises(ConfigurationError, match=r"pipeline\.py is there already"):
        project(tmp_path, table())

    assert [path.name for path in folder.iterdir()] == ["pipeline.py"]


@pytest.mark.parametrize(
    ("frame", "target", "sentence"),
    [
        (table(), "lft", "no column `lft`; did you mean `left`?"),
        (table().head(40), "left", "at least 50 rows, got 40"),
        (table()[["row", "left"]], "left", "no column is left to learn from"),
        (table().assign(left="no"), "left", "has the same value in every row"),
        (table().assign(left=["no"] * (ROWS - 1) + ["yes"]), "left", "'yes' has 1"),
    ],
)
def test_rows_that_no_run_could_take_are_refused_and_nothing_is_written(
    tmp_path: Path, frame: pd.DataFrame, target: str, sentence: str
) -> None:
    with pytest.raises(DataError, match=re.escape(sentence)):
        project(tmp_path, frame, target)

    assert not (tmp_path / "mine").exists()
