"""The table that a run trains on, checked before fitting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from sklambda.reading.records import trimmed
from sklambda.reading.rules import Reading
from sklambda.signature import Kind
from training.data import sources
from training.data.findings import Finding
from training.data.sources import Source
from training.errors import DataError, nearest
from training.frames import kind_of
from training.tables import as_frame, digest
from training.train import target
from training.train.config import Data, Learning

_NEARLY_EVERY_ROW = 0.9
_GREATEST_EXACT = 2**53  # the greatest whole number up to which float64 holds each one


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
    kinds
        Kinds of features that their values do not tell: whole numbers beside missing ones.
    description
        How the source was read, for people.
    learning
        "classification" or "regression".
    findings
        What is worth a look in columns, as the text of the source tells.
    """

    features: pd.DataFrame
    target: pd.Series
    row_id: str | None
    digest: str
    kinds: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    learning: Learning = "classification"
    findings: tuple[Finding, ...] = ()


def read(place: str | Path, settings: Data, folder: Path = Path()) -> Table:
    """Read files by the rules of the configuration.

    Parameters
    ----------
    place
        A file, a folder, a pattern, or an address of S3; relative to `folder`.
    settings
        The columns and the rules.
    folder
        Where relative places begin.

    Raises
    ------
    DataError
        One sentence that names columns and lines, and never holds a value.
    """
    wanted = [settings.target, *_listed(settings.row_id), *settings.drop, *settings.text]
    source = sources.read(str(place), settings.read.reading, _types(settings), wanted, folder)
    return _named(str(place).rpartition("/")[2], source, settings)


def from_frame(frame: pd.DataFrame, settings: Data) -> Table:
    """Convert generated rows to a table, by the same CSV text and checks as a file's.

    Raises
    ------
    DataError
        As `read` does.
    """
    source = sources.of_csv("the sample", to_csv(frame), Reading(), _types(settings))
    return _named("the sample", source, settings)


def from_rows(name: str, rows: object, settings: Data) -> Table:
    """Convert rows in a form of `training.tables` to a table; raises `DataError`."""
    frame = as_frame(rows)
    kinds = {str(name): kind_of(frame[name]) for name in frame}
    return _named(name, Source(frame, kinds, digest(frame), "a frame"), settings)


def from_query(query: str, settings: Data, folder: Path) -> Table:
    """Return the table of a query of DuckDB over files relative to `folder`; raises `DataError`."""
    return _named("data.query", sources.of_query(query, folder), settings)


def to_csv(frame: pd.DataFrame) -> bytes:
    """Return the CSV text of a frame, the same bytes on each system."""
    return frame.to_csv(index=False, lineterminator="\n").encode()


def split(table: Table, test_size: float, seed: int) -> tuple[Table, Table]:
    """Split the rows, stratified by class where there are classes.

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
    classes = table.target if table.learning == "classification" else None
    rows, count = len(table.target), table.target.nunique()
    fewest = min(int(rows * test_size), int(rows * (1 - test_size)))
    if classes is not None and fewest < count:
        raise _too_rare(classes, test_size)
    trained, held_out = (
        replace(table, features=table.features.iloc[part], target=table.target.iloc[part])
        for part in train_test_split(
            np.arange(rows), test_size=test_size, random_state=seed, stratify=classes
        )
    )
    if classes is not None and min(trained.target.nunique(), held_out.target.nunique()) < count:
        raise _too_rare(classes, test_size)
    return trained, held_out


def _types(settings: Data) -> dict[str, Kind]:
    texts: dict[str, Kind] = dict.fromkeys(settings.text, "text")
    return texts | {**settings.read.types}


def _named(origin: str, source: Source, settings: Data) -> Table:
    try:
        return _table(source, settings)
    except DataError as error:
        raise DataError(f"{origin}: {error}") from None


def _table(source: Source, settings: Data) -> Table:
    frame = source.frame
    _check_names([str(name) for name in frame], settings)
    features = frame.drop(columns=[settings.target, *settings.drop, *_listed(settings.row_id)])
    learnt = {*features.columns, settings.target}
    doubts = [str(each) for each in source.doubts if each.column in learnt]
    if doubts:
        raise DataError("; ".join(doubts))
    learning = target.learning_of(frame[settings.target].dropna(), settings.task)
    outcomes = target.checked(frame[settings.target], learning)
    _check_features(features, settings)
    integers = [name for name in features if source.kinds[str(name)] == "integer"]
    return Table(
        features=features,
        target=outcomes,
        row_id=settings.row_id,
        digest=source.digest,
        kinds={str(name): "integer" for name in integers if features[name].dtype.kind == "f"},
        description=source.description,
        learning=learning,
        findings=tuple(each for each in source.findings if each.column in learnt),
    )


def _too_rare(classes: pd.Series, test_size: float) -> DataError:
    counts = classes.value_counts()
    return DataError(
        f"class '{counts.index[-1]}' of the target has {counts.iloc[-1]} rows, too few to hold out "
        f"{test_size:.0%} of each class: add rows of it, or change `evaluation.test_size`"
    )


def _check_names(columns: Sequence[str], settings: Data) -> None:
    wanted = [("target", settings.target), ("row_id", settings.row_id)]
    several = {
        "drop": settings.drop,
        "text": settings.text,
        "accepted": settings.accepted,
        "read.types": settings.read.types,
        "read.dates": settings.read.dates,
    }
    wanted += [(key, name) for key, names in several.items() for name in names]
    blanks = {trimmed(column) for column in columns} - {*columns}
    trim = "; names have blanks around them: state `data.read.trim = true`"
    absent = [
        f"there is no column `{name}`{trim if name in blanks else nearest(name, columns)} "
        f"(`data.{key}` names it; change that with --set data.{key}=...)"
        for key, name in wanted
        if name is not None and name not in columns
    ]
    if absent:
        raise DataError("; ".join(absent))


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
    if pd.api.types.is_string_dtype(present):  # of pandas 2, objects that are all strings
        return _text_fault(name, present, rows)
    if pd.api.types.is_float_dtype(present.dtype) and np.isinf(present).any():
        return f"{name} has infinite values in {int(np.isinf(present).sum())} rows"
    if present.dtype.kind in "iuO" and (present.abs() > _GREATEST_EXACT).any():
        return f"{name} has whole numbers beyond 2^53, which are not exact: {_USES}"
    return None


_USES = "list it in `data.row_id`, `data.drop` or, to learn from it as it is, in `data.text`"


def _text_fault(name: str, present: pd.Series, rows: int) -> str | None:
    if present.nunique() > _NEARLY_EVERY_ROW * rows:
        return f"{name} has a different text in nearly every row: {_USES}"
    return None


def _listed(name: str | None) -> list[str]:
    return [] if name is None else [name]


def _list(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
