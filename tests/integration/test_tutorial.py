"""The tutorial does what it says: its commands are run as printed, in order, in one shell.

Another port stands for 8000, which may be in use; the command `sklambda` is that of this checkout.
"""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.support.background_process import free_port
from tests.support.documents import Command, checkout, steps

STEPS = [*steps(REPOSITORY / "docs/tutorial.md")]
COMMANDS = [step for step in STEPS if isinstance(step, Command)]
END = "--- end of a step:"
SECONDS = 600

type Printed = list[tuple[int, str]]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Printed:
    """Each command's exit code and output."""
    script = "".join(f"{step.text}\nprintf '\\n{END} %s\\n' $?\n" for step in STEPS)
    port = str(free_port())
    script = script.replace("serve package", f"serve package --port {port}").replace("8000", port)
    found = run(script, tmp_path_factory.mktemp("tutorial"))
    parts = re.split(rf"\n{END} (\d+)\n", found)
    outputs, codes = parts[:-1:2], map(int, parts[1::2])
    return [
        (code, output)
        for step, code, output in zip(STEPS, codes, outputs, strict=True)
        if isinstance(step, Command)
    ]


def run(script: str, folder: Path) -> str:
    environment = checkout(folder)
    session = folder / "session.sh"
    session.write_text(script)
    with subprocess.Popen(
        ["bash", session],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as shell:
        try:
            return shell.communicate(timeout=SECONDS)[0]
        finally:
            stop_session(shell.pid)


def stop_session(leader: int) -> None:
    """End the service too, where the script did not come to the line that stops it."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return


@pytest.mark.parametrize("place", range(len(COMMANDS)), ids=lambda n: COMMANDS[n].text[:40])
def test_each_command_prints_what_the_page_shows(place: int, printed: Printed) -> None:
    command, (code, output) = COMMANDS[place], printed[place]

    assert command.matches(output), f"{command.text}\nprinted\n{output}"
    assert (code != 0) == ("exit code" in command.output), f"{command.text} ended with {code}"
