"""Pages of the documents as a shell session: their commands, what these print, and their files."""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.conftest import REPOSITORY

_EXAMPLE: Final = "training/examples/churn"
_BLOCK: Final = re.compile(r"(?:^`(\S+)`:\n\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ANYTHING: Final = "…"


@dataclass(frozen=True)
class Command:
    """A command of a page, and what the page shows of its output."""

    text: str
    output: str

    def matches(self, printed: str) -> bool:
        """Compare, where `…` is any text, and a line of `…` alone any lines."""
        parts = (re.escape(part) for part in self.output.strip().split(_ANYTHING))
        return re.fullmatch(".*?".join(parts), printed.strip(), re.DOTALL) is not None


@dataclass(frozen=True)
class File:
    """A file that a page shows below its name."""

    name: str
    content: str

    @property
    def text(self) -> str:
        """The command that saves it."""
        return f"printf %s {shlex.quote(self.content)} > {shlex.quote(self.name)}"


def steps(page: Path) -> Iterator[Command | File]:
    """Read the `console` blocks of a page, and the files, in their order."""
    for name, language, content in _BLOCK.findall(page.read_text()):
        if name:
            yield File(name, content)
        elif language == "console":
            for part in re.split(r"^\$ ", content, flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                yield Command(command, output)


def checkout(folder: Path) -> dict[str, str]:
    """Make a folder where the pages' commands find what they find in a checkout.

    Returns
    -------
    dict of str to str
        The environment, in which `sklambda` is the code of this checkout.
    """
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / _EXAMPLE, folder / _EXAMPLE, ignore=ignore)
    command = folder / ".venv/bin/sklambda"
    command.parent.mkdir(parents=True)
    path = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "layers/shared")])
    command.write_text(f'#!/bin/sh\nPYTHONPATH="{path}" exec "{sys.executable}" -m sklambda "$@"\n')
    command.chmod(0o755)
    search = [command.parent, Path(sys.executable).parent, os.environ["PATH"]]
    return os.environ | {
        "PATH": os.pathsep.join(map(str, search)),
        "COLUMNS": "100",
        "OMP_NUM_THREADS": "1",
    }
