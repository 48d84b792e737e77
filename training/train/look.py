"""What is worth a look in the rows of a run, before a model learns from them."""

import pandas as pd

from training.data.findings import Finding, of_classes, of_column, of_counts, without
from training.data.leaks import of_both_parts, of_leaks
from training.errors import DataError
from training.train.config import Data
from training.train.data import Table
from training.train.target import is_whole


def look(trained: Table, held_out: Table, settings: Data) -> tuple[Finding, ...]:
    """Return what is worth a look in the rows of both parts, column by column.

    Parameters
    ----------
    trained, held_out : Table
        The parts of a split.
    settings : Data
        Columns in its ``accepted`` were looked at already.
    """
    features = pd.concat([trained.features, held_out.features])
    target = pd.concat([trained.target, held_out.target])
    found = list(trained.findings)
    for name in features:
        if name not in settings.text:
            found += of_column(features[name], stated=str(name) in settings.read.types)
    found += of_column(target, stated=True)
    if trained.learning == "classification":
        found += of_classes(target)
    if settings.task is None and is_whole(target):
        found += of_counts(target, trained.learning)
    learnt = features.drop(columns=[name for name in settings.text if name in features])
    found += of_leaks(
        learnt.reset_index(drop=True), target.reset_index(drop=True), trained.learning
    )
    found += of_both_parts(_whole(trained), _whole(held_out))
    return without(found, settings.accepted)


def _whole(table: Table) -> pd.DataFrame:
    return table.features.assign(**{str(table.target.name): table.target})


def require_none(findings: tuple[Finding, ...]) -> None:
    """Raise `DataError` with all findings, if there are some."""
    if findings:
        raise DataError("--strict: " + "; ".join(map(str, findings)))
