"""The table that a run trains on, checked before fitting."""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from training.errors import DataError, nearest
from training.train.config import Data

_FEWEST_ROWS = 50
_MOST_CLASSES = 100
_NEARLY_EVERY_ROW = 0.9
_GREATEST_EXACT = 2**53  # the greatest whole number up to which float64 holds each one
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")


@dataclass(frozen=True)
class Table:
    """Rows to fit or to evaluate a model.

    Attributes
    ----------
    features
        ``[N, K]``, without the row id, the target and what the configuration drops.
    target
        ``[N]``, nothing missing.
    row_id
        The name of the column that identifies rows, if there is one.
    digest
        SHA-256 of the whole source, as 64 hexadecimal digits.
    """

    features: pd.DataFrame
    target: pd.Series
    row_id: str | None
    digest: str


def read(source: Path, settings: Data) -> Table:
    """Read a CSV file: UTF-8, commas, a line of column names.

    Raises
    ------
    DataError
        One sentence that names columns and lines, and never holds a value.
    """
    try:
        content = source.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {source}: {error.strerror}") from None
    return _parse(source.name, content, settings)


def from_frame(frame: pd.DataFrame, settings: Data) -> Table:
    """Convert generated rows to a table, by the same CSV text and checks as a file's.

    Raises
    ------
    DataError
        As `read` does.
    """
    return _parse("the sample", to_csv(frame), settings)


def to_csv(frame: pd.DataFrame) -> bytes:
    """Return the CSV text of a frame, the same bytes on each system."""
    return frame.to_csv(index=False, lineterminator="\n").encode()


def split(table: Table, test_size: float, seed: int) -> tuple[Table, Table]:
    """Split the rows, stratified by class.

    Parameters
    ----------
    table
        N rows.
    test_size
        The share of rows to hold out, between 0 and 1.
    seed
        Decides which rows.

    Returns
    -------
    tuple of Table
        The training rows and the held-out rows.

    Raises
    ------
    DataError
        If a class would be missing on one side.
    """
    classes = table.target.nunique()
    fewest = min(int(len(table.target) * test_size), int(len(table.target) * (1 - test_size)))
    if fewest < classes:
        raise _too_rare(test_size)
    rows = np.arange(len(table.target))
    parts = train_test_split(rows, test_size=test_size, random_state=seed, stratify=table.target)
    trained, held_out = (
        replace(table, features=table.features.iloc[part], target=table.target.iloc[part])
        for part in parts
    )
    if min(trained.target.nunique(), held_out.target.nunique()) < classes:
        raise _too_rare(test_size)
    return trained, held_out


def _parse(origin: str, content: bytes, settings: Data) -> Table:
    try:
        return _table(content, settings)
    except DataError as error:
        raise DataError(f"{origin}: {error}") from None


def _table(content: bytes, settings: Data) -> Table:
    text = _decode(content)
    columns = _check_lines(text)
    _check_names(columns, settings)
    frame = pd.read_csv(
        io.StringIO(text), dtype=dict.fromkeys(settings.text, "str"), low_memory=False
    )
    features = frame.drop(columns=[settings.target, *settings.drop, *_listed(settings.row_id)])
    _check_target(frame[settings.target])
    _check_features(features, settings)
    return Table(
        features=features,
        target=_labels(frame[settings.target]),
        row_id=settings.row_id,
        digest=sha256(content).hexdigest(),
    )


def _too_rare(test_size: float) -> DataError:
    return DataError(
        f"a class of the target has too few rows to hold out {test_size:.0%} of each class: "
        "add rows of it, or change `evaluation.test_size`"
    )


def _decode(content: bytes) -> str:
    if not content.strip():
        raise DataError("the file is empty")
    if b"\0" in content:
        raise DataError("the file is not text: save it as CSV in UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(f"line {line} is not UTF-8: save the file as CSV in UTF-8") from None


def _check_lines(text: str) -> list[str]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns: list[str] = []
    try:
        for fields in reader:
            columns = columns or fields
            if fields and len(fields) != len(columns):
                raise DataError(
                    f"line {reader.line_num} has {len(fields)} fields, "
                    f"and the first line names {len(columns)} columns"
                )
    except csv.Error:
        raise DataError(f"line {reader.line_num} is not CSV: look for a stray quote") from None
    return columns


def _check_names(columns: Sequence[str], settings: Data) -> None:
    doubled = [name for name, count in Counter(columns).items() if count > 1]
    if doubled:
        raise DataError(f"the first line names {_list(doubled)} twice")
    if not all(name.strip() for name in columns):
        raise DataError(
            "the first line leaves a column without a name, as pandas does when it writes row "
            "numbers: to_csv(..., index=False)"
        )
    if len(columns) == 1 and re.search(r"[;\t|]", columns[0]):
        raise DataError("the first line is not separated by commas: save the file as CSV")
    wanted = [("target", settings.target), ("row_id", settings.row_id)]
    wanted += [("drop", name) for name in settings.drop] + [("text", n) for n in settings.text]
    for key, name in wanted:
        if name is not None and name not in columns:
            raise DataError(
                f"there is no column `{name}`{nearest(name, columns)} "
                f"(`data.{key}` names it; change that with --set data.{key}=...)"
            )


def _check_target(target: pd.Series) -> None:
    missing = int(target.isna().sum())
    if missing:
        raise DataError(f"the target `{target.name}` is missing in {missing} of {len(target)} rows")
    if len(target) < _FEWEST_ROWS:
        raise DataError(f"training needs at least {_FEWEST_ROWS} rows, got {len(target)}")
    counts = target.value_counts()
    if len(counts) < 2:
        raise DataError(f"the target `{target.name}` has the same value in every row")
    if len(counts) > _MOST_CLASSES:
        raise DataError(
            f"the target `{target.name}` has {len(counts)} different values, and a classifier "
            f"takes up to {_MOST_CLASSES} classes"
        )
    if counts.min() < 2:
        raise DataError(f"each class of the target `{target.name}` needs 2 rows, and one has 1")


def _check_features(features: pd.DataFrame, settings: Data) -> None:
    if features.shape[1] == 0:
        raise DataError("no feature is left: `data.target`, `row_id` and `drop` name every column")
    faults = [
        fault
        for name, column in features.items()
        if (fault := _fault(column.dropna(), len(column), str(name) in settings.text))
    ]
    if faults:
        raise DataError("; ".join(faults))


def _fault(present: pd.Series, rows: int, declared_text: bool) -> str | None:
    """Return the fault of one column, by its values that are not missing; None without one."""
    name = f"column `{present.name}`"
    if present.empty:
        return f"{name} is empty: list it in `data.drop`"
    if declared_text:
        return None
    if isinstance(present.dtype, pd.StringDtype):
        return _text_fault(name, present, rows)
    if pd.api.types.is_float_dtype(present.dtype) and np.isinf(present).any():
        return f"{name} has infinite values in {int(np.isinf(present).sum())} rows"
    if present.dtype.kind == "O" and all(isinstance(value, bool) for value in present):
        return f"{name} has true, false and empty cells: fill them, or list it in `data.text`"
    if present.dtype.kind in "iuO" and (present.abs() > _GREATEST_EXACT).any():
        return f"{name} has whole numbers beyond 2^53, which are not exact: {_USES}"
    return None


_USES = "list it in `data.row_id`, `data.drop` or, to learn from it as it is, in `data.text`"


def _text_fault(name: str, present: pd.Series, rows: int) -> str | None:
    numbers = sum(1 for value in present if _NUMBER.fullmatch(value))
    if len(present) > numbers > len(present) / 2:
        return (
            f"{name} mixes {numbers} numbers with {len(present) - numbers} texts: leave the cells "
            "without a number empty, or list it in `data.drop` or `data.text`"
        )
    if present.nunique() > _NEARLY_EVERY_ROW * rows:
        return f"{name} has a different text in nearly every row: {_USES}"
    return None


def _labels(target: pd.Series) -> pd.Series:
    # scikit-learn keeps the dtype of the target in classes_: object is what it takes everywhere.
    text = isinstance(target.dtype, pd.StringDtype)
    return target.astype(object) if text else target


def _listed(name: str | None) -> list[str]:
    return [] if name is None else [name]


def _list(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
