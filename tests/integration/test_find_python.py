"""A fresh machine's Python 3.13 is found wherever it usually is, or one sentence asks for it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

TOOLS = ("sh", "ls", "grep", "cat")
REAL = sys._base_executable  # type: ignore[attr-defined]  # the interpreter behind .venv


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A PATH with nothing on it but the usual tools."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in TOOLS:
        (folder / name).symlink_to(str(shutil.which(name)))
    return folder


def add(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def find(programs: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [REPOSITORY / "requirements/find-python"],
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
    )


def found(run: subprocess.CompletedProcess[str]) -> bool:
    [line] = run.stdout.splitlines()
    return Path(line).samefile(REAL)


def test_python_on_the_path_is_found(programs: Path) -> None:
    add(programs, "python3.13", f'exec {REAL} "$@"')

    assert found(find(programs))


def test_pyenvs_is_found_behind_a_shim_that_does_not_work(programs: Path, tmp_path: Path) -> None:
    add(programs, "python3.13", "exit 127")
    add(programs, "pyenv", f"echo {tmp_path}")
    version = tmp_path / "versions/3.13.99/bin"
    version.mkdir(parents=True)
    add(version, "python3.13", f'exec {REAL} "$@"')

    assert found(find(programs))


def test_uvs_is_found(programs: Path) -> None:
    add(programs, "uv", f"echo {REAL}")

    assert found(find(programs))


def test_without_any_one_sentence_says_what_to_install(programs: Path) -> None:
    run = find(programs)

    assert run.returncode == 1
    assert run.stdout == ""
    assert "install it as python3.13" in run.stderr
    assert len(run.stderr.splitlines()) == 1
