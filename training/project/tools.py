"""The programs that a repository is built and deployed with: SAM's command line, make, a Python."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from training.errors import ConfigurationError, ToolFailed

_PYTHON: Final = "python3.13"
_TO_INSTALL: Final = {
    "sam": "the AWS SAM CLI, as by `pipx install aws-sam-cli`: its pins need an environment of "
    "their own",
    "make": "make, as by your system's packages",
    "git": "git, as by your system's packages",
    _PYTHON: "Python 3.13 with pip, which the functions run on in Lambda and their layers are "
    "built with",
}


@dataclass(frozen=True, slots=True)
class Tools:
    """The programs of the path, with the environment that they get.

    Attributes
    ----------
    path : tuple of str
        The folders in which they are looked for.
    architecture : str
        The processor that layers are built for.
    """

    path: tuple[str, ...]
    architecture: str

    def sam(self, *arguments: str | Path, folder: Path) -> None:
        """Run a command of SAM in a folder; what it writes is shown as it comes."""
        command = ["sam", *map(str, arguments)]
        code = subprocess.run(self._command(*command), cwd=folder, check=False).returncode
        if code != 0:
            raise ToolFailed(
                f"`sam {arguments[0]}` ended with exit code {code}; its output above says why"
            )

    def make(self, target: str, folder: Path, artifacts: Path) -> None:
        """Make a target as SAM does; what it writes is shown where it fails."""
        command = self._command("make", "--quiet", target, f"ARTIFACTS_DIR={artifacts}")
        made = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            written = "\n".join(f"{made.stdout}\n{made.stderr}".split("\n")[-20:]).strip()
            raise ToolFailed(f"`make {target}` ended with exit code {made.returncode}:\n{written}")

    def _command(self, *command: str) -> list[str]:
        variables = {
            "PATH": os.pathsep.join(self.path),
            "ARCH": self.architecture,
            "SAM_CLI_TELEMETRY": "0",
        }
        return ["/usr/bin/env", *(f"{name}={value}" for name, value in variables.items()), *command]


def find(architecture: str) -> Tools:
    """Return the tools of a build.

    Raises
    ------
    ConfigurationError
        One is not on the path; says what to install.
    """
    folders = _folders()
    for name in ("sam", "make"):
        require(name, folders)
    return Tools((str(python_with_pip().parent), *folders), architecture)


def python_with_pip() -> Path:
    """Return the first Python of the path that installs packages; one of uv's does not.

    Raises
    ------
    ConfigurationError
        There is none; says what to install.
    """
    for folder in _folders():
        python = Path(folder, _PYTHON)
        if python.is_file():
            command = [str(python), "-m", "pip", "--version"]
            if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                return python
    raise ConfigurationError(_missing(_PYTHON))


def _folders() -> tuple[str, ...]:
    """Return the folders of the path, after that of the Python that runs."""
    return tuple(dict.fromkeys([str(Path(sys.executable).parent), *os.get_exec_path()]))


def require(name: str, folders: Sequence[str] | None = None) -> str:
    """Return the path of a program, or raise `ConfigurationError` that says what to install."""
    found = shutil.which(name, path=None if folders is None else os.pathsep.join(folders))
    if found is None:
        raise ConfigurationError(_missing(name))
    return found


def _missing(name: str) -> str:
    return f"`{name}` is not on the path: install {_TO_INSTALL[name]}"
