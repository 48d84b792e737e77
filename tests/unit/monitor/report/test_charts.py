"""Charts show the counts, and describe them for screen readers."""

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from functions.monitor.drift.histograms import (
    MAX_BARS,
    OTHERS,
    UNSEEN,
    HistogramPair,
    histogram_pairs,
)
from functions.monitor.performance.history import HistoryPoint
from functions.monitor.report import charts
from functions.monitor.report.charts import WIDTH, ticks
from functions.monitor.statistics.intervals import Interval
from sklambda.manifest import MetricInterval
from sklambda.signature import UNSEEN as CODE
from tests.support.drifting import SIGNATURE as WIDE
from tests.support.drifting import matrix
from tests.support.drifting import reference as wide_reference
from tests.support.drifting import sketch as wide_sketch
from tests.support.reporting import MARKUP, PURPOSES, SIGNATURE, reference, rows, sketch

BASE = reference()
HOUR = "2026-11-22T{:02d}:00:00+00:00"


def drawn(markup: str) -> ElementTree.Element:
    """Parse a chart, and check what holds for each."""
    svg = ElementTree.fromstring(markup)
    title, description = svg[0], svg[1]
    assert (title.tag, description.tag) == ("title", "desc")
    assert svg.get("role") == "img"
    assert svg.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert "nan" not in markup.lower()
    assert "style=" not in markup
    return svg


def of(found: list[HistogramPair], name: str) -> HistogramPair:
    [pair] = [one for one in found if one.name == name]
    return pair


@pytest.fixture(scope="module")
def found() -> list[HistogramPair]:
    return histogram_pairs(SIGNATURE, BASE, sketch(BASE, rows(1500, 1, shifted=True)))


def test_each_feature_and_score_has_histograms(found: list[HistogramPair]) -> None:
    assert [one.name for one in found] == [*SIGNATURE.names, "bad"]


def test_shares_add_up_to_one(found: list[HistogramPair]) -> None:
    for pair in found:
        assert sum(pair.before) == pytest.approx(1)
        assert sum(pair.after) == pytest.approx(1)


def test_bars_of_numbers_contain_the_values_between_their_edges(found: list[HistogramPair]) -> None:
    X, pair = rows(4000, 0), of(found, "credit_amount")
    inside = np.clip(X[:, 1], pair.edges[0], pair.edges[-1])
    counted, _ = np.histogram(inside, pair.edges)

    assert len(pair.before) == MAX_BARS
    assert pair.before == pytest.approx(counted / len(X), abs=0.02)


def test_bars_of_categories_are_their_shares(found: list[HistogramPair]) -> None:
    pair = of(found, "purpose")
    X = rows(1500, 1, shifted=True)

    for name, share in zip(pair.labels, pair.after, strict=True):
        assert share == np.mean(X[:, 3] == PURPOSES.index(name))


def test_unseen_categories_have_a_bar() -> None:
    X = rows(100, 1)
    X[:20, 3] = CODE

    pair = of(histogram_pairs(SIGNATURE, BASE, sketch(BASE, X)), "purpose")

    assert pair.labels[-1] == UNSEEN
    assert pair.after[-1] == pytest.approx(0.2)


def test_rare_categories_are_one_bar() -> None:
    base = wide_reference(2000)

    pair = of(histogram_pairs(WIDE, base, wide_sketch(base, matrix(500, 3))), "c9")

    assert len(pair.labels) == MAX_BARS + 1
    assert pair.labels[-1] == OTHERS


def test_an_empty_window_has_no_picture() -> None:
    assert histogram_pairs(SIGNATURE, BASE, sketch(BASE, rows(0, 1))) == []


def test_every_picture_can_be_drawn(found: list[HistogramPair]) -> None:
    for place, pair in enumerate(found):
        drawn(charts.distribution(pair, f"p{place}"))


def test_a_name_that_would_like_to_be_markup_is_text(found: list[HistogramPair]) -> None:
    svg = drawn(charts.distribution(of(found, "purpose"), "key"))

    texts = [one.text for one in svg.iter("text")]
    assert MARKUP in texts
    assert not list(svg.iter("img"))


def test_few_bars_show_the_greatest_changes_and_the_rest() -> None:
    shares = tuple([0.05] * 20)
    moved = tuple([0.05] * 18 + [0.0, 0.1])
    pair = HistogramPair("x", "feature", tuple(f"v{k}" for k in range(20)), (), shares, moved)

    texts = [one.text for one in drawn(charts.distribution(pair, "k")).iter("text")]

    assert {"v18", "v19", OTHERS} <= set(texts)
    assert len(texts) == 2 * 9


@pytest.mark.parametrize("count", [1, 2, 24])
def test_history_of_any_length_is_drawn(count: int) -> None:
    history = [
        HistoryPoint(
            HOUR.format(hour),
            rows=hour * 10,
            scores={"Yes": (0.1, 0.3, 0.8)},
            realised={"accuracy": Interval(0.8, 0.7, 0.9, 50)},
            estimated={"accuracy": Interval(0.79, 0.78, 0.8, 0)},
        )
        for hour in range(count)
    ]
    trained = MetricInterval(value=0.81, low=0.8, high=0.82)

    for pair in (
        charts.scores_over_time(history, "Yes", "s"),
        charts.volume_over_time(history, "v"),
        charts.performance_over_time(history, "accuracy", trained, "p"),
    ):
        drawn(pair)


def test_gaps_in_the_history_are_left_out() -> None:
    nothing = Interval(float("nan"), float("nan"), float("nan"), 0)
    known = Interval(0.8, 0.7, 0.9, 50)
    history = [
        HistoryPoint(HOUR.format(0), 0),
        HistoryPoint(HOUR.format(1), 5, realised={"accuracy": nothing}),
        HistoryPoint(HOUR.format(2), 5, realised={"accuracy": known}),
    ]

    svg = drawn(charts.performance_over_time(history, "accuracy", None, "p"))

    assert len(list(svg.iter("circle"))) == 1


def test_a_metric_without_any_figure_is_drawn_empty() -> None:
    nothing = Interval(float("nan"), float("nan"), float("nan"), 0)
    history = [HistoryPoint(HOUR.format(0), 5, realised={"accuracy": nothing})]

    drawn(charts.performance_over_time(history, "accuracy", None, "p"))


def test_rates_stay_in_their_picture() -> None:
    nothing = Interval(float("nan"), float("nan"), float("nan"), 0)
    svg = drawn(charts.rates({"a": Interval(1, 0.9, 1, 9), "b": nothing}, "Selection rate", "r"))

    places = [float(one.get("x2", 0)) for one in svg.iter("line")]
    assert max(places) <= WIDTH


@pytest.mark.parametrize("span", [(0.0, 1.0), (-3.2, 4.9), (0.0, 1e-9), (1e6, 1.1e6)])
def test_marks_are_round_and_within(span: tuple[float, float]) -> None:
    marks = ticks(span)

    assert 2 <= len(marks) <= 6
    assert span[0] - 1e-12 <= marks[0] < marks[-1] <= span[1] * (1 + 1e-12)


def test_a_constant_is_drawn(found: list[HistogramPair]) -> None:
    flat = replace(found[0], edges=(1.0, 2.0), before=(1.0,), after=(1.0,))

    drawn(charts.distribution(flat, "k"))
