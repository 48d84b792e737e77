"""The report is one page that escapes all names, with the same content for programs."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields, replace
from html.parser import HTMLParser
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from functions.monitor.__main__ import HOST, make_server
from functions.monitor.report import files
from functions.monitor.report.prometheus import MEDIA_TYPE
from functions.monitor.results import Results, Window
from sklambda.policy.retraining import Signals
from tests.support.reporting import MARKUP, STOP, results

VOID = {"meta", "link", "circle", "line", "rect", "polygon", "polyline"}


class Elements(HTMLParser):
    """Parser that collects the elements, their attributes and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def read(page: str) -> Elements:
    parser = Elements()
    parser.feed(page)
    assert parser.open == []
    return parser


def no_data() -> Results:
    window = Window("2026-11-22T09:00:00+00:00", STOP)
    return Results("credit", "7b02", STOP, window, "no_data")


@pytest.fixture(scope="module")
def drifted() -> Results:
    return results()


@pytest.fixture(scope="module")
def page(drifted: Results) -> Elements:
    return read(files.html(drifted))


def test_the_page_loads_nothing(page: Elements) -> None:
    addresses = [
        attributes[name]
        for _, attributes in page.tags
        for name in ("src", "href", "action", "srcset", "data", "xlink:href")
        if name in attributes
    ]

    assert {"script", "img", "iframe", "form", "object"} & {tag for tag, _ in page.tags} == set()
    assert all(one is not None and one.startswith(("data:", "#")) for one in addresses)
    assert not any("style" in attributes for _, attributes in page.tags)


def test_names_with_markup_are_text(page: Elements) -> None:
    assert MARKUP in page.words
    assert "<script>alert(2)</script>" in page.words
    assert 'a "quoted" & <b>bold</b>' in page.words


def test_even_the_name_of_the_model_is_text(drifted: Results) -> None:
    name = "</title><script>alert(1)</script>"

    found = read(files.html(replace(drifted, model=name)))

    assert name in found.words
    assert "script" not in {tag for tag, _ in found.tags}


def test_no_two_elements_have_the_same_id(page: Elements) -> None:
    names = [attributes["id"] for _, attributes in page.tags if "id" in attributes]

    assert len(names) == len(set(names))


def test_labels_refer_to_ids_that_exist(page: Elements) -> None:
    names = {attributes.get("id") for _, attributes in page.tags}
    used = {
        one
        for _, attributes in page.tags
        for one in (attributes.get("aria-labelledby") or "").split()
    }

    assert used <= names


def test_plain_sentences_come_first(drifted: Results) -> None:
    text = files.html(drifted)

    assert text.index("3 of 7 features have changed") < text.index("<svg")


@pytest.mark.parametrize("make", [no_data, lambda: results(shifted=False)], ids=["none", "calm"])
def test_a_report_without_data_is_complete(make: Any) -> None:
    found = read(files.html(make()))

    assert "Summary" in found.words
    assert "nan" not in found.words.lower().split()


def test_json_has_the_members_of_the_results(drifted: Results) -> None:
    found = json.loads(files.json(drifted))

    assert set(found) == {one.name for one in fields(Results)} | {"headline", "summary"}
    assert found["window"]["rows"] == 1500
    [first, *_] = found["comparisons"][0]["findings"]["features"]
    assert first["name"] == drifted.comparisons[0].findings.features[0].name
    assert first["impact"] == drifted.comparisons[0].findings.features[0].impact


def test_json_has_no_nan(drifted: Results) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    found = json.loads(files.json(drifted), parse_constant=refuse)

    assert found["performance"][0]["estimated"]["roc_auc"] == {"value": None, "deviation": None}


def test_the_policy_reads_its_signals_from_it(drifted: Results) -> None:
    signals = Signals.of_report(json.loads(files.json(drifted)))

    assert signals.stop == STOP
    assert signals.labels == 412


def test_the_files_of_a_run(drifted: Results) -> None:
    found = files.files(drifted)

    name = f"reports/{drifted.model_id}/{STOP}"
    latest = {f"reports/latest.{kind}" for kind in ("html", "json", "prom")}
    assert set(found) == {f"{name}.html", f"{name}.json"} | latest
    assert found[f"{name}.html"] == found["reports/latest.html"]


def test_the_same_results_give_the_same_files(drifted: Results) -> None:
    assert files.files(drifted) == files.files(results())


@pytest.fixture
def records(tmp_path: Path) -> Path:
    (tmp_path / "reports").mkdir()
    return tmp_path


@pytest.fixture
def connection(records: Path) -> Iterator[HTTPConnection]:
    with make_server(records, 0) as service:
        thread = Thread(target=service.serve_forever, args=(0.01,))
        thread.start()
        client = HTTPConnection(HOST, service.server_port, timeout=10)
        yield client
        client.close()
        service.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("route", "media_type"),
    [("/", "text/html; charset=utf-8"), ("/report.json", "application/json"),
     ("/metrics", MEDIA_TYPE)],
)  # fmt: skip
def test_the_latest_report_is_served(
    connection: HTTPConnection, records: Path, drifted: Results, route: str, media_type: str
) -> None:
    for key, content in files.files(drifted).items():
        (records / key).parent.mkdir(exist_ok=True)
        (records / key).write_bytes(content)

    connection.request("GET", route)
    answer = connection.getresponse()

    suffix = {"/": "html", "/report.json": "json", "/metrics": "prom"}[route]
    assert (answer.status, answer.headers["content-type"]) == (200, media_type)
    assert answer.read() == (records / f"reports/latest.{suffix}").read_bytes()
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(("route", "status"), [("/metrics", 503), ("/../etc/passwd", 404)])
def test_nothing_else_is_served(connection: HTTPConnection, route: str, status: int) -> None:
    connection.request("GET", route)
    answer = connection.getresponse()
    answer.read()

    assert answer.status == status


def test_the_policy_in_the_page_admits_its_style(drifted: Results) -> None:
    text = files.html(drifted)

    assert len(re.findall(r"<style>", text)) == 1
    assert "style-src &#x27;sha256-" in text
    assert "unsafe" not in text
