"""A new project: a look at the data, and files that train at once."""

import os
import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pandas as pd

from training.data.findings import COUNTS, Finding
from training.errors import ConfigurationError, DataError
from training.init import files, roles, rules
from training.init.files import Plan
from training.init.roles import Roles
from training.train import data, target
from training.train.config import Config, Learning
from training.train.look import look

_SIZES: Final = (0.2, 0.3, 0.4, 0.5)
_RARE: Final = 5


@dataclass(frozen=True, slots=True)
class Project:
    """A project that was written.

    Attributes
    ----------
    folder : Path
        Where it is.
    written : tuple of str
        The names of its files.
    plan : Plan
        What it is made for.
    findings : tuple of Finding
        What is worth a look in the data.
    source : str
        How the rows were read.
    """

    folder: Path
    written: tuple[str, ...]
    plan: Plan
    findings: tuple[Finding, ...]
    source: str


def create(folder: Path, place: str, column: str) -> Project:
    """Look at rows and write a project for them; all of its files, or none.

    Parameters
    ----------
    folder : path
        The project's folder, made if there is none. Nothing in it is overwritten.
    place : str
        A file, a folder, a pattern, or an address of S3.
    column : str
        The column to predict.

    Raises
    ------
    ConfigurationError
        One of the files is there already.
    DataError
        The rows cannot be read or learnt from.
    """
    _require_absent(folder)
    found = rules.find(place, column)
    frame = found.source.frame
    learning = _learning(frame[column].dropna())
    target.checked(frame[column], learning)
    path = place if place.startswith("s3://") else Path(os.path.relpath(place, folder)).as_posix()
    plan = Plan(
        name=_name(place),
        path=path,
        target=column,
        learning=learning,
        why=f"it has {frame[column].nunique()} different values",
        roles=_roles(found, column),
        choices=found.choices,
        rows=len(frame),
    )
    plan, findings = _tried(plan, place)
    texts = {
        "train.toml": files.configuration(plan),
        "pipeline.py": files.pipeline(plan),
        "test_pipeline.py": files.TEST,
        ".gitignore": files.IGNORED,
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    findings = (*found.unread, *findings)
    return Project(folder, tuple(texts), plan, findings, found.source.description)


def _learning(outcomes: "pd.Series[Any]") -> Learning:
    """Return the likely task: many whole numbers of which some are rare are counts."""
    counts = outcomes.value_counts()
    if target.is_whole(outcomes) and len(counts) >= COUNTS and counts.min() < _RARE:
        return "regression"
    return target.learning_of(outcomes)


def _roles(found: rules.Found, column: str) -> Roles:
    found_roles = roles.of(found.source.frame, found.source.kinds, column)
    if not found_roles.features:
        raise DataError(
            "no column is left to learn from: all are ids, empty or the same throughout"
        )
    return found_roles


def _require_absent(folder: Path) -> None:
    names = ("train.toml", "pipeline.py", "test_pipeline.py", ".gitignore")
    there = [name for name in names if (folder / name).exists()]
    if there:
        raise ConfigurationError(
            f"{folder / there[0]} is there already, and nothing is overwritten: name another "
            "folder, as in `sklambda init DIR --data FILE --target NAME`"
        )


def _tried(plan: Plan, place: str) -> tuple[Plan, tuple[Finding, ...]]:
    """Read and split the rows as a run would, with as few held out as each class allows."""
    refused: DataError | None = None
    for size in _SIZES:
        plan = replace(plan, test_size=size)
        settings = Config.model_validate(tomllib.loads(files.configuration(plan))).data
        table = data.read(place, settings)
        try:
            parts = data.split(table, size, 0)
            # The task is stated, and by nobody who knows.
            return plan, look(*parts, settings.model_copy(update={"task": None}))
        except DataError as error:
            refused = refused or error
    assert refused is not None
    raise refused


def _name(place: str) -> str:
    stem = Path(place.rstrip("/*")).name.partition(".")[0]
    return re.sub(r"^[^A-Za-z0-9]+|[^A-Za-z0-9._-]+", "-", stem).strip("-") or "model"
