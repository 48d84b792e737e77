"""Every package that is reported as written opens and replays, whatever the table and the model."""

import warnings
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from tests.support import kinds
from tests.support.exporting import Ending, ending, targets_of
from tests.support.families import FAMILIES, fitted

LARGE: Final = ("500 columns", "5,000 rows")
"""Tables that take longer than all others together."""

REFUSED: Final = {
    ("30 columns", "neighbours"): "algorithm='kd_tree'",
    ("2 rows", "neighbours"): "algorithm='kd_tree'",
    ("2 rows", "support vectors"): "SVC has an intercept of exactly 0",
    ("a category of 2,000 levels", "neighbours"): "algorithm='kd_tree'",
    ("texts", "neighbours"): "algorithm='kd_tree'",
    **dict.fromkeys((("huge numbers", family) for family in FAMILIES), "column 'huge'"),
}
"""What is refused, and what the sentence names: a choice that the graph cannot follow, or numbers
whose sums float64 cannot hold."""


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_published_can_be_served(family: str, tmp_path: Path) -> None:
    found = {
        kind: one
        for place, kind in enumerate(kinds.TABLES)
        if kind not in LARGE and (one := exported(kind, family, tmp_path / str(place))) is not None
    }

    dead = {kind: one.reason for kind, one in found.items() if one.end == "dead"}
    refused = {(kind, family): one.reason for kind, one in found.items() if one.end == "refused"}
    assert dead == {}
    assert {place for place in refused if REFUSED.get(place, "\n") not in refused[place]} == set()
    assert Counter(one.end for one in found.values())["served"] >= 40


def exported(kind: str, family: str, out: Path) -> Ending | None:
    """Return how an export of a kind of table ends; None where scikit-learn does not fit it."""
    table = kinds.table(kind, seed=8, rows=60)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            pipeline = fitted(family, table)
        except (TypeError, ValueError):
            return None
    return ending(pipeline, table.frame, out, targets_of(table))
