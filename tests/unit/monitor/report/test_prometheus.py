"""Metrics are read back as Prometheus reads them, and the dashboard asks for them alone."""

import json
import re
from dataclasses import replace
from math import inf, nan
from typing import Any

import pytest

from functions.monitor.alarms.traffic import Traffic
from functions.monitor.report import prometheus
from functions.monitor.results import Results
from functions.monitor.statistics.intervals import Interval
from tests.conftest import REPOSITORY
from tests.support.reporting import MARKUP, results

SAMPLE = re.compile(r'(sklambda_[a-z0-9_]+)\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)+)\} (\S+)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\[\\"n])*)"')
DASHBOARD = REPOSITORY / "dashboards/grafana.json"

type Samples = dict[str, list[tuple[dict[str, str], float]]]


def read(text: str) -> Samples:
    """Read the text as the format's grammar has it; a family is announced before its samples."""
    found: Samples = {}
    announced = ""
    for line in text.splitlines():
        if line.startswith("# HELP "):
            announced = line.split(" ")[2]
            assert announced not in found
            found[announced] = []
        elif line.startswith("# TYPE "):
            assert line == f"# TYPE {announced} gauge"
        else:
            match = SAMPLE.fullmatch(line)
            assert match, line
            assert match[1] == announced
            labels = {name: unescaped(value) for name, value in LABEL.findall(match[2])}
            found[announced].append((labels, float(match[3])))
    return found


def unescaped(value: str) -> str:
    return re.sub(r"\\(.)", lambda match: {"n": "\n"}.get(match[1], match[1]), value)


@pytest.fixture(scope="module")
def drifted() -> Results:
    return results()


@pytest.fixture(scope="module")
def samples(drifted: Results) -> Samples:
    return read(prometheus.text(drifted))


def test_the_text_ends_with_a_line_feed(drifted: Results) -> None:
    assert prometheus.text(drifted).endswith("\n")


def test_every_metric_is_written_once_its_figures_are_known(samples: Samples) -> None:
    assert set(samples) == {f"sklambda_{name}" for name in prometheus.HELP}
    assert all(samples.values())


def test_no_two_samples_have_the_same_labels(samples: Samples) -> None:
    for group in samples.values():
        named = [tuple(sorted(labels.items())) for labels, _ in group]
        assert len(named) == len(set(named))


def test_each_sample_names_its_model(samples: Samples) -> None:
    assert {labels["model"] for group in samples.values() for labels, _ in group} == {"credit"}


def test_exactly_one_state_holds(samples: Samples) -> None:
    states = {labels["state"]: value for labels, value in samples["sklambda_state"]}

    assert states == {"no_data": 0, "insufficient_data": 0, "stable": 0, "changed": 1}


def test_effects_are_those_of_the_verdicts(drifted: Results, samples: Samples) -> None:
    found = {(one["column"], one["check"]): value for one, value in samples["sklambda_effect"]}

    for verdict in drifted.comparisons[0].findings.features:
        assert found[verdict.name, verdict.check] == verdict.effect


def test_undefined_values_are_left_out(samples: Samples) -> None:
    estimated = {
        labels["metric"]
        for labels, _ in samples["sklambda_performance"]
        if labels["source"] == "estimated"
    }

    assert estimated == {"accuracy"}


def test_without_traffic_there_are_no_samples_of_it() -> None:
    found = read(prometheus.text(results(shifted=False)))

    assert not {name for name in found if "request" in name}


def test_labels_with_markup_stay_labels(drifted: Results) -> None:
    model = f'a"}} 1\nsklambda_evil{{x="\\ {MARKUP}'

    found = read(prometheus.text(replace(drifted, model=model)))

    assert {labels["model"] for group in found.values() for labels, _ in group} == {model}


@pytest.mark.parametrize(
    ("value", "written"), [(inf, inf), (3.0, 3), (1e-7, 1e-7), (2.0**60, 2**60)]
)
def test_numbers_are_written_in_full(drifted: Results, value: float, written: float) -> None:
    found = read(prometheus.text(replace(drifted, traffic=Traffic(minutes_since=value / 60))))

    [(_, seconds)] = found["sklambda_prediction_age_seconds"]
    assert seconds == pytest.approx(value)


def test_a_run_without_data_is_written(drifted: Results) -> None:
    empty = Results(drifted.model, drifted.model_id, drifted.made, drifted.window, "no_data")

    found = read(prometheus.text(empty))

    assert "sklambda_effect" not in found
    assert "sklambda_predictions" in found


def test_an_interval_without_a_value_is_left_out(drifted: Results) -> None:
    [one] = drifted.performance
    unknown = replace(one, realised={"accuracy": Interval(nan, nan, nan, 0.0)})

    found = read(prometheus.text(replace(drifted, performance=[unknown])))

    sources = {labels["source"] for labels, _ in found["sklambda_performance"]}
    assert sources == {"training", "estimated"}


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def queries() -> list[str]:
    dashboard = json.loads(DASHBOARD.read_text())
    queries = [target["expr"] for panel in panels() for target in panel["targets"]]
    return queries + [
        variable["query"]["query"]
        for variable in dashboard["templating"]["list"]
        if variable["type"] == "query"
    ]


@pytest.mark.parametrize("query", queries())
def test_the_dashboard_queries_metrics_that_exist(samples: Samples, query: str) -> None:
    names = re.findall(r"sklambda_\w+", query)

    assert names
    for name in names:
        assert name in samples
    known = {label for name in names for labels, _ in samples[name] for label in labels}
    selected = {label for inner in re.findall(r"\{(.*?)\}", query) for label, _ in _matchers(inner)}
    assert selected <= known


def _matchers(inner: str) -> list[tuple[str, str]]:
    return re.findall(r'(\w+)(?:=~|!~|!=|=)"([^"]*)"', inner)


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])
def test_the_legend_of_a_panel_names_labels_that_exist(
    samples: Samples, panel: dict[str, Any]
) -> None:
    for target in panel["targets"]:
        [name, *_] = re.findall(r"sklambda_\w+", target["expr"])
        known = {label for labels, _ in samples[name] for label in labels}
        assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= known


def test_the_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    cells = [
        (x, y)
        for panel in panels()
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len({panel["id"] for panel in panels()}) == len(panels())
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


def test_the_dashboard_is_bound_to_no_data_source_of_its_author() -> None:
    dashboard = json.loads(DASHBOARD.read_text())

    sources = {panel["datasource"]["uid"] for panel in panels()}
    assert sources == {"${datasource}"}
    assert dashboard["id"] is None
    assert dashboard["schemaVersion"] >= 36
