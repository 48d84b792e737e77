"""Writes docs/refusals.md: what a conversion refuses, and what to do, read from the sources.

Usage: python -m tests.support.refusals
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.conftest import REPOSITORY
from training.convert.unconverted import UNCONVERTED

PAGE: Final = REPOSITORY / "docs/refusals.md"
ROOMS: Final = ("training/convert/families", "training/convert/graph", "training/networks")
REFUSING: Final = ("refuse", "_refuse", "ConversionRefused")

_HEAD: Final = """\
# Refusals

A pipeline is exported exactly or not at all. A refusal names the step, the class or the parameter,
why, and what to do instead; of several steps all are named at once. `sklambda check` says in
seconds what would be refused. This page is written by `python -m tests.support.refusals` from the
sources: "…" stands for a name or a value.

## Estimators of scikit-learn without a conversion

| estimator | why | instead |
|---|---|---|
"""
_MIDDLE: Final = """
## Your own code

Functions in `FunctionTransformer` and transformer classes are followed into the graph
([Training](training.md)). Refused, at the line that does it, is code that looks at other rows
(means, ranks, `groupby`, `get_dummies`: learn them in `fit`), draws random numbers, reads a clock
or a file, picks rows, or hands values to a library that cannot be followed. `sklambda.features` has
[ready-made transformers](features.md) for the usual steps.

## Parameters, and what a fitted estimator holds

A parameter with a value that has no conversion is refused with the values that have one.

| refusal | instead |
|---|---|
"""


@dataclass(frozen=True, order=True)
class Refusal:
    """A refusal as the sources write it, with "…" for what is filled in.

    Attributes
    ----------
    what, remedy : str
        What is refused and why; what to do about it, empty where the sentence does not say.
    place : str
        Its file and line.
    """

    what: str
    remedy: str
    place: str = ""


def refusals() -> list[Refusal]:
    """Return the refusals of conversions whose sentence stands in the sources."""
    paths = [path for room in ROOMS for path in sorted((REPOSITORY / room).glob("*.py"))]
    return sorted(refusal for path in paths for refusal in _of(path))


def page() -> str:
    """Return the page."""
    unconverted = [
        f"| {', '.join(f'`{name}`' for name in group.names)} | {group.reason} | {group.remedy} |"
        for group in UNCONVERTED
    ]
    rest = sorted({f"| {_cell(one.what)} | {_cell(one.remedy)} |" for one in refusals()})
    return "\n".join([_HEAD + "\n".join(unconverted), _MIDDLE + "\n".join(rest), ""])


def _of(path: Path) -> Iterator[Refusal]:
    for call in ast.walk(ast.parse(path.read_text())):
        if not isinstance(call, ast.Call) or not call.args:
            continue
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        sentence = _text(call.args[-1]) if name in REFUSING else ""
        if re.search(r"[a-z]{3}", sentence):
            what, _, remedy = sentence.rpartition(": ")
            place = f"{path.relative_to(REPOSITORY)}:{call.lineno}"
            yield Refusal(what, remedy, place) if what else Refusal(sentence, "", place)


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(map(_text, node.values))
    return "…"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    PAGE.write_text(page())
