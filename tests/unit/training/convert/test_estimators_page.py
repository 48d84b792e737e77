"""docs/estimators.md says of every estimator of scikit-learn where it stands."""

from collections import Counter

import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.utils import all_estimators

from tests.benchmark.estimators import PAGE, counts, lists, measured, name_of, on_the_page, usable
from tests.support.releases import since
from training.convert import CONVERTERS, convert
from training.convert.unconverted import BY_NAME, UNCONVERTED, Unconverted
from training.errors import ConversionRefused

STALE = "write it again: python -m tests.benchmark.estimators NAME"
of_the_newest = since("1.9", "whose estimators the page lists")


def test_every_converter_has_its_line() -> None:
    lines, stopped = measured(PAGE.read_text())

    assert sorted([*lines, *stopped]) == sorted(map(name_of, on_the_page())), STALE


@of_the_newest
def test_every_estimator_is_converted_or_has_a_reason() -> None:
    converted = set(map(name_of, CONVERTERS))
    listed = Counter(name for group in UNCONVERTED for name in group.names)

    assert {name for name, count in listed.items() if count > 1} == set()
    assert {name for name, _ in all_estimators()} == (
        listed.keys() | {name for name, kind in all_estimators() if kind in CONVERTERS}
    )
    assert listed.keys() & converted == set()


@of_the_newest
def test_the_page_counts_each_estimator_once() -> None:
    text = PAGE.read_text()

    assert sum(counts().values()) == len(usable())
    assert text.endswith("\n".join([*lists(), ""])), STALE


@pytest.mark.parametrize("group", UNCONVERTED, ids=lambda group: group.names[0])
def test_a_refusal_says_why_and_what_to_do(group: Unconverted) -> None:
    assert group.reason
    assert group.remedy


def test_a_refused_estimator_is_named_with_its_module_its_reason_and_a_remedy() -> None:
    from sklearn.preprocessing import LabelBinarizer

    with pytest.raises(ConversionRefused) as refused:
        convert(LabelBinarizer().fit(["a", "b"]), [None])

    group = BY_NAME["LabelBinarizer"]
    assert str(refused.value) == (
        "pipeline: sklearn.preprocessing.LabelBinarizer has no exact conversion, because "
        f"{group.reason}: {group.remedy}"
    )


def test_a_subclass_is_refused_by_the_name_that_its_author_gave() -> None:
    class Mine(LogisticRegression):  # type: ignore[misc]  # scikit-learn ships no types
        pass

    with pytest.raises(ConversionRefused, match=r"test_estimators_page\..*Mine has no exact"):
        convert(Mine().fit([[0.0], [1.0]], [0, 1]), [None])
