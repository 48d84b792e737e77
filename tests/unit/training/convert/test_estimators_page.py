"""docs/estimators.md lists every converter, and every estimator without one."""

import re

import pytest

from tests.benchmark.estimators import PAGE, name_of, refused
from training.convert import CONVERTERS

STALE = "write it again: python -m tests.benchmark.estimators"


@pytest.fixture(scope="module")
def parts() -> tuple[str, str]:
    listed, _, without = PAGE.read_text().partition("## Refused by name")
    return listed, without


def test_every_converter_has_its_line(parts: tuple[str, str]) -> None:
    names = re.findall(r"^\| ([\w.]+) \| (?!rows|reason)[^-]", parts[0], re.MULTILINE)

    assert sorted(names) == sorted(map(name_of, CONVERTERS)), STALE


def test_everything_else_is_named_as_refused(parts: tuple[str, str]) -> None:
    cells = re.findall(r"^\| .+ \| (.+) \|$", parts[1], re.MULTILINE)
    names = [name for cell in cells[1:] for name in cell.split(", ")]

    assert sorted(names) == refused(), STALE
