from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.errors import DataError
from training.train import data
from training.train.config import Data

SECRET = "s3cret"
SETTINGS = Data(target="left", row_id="id")

type Write = Callable[[pd.DataFrame | bytes], Path]


@pytest.fixture
def customers() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "id": [f"{SECRET}{row}" for row in range(80)],
            "plan": rng.choice(["basic", "full"], 80),
            "fee": rng.normal(50, 20, 80).round(2),
            "months": rng.integers(0, 70, 80),
            "left": ["yes", "no", "no", "no"] * 20,
        }
    )


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: pd.DataFrame | bytes) -> Path:
        file = tmp_path / "rows.csv"
        file.write_bytes(content if isinstance(content, bytes) else data.to_csv(content))
        return file

    return write


def _refusal(source: Path, settings: Data = SETTINGS) -> str:
    with pytest.raises(DataError) as refused:
        data.read(source, settings)
    assert SECRET not in str(refused.value)
    return str(refused.value)


def test_features_are_all_but_the_row_id_and_the_target(
    write: Write, customers: pd.DataFrame
) -> None:
    table = data.read(write(customers), SETTINGS)

    assert list(table.features) == ["plan", "fee", "months"]
    assert table.row_id == "id"
    assert table.target.tolist() == customers["left"].tolist()


def test_dropped_columns_are_not_learnt_from(write: Write, customers: pd.DataFrame) -> None:
    settings = Data(target="left", row_id="id", drop=("plan",))

    assert list(data.read(write(customers), settings).features) == ["fee", "months"]


def test_the_digest_is_that_of_the_bytes_of_the_source(
    write: Write, customers: pd.DataFrame
) -> None:
    source = write(customers)

    assert data.read(source, SETTINGS).digest == sha256(source.read_bytes()).hexdigest()


def test_generated_rows_read_as_the_file_they_would_make(
    write: Write, customers: pd.DataFrame
) -> None:
    generated = data.from_frame(customers, SETTINGS)
    from_file = data.read(write(customers), SETTINGS)

    assert generated.digest == from_file.digest
    pd.testing.assert_frame_equal(generated.features, from_file.features)


def test_a_byte_order_mark_is_no_part_of_the_first_name(
    write: Write, customers: pd.DataFrame
) -> None:
    table = data.read(write(b"\xef\xbb\xbf" + data.to_csv(customers)), SETTINGS)

    assert table.row_id == "id"


def test_numbers_are_read_to_the_last_bit(write: Write, customers: pd.DataFrame) -> None:
    rng = np.random.default_rng(3)
    customers["fee"] = rng.normal(size=80) * 10.0 ** rng.integers(-290, 290, 80)

    table = data.read(write(customers), SETTINGS)

    assert table.features["fee"].tolist() == customers["fee"].tolist()


def test_a_target_of_numbers_stays_a_target_of_numbers(
    write: Write, customers: pd.DataFrame
) -> None:
    customers["left"] = [1, 0, 0, 2] * 20

    assert set(data.read(write(customers), SETTINGS).target) == {0, 1, 2}


def test_a_column_declared_text_is_not_read_as_numbers(
    write: Write, customers: pd.DataFrame
) -> None:
    customers["postcode"] = [f"0{row}" for row in range(1000, 1080)]
    settings = Data(target="left", row_id="id", text=("postcode",))

    table = data.read(write(customers), settings)

    assert table.features["postcode"].tolist() == customers["postcode"].tolist()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "nowhere.csv: No such file" in _refusal(tmp_path / "nowhere.csv")


def test_an_empty_file_is_refused(write: Write) -> None:
    assert "the file is empty" in _refusal(write(b"\n"))


def test_a_file_of_names_alone_is_refused(write: Write, customers: pd.DataFrame) -> None:
    assert "training needs at least 50 rows, got 0" in _refusal(write(customers.head(0)))


def test_bytes_that_are_not_utf8_are_refused_with_their_line(
    write: Write, customers: pd.DataFrame
) -> None:
    customers.loc[1, "plan"] = "café"

    assert "line 3 is not UTF-8" in _refusal(write(customers.to_csv().encode("latin-1")))


def test_utf16_is_known_by_its_mark(write: Write, customers: pd.DataFrame) -> None:
    table = data.read(write(customers.to_csv(index=False).encode("utf-16")), SETTINGS)

    assert table.features["fee"].tolist() == customers["fee"].tolist()
    assert table.description == "CSV, delimiter comma, UTF-16"


@pytest.mark.parametrize(("row", "fields"), [(b"a,b,c,d", 4), (b"a,b,c,d,e,f", 6)])
def test_a_ragged_row_is_refused_with_its_line(
    write: Write, customers: pd.DataFrame, row: bytes, fields: int
) -> None:
    lines = data.to_csv(customers).splitlines()
    lines[7] = row

    assert f"the record of line 8 has {fields} cells" in _refusal(write(b"\n".join(lines)))


def test_a_quote_that_is_not_closed_is_refused(write: Write, customers: pd.DataFrame) -> None:
    assert "line 82 has a cell with more behind its closing quote, or with none" in _refusal(
        write(data.to_csv(customers) + b'"a,b,c,d,e')
    )


def test_a_field_may_hold_commas_and_lines(write: Write, customers: pd.DataFrame) -> None:
    customers.loc[:39, "plan"] = "basic,\nwith more"

    assert "basic,\nwith more" in set(data.read(write(customers), SETTINGS).features["plan"])


def test_a_doubled_name_is_refused(write: Write, customers: pd.DataFrame) -> None:
    content = data.to_csv(customers).replace(b"months", b"fee", 1)

    assert "names `fee` twice" in _refusal(write(content))


def test_row_numbers_without_a_name_are_refused(write: Write, customers: pd.DataFrame) -> None:
    assert "index=False" in _refusal(write(customers.to_csv().encode()))


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_another_separator_is_found(write: Write, customers: pd.DataFrame, separator: str) -> None:
    content = customers.to_csv(sep=separator, index=False).encode()

    assert list(data.read(write(content), SETTINGS).features) == ["plan", "fee", "months"]


@pytest.mark.parametrize("key", ["target", "row_id", "drop", "text"])
def test_a_column_that_is_not_there_is_named_with_the_nearest(
    write: Write, customers: pd.DataFrame, key: str
) -> None:
    name = "month" if key in ("target", "row_id") else ("month",)
    settings = Data.model_validate({"target": "left", key: name})

    message = _refusal(write(customers), settings)

    assert "no column `month`; did you mean `months`?" in message
    assert f"--set data.{key}=" in message


def test_rows_without_a_target_are_counted(write: Write, customers: pd.DataFrame) -> None:
    customers.loc[[2, 5], "left"] = None

    assert "missing in 2 of 80 rows" in _refusal(write(customers))


def test_a_target_of_one_class_is_refused(write: Write, customers: pd.DataFrame) -> None:
    customers["left"] = SECRET

    assert "`left` has the same value in every row" in _refusal(write(customers))


def test_more_classes_than_a_classifier_takes_are_refused(
    write: Write, customers: pd.DataFrame
) -> None:
    rows = pd.concat([customers] * 3, ignore_index=True)
    rows["left"] = np.arange(240) % 101
    settings = Data(target="left", row_id="id", task="classification")

    message = _refusal(write(rows), settings)

    assert "`left` has 101 different values" in message
    assert 'state `data.task = "regression"`' in message


def test_fewer_than_50_rows_are_refused(write: Write, customers: pd.DataFrame) -> None:
    assert "training needs at least 50 rows, got 49" in _refusal(write(customers.head(49)))


def test_a_class_of_one_row_is_named(write: Write, customers: pd.DataFrame) -> None:
    customers.loc[0, "left"] = "perhaps"

    assert "needs 2 rows, and 'perhaps' has 1" in _refusal(write(customers))


def test_a_text_that_differs_in_every_row_is_named(write: Write, customers: pd.DataFrame) -> None:
    message = _refusal(write(customers), Data(target="left"))

    assert "column `id` has a different text in nearly every row" in message
    assert "`data.row_id`" in message


def test_an_empty_column_is_named(write: Write, customers: pd.DataFrame) -> None:
    customers["plan"] = None

    assert "column `plan` is empty" in _refusal(write(customers))


def test_a_column_that_mixes_numbers_and_texts_is_named(
    write: Write, customers: pd.DataFrame
) -> None:
    customers["months"] = customers["months"].astype(object)
    customers.loc[[3, 4], "months"] = SECRET

    assert (
        "`months` looks like numbers in 78 records and texts in 2: state `data.read.missing"
        in _refusal(write(customers))
    )


def test_booleans_and_whole_numbers_keep_their_kind_beside_empty_cells(
    write: Write, customers: pd.DataFrame
) -> None:
    customers["plan"] = [True, False, None, True] * 20
    customers["months"] = customers["months"].astype("Int64")
    customers.loc[3, "months"] = pd.NA

    table = data.read(write(customers), SETTINGS)

    assert table.features["plan"].tolist() == [True, False, None, True] * 20
    assert table.kinds == {"months": "integer"}


@pytest.mark.parametrize("number", [2**53 + 2, 2**70])
def test_whole_numbers_that_float64_cannot_tell_apart_are_named(
    write: Write, customers: pd.DataFrame, number: int
) -> None:
    customers["months"] = customers["months"].astype(object)
    customers.loc[3, "months"] = number

    assert "column `months` has whole numbers beyond 2^53" in _refusal(write(customers))


def test_infinite_numbers_are_counted(write: Write, customers: pd.DataFrame) -> None:
    customers.loc[[3, 4], "fee"] = [np.inf, -np.inf]

    assert "column `fee` has infinite values in 2 rows" in _refusal(write(customers))


def test_all_faults_of_columns_are_told_at_once(write: Write, customers: pd.DataFrame) -> None:
    customers["plan"] = None
    customers.loc[3, "fee"] = np.inf

    message = _refusal(write(customers))

    assert "`plan`" in message
    assert "`fee`" in message


def test_a_table_without_features_is_refused(write: Write, customers: pd.DataFrame) -> None:
    assert "no feature is left" in _refusal(write(customers[["id", "left"]]))
