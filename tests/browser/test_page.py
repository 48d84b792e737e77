"""The page in a real browser: what a person does with it, and what it may never do."""

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sklambda.predictor import Predictor
from tests.browser import odd_model
from tests.browser.conftest import AXE, Open
from tests.conftest import REPOSITORY, Trained

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 800}
SCREENSHOTS = REPOSITORY / "build/screenshots"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

UNCOVERED = """(() => {
  const control = document.activeElement, box = control.getBoundingClientRect();
  const down = Math.min(8, box.height / 2);
  const seen = document.elementFromPoint(box.x + box.width / 2, box.y + down);
  return control === seen || control.contains(seen);
})()"""


def predict(page: "Page") -> None:
    page.get_by_role("button", name="Predict").click()
    page.locator("#details dl, #problem .stop, [aria-invalid]").first.wait_for()


def response(page: "Page") -> dict[str, Any]:
    """Return the response that the page has received."""
    answer: dict[str, Any] = json.loads(page.locator("#details pre").text_content() or "")
    return answer


def bars(page: "Page", name: str) -> "Locator":
    return page.locator(f"#details .{name} li")


def violations(page: "Page") -> list[str]:
    page.evaluate(AXE.read_text())  # in the page's world, where its policy does not reach
    found = page.evaluate(
        "tags => axe.run({runOnly: tags, resultTypes: ['violations', 'incomplete']})", WCAG
    )
    return [
        f"{one['id']}: {node['html']} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def test_the_example_gets_the_predictors_answer(
    open_page: Open, churn_address: str, churn: Trained
) -> None:
    page = open_page(churn_address)

    predict(page)

    predictor = Predictor.open(churn.package)
    [expected] = predictor.predict([predictor.package.signature.example])
    [found] = response(page)["predictions"]
    assert expected.probabilities is not None
    assert (found["label"], found["score"]) == (expected.label, expected.score)
    assert page.locator("#headline .label").inner_text() == expected.label
    assert [bar.split("\n") for bar in bars(page, "bars").all_inner_texts()] == [
        [name, f"{share * 100:.1f}\N{NO-BREAK SPACE}%"]
        for name, share in expected.probabilities.items()
    ]


def test_what_is_filled_in_is_what_is_scored(
    open_page: Open, churn_address: str, churn: Trained
) -> None:
    page = open_page(churn_address)
    page.get_by_label("tenure", exact=True).fill("3")
    page.get_by_label("Contract", exact=True).select_option(label="Two year")
    page.get_by_label("MonthlyCharges", exact=True).fill("99.85")
    page.get_by_label("missing TotalCharges").check()

    predict(page)

    predictor = Predictor.open(churn.package)
    row = predictor.package.signature.example | {
        "tenure": 3, "Contract": "Two year", "MonthlyCharges": 99.85, "TotalCharges": None,
    }  # fmt: skip
    [expected] = predictor.predict([row])
    assert response(page)["predictions"][0]["score"] == expected.score
    assert page.locator(".notes").inner_text() == "TotalCharges is missing"


def test_another_category_can_be_typed_and_is_warned_of(
    open_page: Open, churn_address: str
) -> None:
    page = open_page(churn_address)
    page.get_by_label("Contract", exact=True).select_option("other")
    page.get_by_label("Contract: another value").fill("Ten years")

    predict(page)

    assert page.locator(".notes").inner_text() == "Contract was not seen in training"


def test_the_explanation_is_a_chart_of_all_features(
    open_page: Open, churn_address: str, churn: Trained
) -> None:
    page = open_page(churn_address)

    predict(page)

    [explanation] = response(page)["predictions"][0]["explanations"]
    contributions = explanation["contributions"]
    order = sorted(contributions, key=lambda name: -abs(contributions[name]))
    names = page.locator("#details .reasons .who > bdi").all_text_contents()
    assert names == order
    assert len(names) == churn.frame.shape[1]
    assert page.locator("#details .reasons .fill").first.bounding_box()["width"] > 50  # type: ignore[index]


def test_without_the_mark_nothing_is_explained(open_page: Open, churn_address: str) -> None:
    page = open_page(churn_address)
    page.get_by_label("Explain").uncheck()

    predict(page)

    assert "explanations" not in response(page)["predictions"][0]
    assert bars(page, "reasons").count() == 0


def test_the_keyboard_alone_is_enough(open_page: Open, churn_address: str) -> None:
    page = open_page(churn_address)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the prediction"
    while page.evaluate("document.activeElement.closest('[data-key]')?.dataset.key") != '"tenure"':
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("12")

    page.keyboard.press("Enter")

    page.locator("#details dl").wait_for()
    assert '"tenure": 12' in page.locator("#curl").inner_text()
    assert page.evaluate("document.activeElement.value") == "12"


def test_every_control_is_reached_by_tab_and_seen(open_page: Open, odd_address: str) -> None:
    page = open_page(odd_address, viewport=PHONE)
    predict(page)
    controls = page.evaluate(
        "[...document.querySelectorAll('a, button, input, select, textarea, pre, summary')]"
        ".filter(one => one.checkVisibility()).map(one => one.outerHTML)"
    )
    page.evaluate("document.activeElement.blur()")

    reached = {}
    for _ in range(3 * len(controls)):  # a date is several stops
        page.keyboard.press("Tab")
        reached[page.evaluate("document.activeElement.outerHTML")] = page.evaluate(UNCOVERED)

    assert [one for one in controls if one not in reached] == []
    assert [one for one in controls if not reached[one]] == []


def test_what_is_not_filled_in_is_said_beside_it(open_page: Open, odd_address: str) -> None:
    page = open_page(odd_address)
    field = page.locator("[data-kind=integer] [data-value]")
    field.fill("")

    predict(page)

    assert page.locator("[aria-invalid=true]").count() == 1
    assert page.locator("[data-kind=integer] .fault").inner_text() == "A value is required."
    assert field.evaluate("one => one === document.activeElement")


def test_a_fault_that_the_service_finds_stands_beside_its_input(
    open_page: Open, odd_address: str
) -> None:
    page = open_page(odd_address)
    field = page.locator("[data-kind=integer] [data-value]")
    field.fill("1.5")

    predict(page)

    page.locator("#problem .stop").wait_for()
    fault = page.locator("[data-kind=integer] .fault")
    assert "whole number" in fault.inner_text().lower() or "integer" in fault.inner_text().lower()
    assert field.get_attribute("aria-invalid") == "true"
    assert (fault.get_attribute("id") or "-") in (field.get_attribute("aria-describedby") or "")
    assert field.evaluate("one => one === document.activeElement")
    assert page.locator("#problem li").count() == 0


def test_names_that_would_like_to_be_markup_are_text(open_page: Open, odd_address: str) -> None:
    page = open_page(odd_address)

    with page.expect_request("**/predict*") as sent:
        predict(page)

    assert page.title() == "Predictions"
    assert page.locator("img, main script, main style, main b, main i").count() == 0
    [row] = json.loads(sent.value.post_data or "")["instances"]
    assert list(row) == list(odd_model.odd_frame().columns)
    assert set(bars(page, "bars").locator("bdi").all_inner_texts()) == set(odd_model.CLASSES)


@pytest.mark.parametrize("colour", odd_model.COLOURS)
def test_an_odd_category_arrives_as_it_is(open_page: Open, odd_address: str, colour: str) -> None:
    page = open_page(odd_address)
    chosen = json.dumps(colour)
    page.locator("[data-kind=category] select").first.select_option(chosen)

    with page.expect_request("**/predict*") as sent:
        predict(page)

    assert json.loads(sent.value.post_data or "")["instances"][0][odd_model.OPEN] == colour
    assert page.locator(".notes").count() == 0


def test_the_copied_command_gets_the_same_answer(open_page: Open, odd_address: str) -> None:
    page = open_page(odd_address, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy as curl").click()
    page.get_by_role("button", name="Copied").wait_for()

    command = page.evaluate("navigator.clipboard.readText()")

    run = subprocess.run(
        ["bash", "-c", f"{command} --silent"], capture_output=True, text=True, check=True
    )
    predict(page)
    found, expected = json.loads(run.stdout), response(page)
    for answer in (found, expected):
        del answer["predictions"][0]["prediction_id"]
    assert found == expected


SHAPES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a value": ({"values": {"<b>price": -1234567.5}}, ["<b>price", "\N{MINUS SIGN}1234570"]),
    "not finite": ({"values": {"price": None}}, ["price", "not finite"]),
    "a decision": ({"label": "<i>x", "score": -0.25}, ["<i>x", "Score \N{MINUS SIGN}0.25"]),
    "a cluster": ({"label": 3}, ["3"]),
    "an empty label": ({"label": ""}, ['""']),
    "a boolean": (
        {"label": True, "score": 0.7, "probabilities": {"False": 0.3, "True": 0.7}},
        ["true", "Probability 70.0\N{NO-BREAK SPACE}%"],
    ),
    "targets": (
        {"targets": {"a": {"label": 1}, "b": {"label": "y", "score": 2.0}}},
        ["a", "1", "b", "y", "Score 2"],
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_of_an_answer_is_shown(open_page: Open, churn_address: str, shape: str) -> None:
    members, expected = SHAPES[shape]
    page = open_page(churn_address)
    body = json.dumps({"model": {"name": "m", "id": "i"}, "predictions": [members]})
    page.route("**/predict*", lambda route: route.fulfill(body=body))

    predict(page)

    assert page.locator("#headline p").all_inner_texts() == expected


def test_the_key_goes_into_the_header_and_nowhere_else(open_page: Open, churn_address: str) -> None:
    page = open_page(churn_address)
    page.get_by_label("API key").fill("secret-4711")

    with page.expect_request("**/predict*") as sent:
        predict(page)

    assert sent.value.headers["x-api-key"] == "secret-4711"
    assert "$API_KEY" in page.locator("#curl").inner_text()
    assert "secret" not in page.content() + page.url
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert page.context.cookies() == []
    page.reload()
    assert page.get_by_label("API key").input_value() == ""


def test_a_refusal_for_want_of_a_key_leads_to_its_place(
    open_page: Open, churn_address: str
) -> None:
    page = open_page(churn_address)
    body = json.dumps({"type": "about:blank", "title": "Forbidden", "error": "Forbidden"})
    page.route("**/predict*", lambda route: route.fulfill(status=403, body=body))

    predict(page)

    assert "Forbidden" in page.locator("#problem").inner_text()
    assert page.get_by_label("API key").evaluate("one => one === document.activeElement")


def test_a_failed_response_is_reported(open_page: Open, churn_address: str) -> None:
    page = open_page(churn_address)
    page.route("**/predict*", lambda route: route.fulfill(status=504, body="<h1>Timeout</h1>"))

    predict(page)

    assert page.locator("#problem").inner_text() == "The service returned 504."


@pytest.mark.parametrize("place", ["v1", "v1/"])
def test_it_works_behind_a_stage(open_page: Open, churn_address: str, place: str) -> None:
    page = open_page(churn_address + place)

    with page.expect_request("**/predict*") as sent:
        predict(page)
    page.get_by_role("link", name="API reference").click()

    assert sent.value.url == f"{churn_address}v1/predict?explain=true"
    assert page.url == f"{churn_address}v1/docs"
    page.get_by_role("link", name="OpenAPI document").click()
    assert page.url == f"{churn_address}v1/openapi.json"


def test_no_request_leaves_the_origin(open_page: Open, odd_address: str) -> None:
    page = open_page(odd_address)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))

    page.reload()
    predict(page)
    page.goto(f"{odd_address}docs")
    page.wait_for_load_state("networkidle")

    others = [url for url in requests if not url.startswith((odd_address, "data:"))]
    assert others == []
    assert f"{odd_address}docs" in requests


@pytest.mark.parametrize("place", ["", "docs"])
def test_a_phone_needs_no_scrolling_sideways(open_page: Open, odd_address: str, place: str) -> None:
    page = open_page(odd_address + place, viewport=PHONE)
    if not place:
        predict(page)
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")

    width = page.evaluate("document.documentElement.scrollWidth")

    assert width <= PHONE["width"]


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_answer_comes_into_view(
    open_page: Open, churn_address: str, size: dict[str, int]
) -> None:
    page = open_page(churn_address, viewport=size)
    page.get_by_label("TotalCharges", exact=True).focus()

    predict(page)

    box = page.locator("#headline").bounding_box()
    assert box is not None
    assert 0 <= box["y"] < size["height"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_colours_follow_the_system(open_page: Open, churn_address: str, scheme: str) -> None:
    page = open_page(churn_address, color_scheme=scheme)

    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")

    [red, *_] = [int(part) for part in ground[4:-1].split(",")]
    assert (red > 128) == (scheme == "light")


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(
    open_page: Open, churn_address: str, odd_address: str, scheme: str, width: int
) -> None:
    for name, address in {"churn": churn_address, "odd": odd_address}.items():
        page = open_page(address, color_scheme=scheme, viewport={"width": width, "height": 800})
        assert violations(page) == []

        predict(page)
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        assert violations(page) == []
        screenshot(page, f"{name}-{scheme}-{width}")

        page.locator("[data-kind=integer] [data-value]").first.fill("1.5")
        page.locator("[data-missing]").last.check()
        predict(page)
        page.locator("#problem .stop").wait_for()
        assert violations(page) == []
        screenshot(page, f"{name}-{scheme}-{width}-refused")

        page.goto(f"{address}docs")
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        assert violations(page) == []
        screenshot(page, f"{name}-{scheme}-{width}-docs")


def screenshot(page: "Page", name: str) -> None:
    """Write what is seen, for people to look at."""
    path: Path = SCREENSHOTS / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    assert path.stat().st_size > 10_000


@pytest.mark.parametrize("stage", ["", "v1/"])
def test_the_form_of_another_model_is_a_link_away(
    open_page: Open, several_address: str, odd: Path, stage: str
) -> None:
    name = Predictor.open(odd).package.manifest.name
    page = open_page(several_address + stage)

    page.get_by_role("navigation", name="Models").get_by_role("link", name=name).click()
    page.wait_for_url("**/?model=*")
    predict(page)

    assert response(page)["model"]["name"] == name
    assert page.locator("nav.models [aria-current]").inner_text() == name
    card = page.get_by_role("link", name="Model", exact=True).get_attribute("href")
    assert str(card).startswith(f"{several_address}{stage}models/")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_choice_of_model_is_accessible(
    open_page: Open, several_address: str, scheme: str
) -> None:
    page = open_page(several_address, color_scheme=scheme, viewport=PHONE)

    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
