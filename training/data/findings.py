"""What is worth a look in a column before a model learns from it, and what to do about it."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pandas as pd

from sklambda.reading.records import Cell, trimmed
from training.data.doubts import key_of

type Column = pd.Series[Any]

_FEW: Final = 3
_NEARLY_EVERY: Final = 0.95
_FEWEST_ROWS: Final = 50
_RARE_ROWS, _RARE_SHARE = 10, 0.01
COUNTS: Final = 6
"""From so many different whole numbers on, classes may be counts."""

_CODE: Final = re.compile(r"0[0-9]+")
_MISSING: Final = re.compile(
    r"\?+|-+|\*+|\.|unknown|unkn?|not (?:known|available|applicable|specified)|n\.a\.?|n/k|n\.k\."
    r"|k\.a\.|missing|nil|undefined|no data|unspecified|tbd|\((?:blank|null|none)\)",
    re.IGNORECASE,
)
"""Words by which people write that a value is missing; pandas knows others."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is no fault by itself, and often is one.

    Attributes
    ----------
    column : str or None
        The column; None for rows.
    what : str
        What there is; ends a sentence whose subject is the column.
    then : str
        What to do next; "%s" stands for the key.
    key : str
        The line of TOML that most likely settles it, if there is one.
    """

    column: str | None
    what: str
    then: str
    key: str = ""

    def __str__(self) -> str:
        subject = "" if self.column is None else f"column `{self.column}` "
        return f"{subject}{self.what}: {self.then.replace('%s', f'`{self.key}`')}"


def of_cells(name: str, cells: Sequence[Cell], kind: str) -> Iterator[Finding]:
    """Yield what the text of whole numbers tells that their values do not."""
    if kind != "integer":
        return
    counts = Counter(trimmed(cell) for cell in cells if cell is not None)
    if any(_CODE.fullmatch(cell) for cell in counts):
        yield Finding(
            name,
            "has whole numbers with zeros before them, as codes have, which are lost",
            'state %s, or "integer"',
            f'data.read.types.{key_of(name)} = "category"',
        )
    elif counts and all(_is_day(cell) for cell in counts):
        yield Finding(
            name,
            "has whole numbers that look like dates",
            'state %s, or the type "integer"',
            f'data.read.dates.{key_of(name)} = "%Y%m%d"',
        )


def _is_day(cell: str) -> bool:
    if not re.fullmatch(r"(19|20)[0-9]{6}", cell):
        return False
    try:
        datetime.strptime(cell, "%Y%m%d")
    except ValueError:
        return False
    return True


def of_column(column: Column, stated: bool = False) -> Iterator[Finding]:
    """Yield what is worth a look in the values of one column.

    Parameters
    ----------
    column : Series
        [N], missing values as NaN or None.
    stated : bool
        Whether the configuration states its type: then its numbers are no ids by mistake.
    """
    name, present = str(column.name), column.dropna()
    values = present.tolist()
    if present.empty:
        return
    if present.nunique() == 1 and len(present) == len(column):
        yield Finding(name, "has the same value in every row", "list it in `data.drop`")
    elif all(isinstance(value, str) for value in values):
        yield from _of_texts(name, Counter(values))
    elif pd.api.types.is_numeric_dtype(present) and not pd.api.types.is_bool_dtype(present):
        whole = bool((present % 1 == 0).all())
        many = len(column) >= _FEWEST_ROWS and present.nunique() >= _NEARLY_EVERY * len(column)
        if whole and many and not stated:
            yield Finding(
                name,
                "has a different whole number in nearly every row, as an id has",
                "list it in `data.drop` or name it as `data.row_id`; if it is a quantity, state "
                f'`data.read.types.{key_of(name)} = "integer"`',
            )
        yield from _of_placeholders(name, present)


def _of_texts(name: str, counts: Counter[str]) -> Iterator[Finding]:
    blank = sum(count for text, count in counts.items() if text != trimmed(text))
    if blank:
        yield Finding(
            name,
            f"has blanks at the ends of {blank:,} values",
            "state %s, which holds for files that are scored too",
            "data.read.trim = true",
        )
    words = [text for text in counts if _MISSING.fullmatch(trimmed(text))]
    if words:
        listed = ", ".join(f'"{trimmed(text)}"' for text in words[:_FEW])
        yield Finding(
            name,
            f"has {listed} as a value in {sum(counts[text] for text in words):,} rows",
            "if it means a missing value, state %s",
            f"data.read.missing = [{listed}]",
        )
    alike = defaultdict(list)
    for text in counts:
        alike[trimmed(text).casefold()].append(trimmed(text))
    pairs = sum(len({*spellings}) > 1 for spellings in alike.values())
    if pairs:
        yield Finding(
            name,
            f"has {pairs:,} values in spellings that differ in case only, which are different "
            "categories",
            "write each in one way in the source",
        )


def _of_placeholders(name: str, present: Column) -> Iterator[Finding]:
    counts = present.value_counts()
    others = counts.index.sort_values()
    if len(others) < _FEW:
        return
    for value, rest in ((others[0], others[1:]), (others[-1], others[:-1])):
        if counts[value] > 1 and _is_placeholder(
            float(value), float(rest.min()), float(rest.max())
        ):
            yield Finding(
                name,
                f"has {value:g} in {counts[value]:,} rows, far from its other numbers",
                "if it means a missing value, state %s, which holds for all columns",
                f'data.read.missing = ["{value:g}"]',
            )


def _is_placeholder(value: float, least: float, greatest: float) -> bool:
    if value == -1:
        return least >= 0 and greatest >= 10
    digits = f"{abs(value):g}"
    return {*digits} == {"9"} and len(digits) > 1 and abs(value) > 2 * max(abs(least), greatest)


def of_classes(target: Column) -> Iterator[Finding]:
    """Yield what is worth a look in the classes of a target; classes are no secret."""
    counts, name = target.value_counts(), str(target.name)
    few = max(_RARE_ROWS, int(_RARE_SHARE * len(target)))
    rare = [f"'{label}' in {count}" for label, count in counts.items() if count < few]
    if rare:
        more = f" and {len(rare) - _FEW} other classes" if len(rare) > _FEW else ""
        yield Finding(
            name,
            f"has rare classes: {', '.join(rare[:_FEW])}{more} of {len(target):,} rows",
            "little can be learnt of them and nothing measured: add rows, or join classes",
        )


def of_counts(target: Column, learning: str) -> Iterator[Finding]:
    """Yield whether whole numbers of a target, whose task is not stated, may be of another task."""
    values, name = target.nunique(), str(target.name)
    if values >= COUNTS:
        read = "values of a regression" if learning == "regression" else "classes"
        yield Finding(
            name,
            f"looks like counts: {values} different whole numbers, which are taken as {read}",
            'state `data.task = "regression"` or `data.task = "classification"`',
        )


def without(findings: Sequence[Finding], accepted: Collection[str]) -> tuple[Finding, ...]:
    """Return findings but those of columns that somebody has looked at."""
    return tuple(each for each in findings if each.column not in accepted)
