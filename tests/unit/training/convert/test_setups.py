"""The set-ups of the comparison with the standard converter, and how their answers are compared."""

import numpy as np
import pytest

from tests.benchmark.bench_setups import (
    KINDS,
    Answers,
    Outcome,
    compared,
    scikit_learn,
    skl2onnx,
    sklambda,
    tables,
)
from tests.benchmark.setups.setup import SETUPS
from tests.conftest import REPOSITORY

QUICK = [
    "customers: one-hot, the first level dropped; logistic regression",
    "houses: imputed, scaled, one-hot; ridge",
    "flowers: scaled; nearest neighbours by distance",
]


@pytest.mark.parametrize("title", QUICK)
def test_a_set_up_is_exact_here_on_rows_that_it_has_not_seen(title: str) -> None:
    fitted = SETUPS[title]()

    assert sklambda(fitted, scikit_learn(fitted)) == Outcome("exact")


@pytest.mark.parametrize("title", QUICK)
def test_the_standard_converter_has_its_outcome(title: str) -> None:
    fitted = SETUPS[title]()

    assert skl2onnx(fitted, scikit_learn(fitted)).kind in ("exact", "wrong")


SCORES, LABELS = np.array([[0.25, 0.75], [0.5, 0.5]]), np.array([["yes"], ["no"]], dtype=object)


@pytest.mark.parametrize(
    ("scores", "labels", "outcome"),
    [
        (SCORES + 9e-6, LABELS, "exact"),
        (SCORES + 2e-5, LABELS, "wrong: scores of 2 of 2 rows by up to 2e-05"),
        (SCORES * [[1], [np.nan]], LABELS, "wrong: scores of 1 of 2 rows by up to nan"),
        (SCORES, LABELS[::-1], "wrong: labels of 2 of 2 rows"),
        (SCORES[:, :1], LABELS, "wrong: other scores than scikit-learn's"),
    ],
    ids=["near", "far", "none", "labels", "shape"],
)
def test_answers_are_compared_by_scores_and_labels(
    scores: "np.typing.NDArray[np.float64]", labels: "np.typing.NDArray[np.object_]", outcome: str
) -> None:
    assert str(compared(Answers(SCORES, LABELS), Answers(scores, labels))) == outcome


def test_the_tables_count_both_sides_and_list_what_differs() -> None:
    ours = {"a": Outcome("exact"), "b": Outcome("exact")}
    stock = {"a": Outcome("exact"), "b": Outcome("wrong", "labels")}

    written = [*tables(ours, stock)]

    assert written[0] == "| 2 set-ups | " + " | ".join(KINDS) + " |"
    assert written[2:4] == ["| sklambda | 2 | 0 | 0 | 0 | 0 |", "| skl2onnx | 1 | 1 | 0 | 0 | 0 |"]
    assert written[-1] == "| b | exact | wrong: labels |"


def test_the_document_counts_all_set_ups() -> None:
    page = (REPOSITORY / "docs/benchmarks.md").read_text()

    assert f"| {len(SETUPS)} set-ups |" in page, "write it: python -m tests.benchmark.bench_setups"
