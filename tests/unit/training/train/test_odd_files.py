"""Files as people have them: each is read right, refused with what settles it, or remarked on."""

import gzip
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import REPOSITORY
from training.data.findings import Finding
from training.errors import DataError
from training.train import data
from training.train.config import Data
from training.train.data import Table
from training.train.look import look

SCRIPT = REPOSITORY.parent / "shared/cases/data/mk.py"
TELCO = Data(target="Churn", row_id="customerID")
READ_RIGHT = ("bom", "boolnan", "semi", "tab", "utf16", "id_num")
REFUSED = {
    "comma_dec": 'column `MonthlyCharges` .* state `data.read.decimal = ","`',
    "dates": '`signup` looks like dates: state `data.read.types.signup = "datetime"`',
    "dates_few": '`signup` looks like dates: state `data.read.types.signup = "datetime"`',
    "dup": "names `gender` twice",
    "empty": "the file is empty",
    "emptycol": "column `empty` is empty: list it in `data.drop`",
    "header_only": "at least 50 rows, got 0",
    "huge": "`acct` has whole numbers beyond 2\\^53.*`data.drop`",
    "index": "without a name.*index=False",
    "latin1": "line 3 is not UTF-8.*`data.read.encoding`",
    "mixed": "in 799 records and texts in 1: state `data.read.missing",
    "money": '`money` looks like numbers with "\\$": state `data.read.units',
    "noname": "without a name",
    "percent": '`pct` looks like numbers with "%": state `data.read.units',
    "semi_comma": '`TotalCharges` .* state `data.read.decimal = ","`',
    "target_nan": "`Churn` is missing in 1 of 800 rows",
    "thousands": '`thou` .* state `data.read.thousands = ","`',
    "tiny": "at least 50 rows, got 40",
}
REMARKED = {
    "constant": "column `constt` has the same value in every row",
    "dups": "held-out rows stand in the training rows too",
    "leak": "column `Churn2` has an area under the ROC curve of 1.000",
    "target_mixed": "rare classes: 'maybe' in 6 of 800 rows",
}

ROWS = 120

type Seen = tuple[Table, tuple[Finding, ...]]


def seen(source: Path, settings: Data) -> Seen:
    table = data.read(source, settings)
    return table, look(*data.split(table, 0.2, 0), settings)


@pytest.fixture(scope="module")
def spoilt(telco: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the script makes of 800 customers."""
    if not SCRIPT.exists():
        pytest.skip("the script that makes odd files is not in ../shared/cases/data")
    folder = tmp_path_factory.mktemp("spoilt")
    lines = telco.read_text().splitlines(keepends=True)
    (folder / "base.csv").write_text("".join(lines[:801]))
    command = [sys.executable, "-W", "ignore", str(SCRIPT)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


def test_each_file_of_the_script_has_its_expectation(spoilt: Path) -> None:
    made = {path.stem for path in spoilt.glob("*.csv")} - {"base"}

    assert made == {*READ_RIGHT, *REFUSED, *REMARKED}


@pytest.mark.parametrize("name", READ_RIGHT)
def test_a_file_is_read_as_the_plain_one(spoilt: Path, name: str) -> None:
    plain, _ = seen(spoilt / "base.csv", TELCO)

    table, findings = seen(spoilt / f"{name}.csv", TELCO)

    assert findings == ()
    numbers = ["tenure", "MonthlyCharges", "TotalCharges"]
    pd.testing.assert_frame_equal(table.features[numbers], plain.features[numbers])
    if name in ("bom", "utf16"):
        assert {*table.features["gender"]} == {"Female", "Männlich"}


def test_booleans_with_empty_cells_are_booleans(spoilt: Path) -> None:
    table, _ = seen(spoilt / "boolnan.csv", TELCO)

    assert {*table.features["flag"].dropna()} == {True, False}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_is_refused_with_what_settles_it(spoilt: Path, name: str) -> None:
    with pytest.raises(DataError, match=REFUSED[name]):
        seen(spoilt / f"{name}.csv", TELCO)


@pytest.mark.parametrize("name", REMARKED)
def test_what_is_odd_in_a_file_is_remarked_on(spoilt: Path, name: str) -> None:
    _, findings = seen(spoilt / f"{name}.csv", TELCO)

    assert any(REMARKED[name] in str(finding) for finding in findings)


def test_an_id_that_nothing_names_is_remarked_on(spoilt: Path) -> None:
    _, findings = seen(spoilt / "id_num.csv", Data(target="Churn"))

    assert [finding.column for finding in findings] == ["customerID"]


def table() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 90, ROWS),
            "pay": rng.lognormal(8, 1, ROWS).round(2),
            "job": rng.choice(["clerk", "cook", "smith"], ROWS),
            "left": rng.choice(["no", "yes"], ROWS),
        }
    )


def text(frame: pd.DataFrame, **options: Any) -> str:
    written: str = frame.to_csv(index=False, **options)
    return written


def column(**columns: Any) -> str:
    return text(table().assign(**columns))


RNG = np.random.default_rng(9)
TWO_FORMATS = ["%d.%m.%Y", "%Y-%m-%d"] * (ROWS // 2)
DAYS = pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.integers(0, 300, ROWS), unit="D"))
AS_IT_IS = {
    "windows line ends": text(table()).replace("\n", "\r\n"),
    "old line ends": text(table()).replace("\n", "\r"),
    "bars": text(table(), sep="|"),
    "all quoted": text(table(), quoting=1),
    "blank lines at the end": text(table()) + "\n\n",
    "blanks before numbers": text(table())
    .replace(",", ", ")
    .replace(", clerk", ",clerk")
    .replace(", cook", ",cook")
    .replace(", smith", ",smith")
    .replace(", yes", ",yes")
    .replace(", no", ",no")
    .replace(", pay, job, left", ",pay,job,left"),
    "numbers with exponents": text(table(), float_format="%.17e"),
}
STATED = {
    "a title line": ("Report of March\n" + text(table()), "data.read.skip"),
    "comments": ("# exported\n# by hand\n" + text(table()), "data.read.comment"),
    "no header": (text(table(), header=False), "no column `left`"),
    "a footer": (text(table()) + "Total,,,\n", "`left` is missing in 1|records and texts in 1"),
    "another quote": (text(table().assign(job="'a, b'")).replace('"', ""), "5 cells"),
    "dates that are two": (
        column(since=DAYS.where(DAYS.dt.day < 13, DAYS.min()).dt.strftime("%d/%m/%Y")),
        "%d/%m/%Y.*%m/%d/%Y",
    ),
    "dates of two formats": (
        column(since=[day.strftime(form) for day, form in zip(DAYS, TWO_FORMATS, strict=True)]),
        "`since` looks like dates in several formats",
    ),
    "blanks after commas": (
        text(table()).replace(",", ", "),
        "no column `left`; names have blanks around them: state `data.read.trim = true`",
    ),
    "amounts with a unit": (column(pay=table()["pay"].map("{:.2f} EUR".format)), "data.read.units"),
    "amounts with two signs": (
        column(pay=table()["pay"].map("{:,.2f} €".format)),
        'data.read.units = .* with data.read.thousands = ","',
    ),
    "debts in brackets": (
        column(pay=table()["pay"].map(lambda v: f"({v})" if v > 4000 else f"{v}")),
        "`pay` looks like numbers",
    ),
    "a question mark among numbers": (
        column(age=table()["age"].astype(object).where(table()["age"] < 80, "?")),
        "data.read.missing",
    ),
    "infinite": (column(pay=np.where(table()["pay"] > 5000, np.inf, 1.5)), "infinite values"),
    "bytes": ("PK\x03\x04\0\0" + text(table()), "UTF-8|text"),
}
SAID = {
    "blanks after some commas": (
        text(table()).replace(",cook", ", cook"),
        "`job` has blanks at the ends",
    ),
    "blanks in classes": (
        column(left=np.where(table()["age"] > 50, "yes ", "no")),
        "`left` has blanks",
    ),
    "classes in other case": (
        column(left=np.resize(["yes", "no", "Yes"], ROWS)),
        "`left` has 1 values in spellings that differ in case only",
    ),
    "categories in other case": (
        column(job=np.resize(["Cook", "cook", "c"], ROWS)),
        "differ in case",
    ),
    "question marks": (column(job=np.resize(["?", "cook", "c"], ROWS)), 'missing = \\["\\?"\\]'),
    "unknown": (column(job=np.resize(["Unknown", "c", "d"], ROWS)), 'missing = \\["Unknown"\\]'),
    "codes": (column(zip=np.resize(["01067", "80331", "99084"], ROWS)), 'zip = "category"'),
    "days as numbers": (column(day=DAYS.dt.strftime("%Y%m%d")), 'dates.day = "%Y%m%d"'),
    "nines": (column(age=table()["age"].where(table()["age"] < 80, 999)), 'missing = \\["999"\\]'),
    "minus nines": (column(pay=table()["pay"].where(table()["age"] < 80, -99999)), "has -99999 in"),
    "row numbers": (column(row=np.arange(ROWS)), "as an id has"),
    "a gap that tells": (column(end=np.where(table()["left"] == "yes", 3, np.nan)), "ROC curve"),
}


def _written(content: str, folder: Path) -> Path:
    path = folder / "rows.csv"
    path.write_bytes(content.encode())
    return path


@pytest.mark.parametrize("name", AS_IT_IS)
def test_another_way_to_write_the_same_is_read_as_the_same(name: str, tmp_path: Path) -> None:
    expected, _ = seen(_written(text(table()), tmp_path), Data(target="left"))

    found, findings = seen(_written(AS_IT_IS[name], tmp_path), Data(target="left"))

    assert findings == ()
    pd.testing.assert_frame_equal(found.features, expected.features)


def test_a_compressed_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(text(table()).encode()))

    assert len(seen(path, Data(target="left"))[0].features) == ROWS


@pytest.mark.parametrize("name", STATED)
def test_what_could_be_read_in_two_ways_is_refused(name: str, tmp_path: Path) -> None:
    content, expected = STATED[name]

    with pytest.raises(DataError, match=expected):
        seen(_written(content, tmp_path), Data(target="left"))


@pytest.mark.parametrize("name", SAID)
def test_what_is_read_and_may_be_meant_otherwise_is_remarked_on(name: str, tmp_path: Path) -> None:
    content, expected = SAID[name]

    _, findings = seen(_written(content, tmp_path), Data(target="left"))

    assert any(re.search(expected, str(finding)) for finding in findings), findings
