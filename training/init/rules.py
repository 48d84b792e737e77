"""The rules by which a file is read, found by trying those that settle its doubts."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import pandas as pd

from sklambda.reading.records import trimmed
from sklambda.reading.rules import Reading
from training.data import sources
from training.data.doubts import Doubt, key_of
from training.data.findings import Finding, of_column
from training.data.sources import Source
from training.errors import DataError, nearest

_LAYOUTS: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"trim": True},
    {"encoding": "cp1252"},
    {"comment": "#"},
    *({"skip": lines} for lines in range(1, 6)),
)
"""What is tried for a file that cannot be read, or has no column of the target's name."""

_SIGNS: Final = re.compile(r"\?+|-+|\*+|\.")
"""Values that mean a missing one; words such as "unknown" may be categories."""

_MOST_WORDS: Final = 5
_PLACE: Final = "data.read."


@dataclass(frozen=True, slots=True)
class Choice:
    """A line of TOML below ``[data.read]``.

    Attributes
    ----------
    line : str
        The line, as `trim = true`.
    reason : str
        Why it stands there, and what else could.
    """

    line: str
    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it was read, and the rules for it.

    Attributes
    ----------
    source : Source
        Its rows, without a doubt.
    choices : tuple of Choice
        The rules that were chosen.
    unread : tuple of Finding
        Columns that look like something that no rule reads beside the others.
    """

    source: Source
    choices: tuple[Choice, ...] = ()
    unread: tuple[Finding, ...] = ()


def find(place: str, target: str) -> Found:
    """Read a place by rules that leave nothing in doubt.

    Raises
    ------
    DataError
        It cannot be read, or has no such column.
    """
    found = _laid_out(place, target)
    if (delimiter := found.source.delimiter) not in (None, ","):
        found = _with(place, found, f"delimiter = {toml(str(delimiter))}", "as the header has it")
    if any(_has_blanks(found.source.frame[name]) for name in found.source.frame):
        found = _with(place, found, "trim = true", "values have blanks at their ends")
    signs = _signs(found.source)
    if signs:
        listed = ", ".join(map(toml, signs))
        found = _with(place, found, f"missing = [{listed}]", "they stand for missing values")
    for finding in found.source.findings:
        line = finding.key.removeprefix(_PLACE)
        found = _with(place, found, line, f"it {finding.what}")
    while found.source.doubts:
        found = _settled(place, found)
    return found


def _laid_out(place: str, target: str) -> Found:
    refused: DataError | None = None
    for layout in _LAYOUTS:
        try:
            source = sources.read(place, Reading(**layout), wanted=[target])
            if target in source.frame:
                lines = [f"{key} = {toml(value)}" for key, value in layout.items()]
                choices = (Choice(line, "the file can be read only so") for line in lines)
                return Found(source, tuple(choices))
            names = [str(name) for name in source.frame]
            problem = DataError(f"{place}: there is no column `{target}`{nearest(target, names)}")
        except DataError as error:
            problem = error
        refused = refused or problem
    assert refused is not None
    raise refused


def _with(place: str, found: Found, line: str, reason: str) -> Found:
    choices = (*found.choices, Choice(line, reason))
    reading, types = rules_of(choices)
    return replace(found, source=sources.read(place, reading, types), choices=choices)


def rules_of(choices: tuple[Choice, ...]) -> tuple[Reading, dict[str, Any]]:
    """Return the rules and the types that lines state; lists of several lines are joined."""
    read: dict[str, Any] = {}
    for choice in choices:
        for key, value in tomllib.loads(choice.line).items():
            if isinstance(value, Mapping):
                read[key] = {**read.get(key, {}), **value}
            else:
                read[key] = [*read.get(key, ()), *value] if isinstance(value, list) else value
    types = read.pop("types", {})
    tuples = {
        key: tuple(dict.fromkeys(value)) for key, value in read.items() if type(value) is list
    }
    return Reading(**{**read, **tuples}), types


def _settled(place: str, found: Found) -> Found:
    """Settle the first doubt by the first of its keys that leaves fewer doubts and no column less.

    A rule holds for all columns: a decimal comma would make texts of the numbers of another.
    """
    doubt = found.source.doubts[0]
    for lines in _keys(doubt, found.source.frame[doubt.column]):
        keys = [key.replace(_PLACE, "") for key in doubt.keys if "data.read.missing" not in key]
        others = " or ".join(key for key in keys if key != " with ".join(lines))
        reason = f"`{doubt.column}` looks like {doubt.looks_like}; else {others}"
        try:
            tried = found
            for line in lines:
                tried = replace(tried, choices=(*tried.choices, Choice(line, reason)))
            reading, types = rules_of(tried.choices)
            tried = replace(tried, source=sources.read(place, reading, types))
        except DataError:
            continue
        fewer = len(tried.source.doubts) < len(found.source.doubts)
        if fewer and _numbers(found.source) <= _numbers(tried.source):
            return tried
    line = f'types.{key_of(doubt.column)} = "category"'
    what = f"looks like {doubt.looks_like}, and no rule reads both it and the other columns"
    unread = Finding(doubt.column, what, "write its values in the source as those of the others")
    found = _with(place, found, line, f"it {what}")
    return replace(found, unread=(*found.unread, unread))


def _keys(doubt: Doubt, column: "pd.Series[Any]") -> Iterator[list[str]]:
    for key in doubt.keys[:-1]:  # the last leaves it a column of categories
        if key.startswith("data.read.missing"):
            words = [text for text in column.dropna().unique().tolist() if not _is_number(text)]
            if len(words) <= _MOST_WORDS:
                yield [f"missing = [{', '.join(map(toml, words))}]"]
        else:
            yield [line.removeprefix(_PLACE) for line in key.split(" with ")]


def _numbers(source: Source) -> set[str]:
    return {name for name, kind in source.kinds.items() if kind in ("number", "integer")}


def _has_blanks(column: "pd.Series[Any]") -> bool:
    return any(finding.key == "data.read.trim = true" for finding in of_column(column, stated=True))


def _signs(source: Source) -> list[str]:
    """Return the signs that stand for missing values in columns of categories."""
    texts = [source.frame[name] for name, kind in source.kinds.items() if kind == "category"]
    values = {trimmed(text) for column in texts for text in column.dropna().unique()}
    return sorted(text for text in values if _SIGNS.fullmatch(text))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def toml(value: object) -> str:
    """Return a text, a number, a boolean or a list as TOML."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
