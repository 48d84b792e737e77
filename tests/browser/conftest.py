"""A browser without a window, and the service that it opens."""

import os
import shutil
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import uvicorn

from functions.predict.app.api import create_app
from functions.predict.http.exchange import Limits
from functions.predict.model import ServedModel
from functions.predict.registry import Registry
from functions.predict.service import Service
from functions.predict.settings import Settings
from sklambda.predictor import Predictor
from sklambda.telemetry import Log
from tests.browser.odd_model import odd_package
from tests.conftest import Trained
from tests.support.background_process import free_port
from tests.support.evidence import wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page


AXE: Final = Path(__file__).parent / "node_modules/axe-core/axe.min.js"
STAGE: Final = "/v1"

_CHROMIUMS: Final = ("chromium", "chromium-browser", "google-chrome")
_FLAGS: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
_START_SECONDS: Final = 30


def chromium() -> str | None:
    return next(filter(None, map(shutil.which, _CHROMIUMS)), None)


def missing() -> str | None:
    """Return what the tests in a browser lack, or None."""
    if chromium() is None:
        return "there is no Chromium"
    if find_spec("playwright") is None or not AXE.exists():
        return "Playwright and axe-core are not installed (make tools)"
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs a browser where there is none, or fail if asked to."""
    reason = missing() if "browser" in getattr(item, "fixturenames", ()) else None
    if reason is None:
        return
    if os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail(f"{reason}, but REQUIRE_BROWSER=1 asks for it", pytrace=False)
    pytest.skip(f"{reason}: the page is not tested in a browser")


@contextmanager
def browser_process() -> Iterator["Browser"]:
    """Run a browser without a window while the block runs."""
    from playwright.sync_api import sync_playwright

    # Its event loop runs in this thread while it is open, and would be in the way of other tests'.
    with sync_playwright() as playwright:
        # Playwright gives each start an empty folder for the user's data.
        yield playwright.chromium.launch(executable_path=chromium(), args=[*_FLAGS])


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with browser_process() as browser:
        yield browser


type Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: "Browser") -> Iterator["Open"]:
    """Opens an address in a new context; whatever the browser complains of fails the test."""
    complaints: list[str] = []
    with ExitStack() as contexts:

        def open_(address: str, **options: Any) -> "Page":
            context: BrowserContext = contexts.enter_context(
                browser.new_context(reduced_motion="reduce", **options)
            )
            page = context.new_page()
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("dialog", lambda dialog: complaints.append(dialog.message))
            page.on("console", lambda message: complaints.extend(_complaint(message)))
            page.goto(address)
            return page

        yield open_
    assert complaints == []


def _complaint(message: Any) -> Iterator[str]:
    # A browser writes a line for each answer of 400 and above, which is what some tests ask for.
    if message.type in ("error", "warning") and "the server responded with" not in message.text:
        yield message.text


@pytest.fixture(scope="session")
def churn_address(churn: Trained) -> Iterator[str]:
    with served(churn.package) as address:
        yield address


@pytest.fixture(scope="session")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return odd_package(tmp_path_factory.mktemp("odd") / "package").path


@pytest.fixture(scope="session")
def odd_address(odd: Path) -> Iterator[str]:
    with served(odd) as address:
        yield address


@pytest.fixture(scope="session")
def several_address(churn: Trained, odd: Path) -> Iterator[str]:
    """A service of two models."""
    with served(churn.package, odd) as address:
        yield address


@contextmanager
def served(*packages: Path) -> Iterator[str]:
    """Serve packages while the block runs, at the root and behind a stage."""
    settings = Settings.from_environment({"LOG_LEVEL": "ERROR"})
    models = [ServedModel(Predictor.open(package)) for package in packages]
    log = Log(f"browser {packages}", settings.log_level)
    app = create_app(Registry(*map(Service, models)), Limits(50, 200_000), log)
    port = free_port()
    config = uvicorn.Config(_Gateway(app), port=port, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_for(lambda: server.started or None, _START_SECONDS, "the server")
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.should_exit = True
        thread.join()


type Message = MutableMapping[str, Any]


class _Gateway:
    """Takes the stage off a path, as API Gateway does, and tells the application nothing of it."""

    def __init__(self, app: Callable[[Message, Any, Any], Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        path = scope["path"]
        if path == STAGE or path.startswith(f"{STAGE}/"):
            path = path.removeprefix(STAGE) or "/"
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(scope, receive, send)
