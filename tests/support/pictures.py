"""The pictures of the documents, made from the running product: ``make pictures``.

`make monitor` comes before: its package is served and its report shown.
"""

import os
import pty
import subprocess
import tempfile
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.text import Text

from tests.browser.conftest import browser_process, served
from tests.conftest import REPOSITORY
from tests.support.documents import Command, checkout, steps
from training.checks.scenario import HOURS, START

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FOLDER: Final = REPOSITORY / "docs/pictures"
SCENARIO: Final = REPOSITORY / "build/monitor"
MOST_BYTES: Final = 200 * 1024

_COLUMNS: Final = 96
_ERASED: Final = "\x1b[2K"  # before each line of a progress bar that is drawn again
_WIDE: Final[Any] = {"width": 1160, "height": 800}


def refusal(browser: "Browser", path: Path) -> None:
    """Show the tutorial's refusal as the terminal shows it."""
    with tempfile.TemporaryDirectory() as folder:
        environment = checkout(Path(folder)) | {"COLUMNS": str(_COLUMNS), "TERM": "xterm-256color"}
        command = _until_refused(Path(folder), environment)
        printed = _in_terminal(command, Path(folder) / "mine", environment)
    frame = printed.rsplit(_ERASED, 1)[-1]
    console = Console(record=True, width=_COLUMNS, file=StringIO())
    console.print(Text.from_ansi(f"$ {command}\n{frame}".strip()))
    page = _open(browser, "about:blank")
    page.set_content(console.export_svg(title="sklambda train"))
    page.locator("svg").screenshot(path=path)


def prediction(browser: "Browser", path: Path) -> None:
    """Show the page with a prediction and its explanation."""
    with served(SCENARIO / "package") as address:
        page = _open(browser, address)
        page.get_by_label("Explain").check()
        page.get_by_role("button", name="Predict").click()
        page.locator("#details dl").first.wait_for()
        clip = _top(page, 900)
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=path, clip=clip)


def report(browser: "Browser", path: Path) -> None:
    """Show the findings and charts of the last day of the scenario's second week."""
    end = (START + 2 * timedelta(hours=HOURS)).isoformat()
    [written] = SCENARIO.glob(f"records/reports/*/{end}.html")
    page = _open(browser, written.as_uri(), scale=0.9)  # for less than MOST_BYTES
    changed = page.get_by_role("heading", name="What has changed").locator("..").bounding_box()
    assert changed is not None
    page.screenshot(path=path, clip=_top(page, round(changed["y"] + changed["height"]) + 24))


type Draw = Callable[["Browser", Path], None]

PICTURES: Final[dict[str, Draw]] = {
    "refusal.png": refusal,
    "page.png": prediction,
    "report.png": report,
}


def main() -> None:
    """Make all pictures."""
    FOLDER.mkdir(exist_ok=True)
    with browser_process() as browser:
        for name, draw in PICTURES.items():
            draw(browser, FOLDER / name)
            print(f"{name}: {(FOLDER / name).stat().st_size / 1024:.0f} KiB")


def _open(browser: "Browser", address: str, scale: float = 1) -> "Page":
    page = browser.new_page(
        viewport=_WIDE,
        color_scheme="light",
        reduced_motion="reduce",
        device_scale_factor=scale,
    )
    page.goto(address)
    return page


def _top(page: "Page", height: int) -> Any:
    page.set_viewport_size({"width": _WIDE["width"], "height": height})
    return {"x": 0, "y": 0, "width": _WIDE["width"], "height": height}


def _until_refused(folder: Path, environment: dict[str, str]) -> str:
    """Run the tutorial up to the command that is refused, and return that one."""
    script: list[str] = []
    for step in steps(REPOSITORY / "docs/tutorial.md"):
        if isinstance(step, Command) and "Refused" in step.output:
            session = ["bash", "-ec", "\n".join(script)]
            subprocess.run(session, cwd=folder, env=environment, check=True, capture_output=True)
            return step.text
        script.append(step.text)
    raise LookupError("the tutorial shows no refusal")


def _in_terminal(command: str, folder: Path, environment: dict[str, str]) -> str:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command, shell=True, cwd=folder, env=environment, stdout=theirs, stderr=theirs
    ):
        os.close(theirs)
        printed = b""
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # Linux's end of a terminal
                break
            if not chunk:
                break
            printed += chunk
    os.close(ours)
    return printed.decode().replace("\r\n", "\n")


if __name__ == "__main__":
    main()
