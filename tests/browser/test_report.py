"""The monitor's report in a browser, opened as a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from functions.monitor.report import files
from functions.monitor.results import Results, Window
from tests.browser.conftest import AXE, Open
from tests.conftest import REPOSITORY
from tests.support.reporting import MARKUP, STOP, results

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


SCREENSHOTS = REPOSITORY / "build/screenshots"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
UNFOLD = "document.querySelectorAll('details').forEach(one => { one.open = true })"
SIZES = """
[...document.querySelectorAll('svg')].filter(one => one.checkVisibility()).map(one => {
  const width = one.getBoundingClientRect().width;
  const letters = parseFloat(getComputedStyle(one.querySelector('text')).fontSize);
  return [width, letters * width / one.viewBox.baseVal.width];
})"""
NAMES = ["alarm", "calm", "nothing"]


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("reports")
    empty = Results("credit", "7b02", STOP, Window("2026-11-22T09:00:00+00:00", STOP), "no_data")
    made = {"alarm": results(), "calm": results(shifted=False), "nothing": empty}
    return {name: _written(folder / f"{name}.html", one) for name, one in made.items()}


def _written(path: Path, one: Results) -> str:
    path.write_text(files.html(one), encoding="utf-8")
    return path.as_uri()


def violations(page: "Page") -> list[str]:
    page.evaluate(AXE.read_text())
    found = page.evaluate("tags => axe.run({runOnly: tags, resultTypes: ['violations']})", WCAG)
    return [
        f"{one['id']}: {node['html']} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_no_violation(
    open_page: Open, addresses: dict[str, str], name: str, scheme: str, width: int
) -> None:
    options: dict[str, Any] = {
        "color_scheme": scheme, "viewport": {"width": width, "height": 800},
    }  # fmt: skip
    page = open_page(addresses[name], **options)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"report-{name}-{scheme}-{width}.png", full_page=True)

    page.evaluate(UNFOLD)

    assert violations(page) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_phone_needs_no_scrolling_sideways(
    open_page: Open, addresses: dict[str, str], name: str
) -> None:
    page = open_page(addresses[name], viewport={"width": 360, "height": 740})

    page.evaluate(UNFOLD)

    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_colours_follow_the_system(
    open_page: Open, addresses: dict[str, str], scheme: str
) -> None:
    page = open_page(addresses["alarm"], color_scheme=scheme)

    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")

    [red, *_] = [int(part) for part in ground[4:-1].split(",")]
    assert (red > 128) == (scheme == "light")


def test_the_page_loads_nothing_and_runs_nothing(
    open_page: Open, addresses: dict[str, str]
) -> None:
    page = open_page(addresses["alarm"])
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))

    page.reload()
    page.wait_for_load_state("networkidle")

    assert [url for url in requested if not url.startswith(("file:", "data:"))] == []
    assert page.locator("script, img, iframe, form").count() == 0


def test_an_injected_script_would_not_run(browser: "Browser", addresses: dict[str, str]) -> None:
    path = Path(addresses["alarm"].removeprefix("file://"))
    hole = "<script>document.title = 'run'</script></body>"
    evil = path.with_name("evil.html")
    evil.write_text(path.read_text(encoding="utf-8").replace("</body>", hole), encoding="utf-8")
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))

    page.goto(evil.as_uri())

    title = page.title()
    page.close()
    assert title != "run"
    assert "Content Security Policy" in said[0]


def test_names_with_markup_are_text(open_page: Open, addresses: dict[str, str]) -> None:
    page = open_page(addresses["alarm"])

    assert MARKUP in page.locator("#changed-title ~ .grid-of-charts").first.inner_text()
    assert page.locator("main img, main script, main b b").count() == 0


def test_every_fold_and_table_is_reached_by_tab_and_opens_by_key(
    open_page: Open, addresses: dict[str, str]
) -> None:
    page = open_page(addresses["alarm"])
    count = page.locator("summary").count()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "SUMMARY":
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
            if not page.evaluate("document.activeElement.parentElement.open"):
                page.keyboard.press("Enter")

    assert count > 3
    assert page.locator("details[open]").count() == count
    assert page.locator(".scroll:not([tabindex='0'])").count() == 0


def test_charts_use_the_width_of_the_page(open_page: Open, addresses: dict[str, str]) -> None:
    page = open_page(addresses["alarm"], viewport={"width": 360, "height": 740})

    sizes = page.evaluate(SIZES)

    assert len(sizes) > 5
    assert all(280 < width < 360 and letters > 9 for width, letters in sizes)
