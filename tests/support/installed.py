"""The wheel, built from this checkout and installed in an environment of its own.

Third-party packages come from the environment of the tests, this project's modules from the wheel.
"""

import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.lambda_containers import REPOSITORY

QUICK = [
    *("--set", "data.sample_rows=300"),
    *("--set", "evaluation.bootstrap=20"),
    *("--set", "gates.roc_auc=0.6"),
    *("--set", "pipeline.options.model=logistic_regression"),
]
"""Options that train the example in seconds."""

FOREIGN = 'raise RuntimeError("a module of the user")\n'
FOREIGN_MODULES = (
    "training/__init__.py",
    "training/__main__.py",
    "functions/__init__.py",
    "functions/predict/__init__.py",
    "functions/batch/__init__.py",
    "sklambda_app/__init__.py",
    "console.py",
)


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel, and the folder in which a user runs its command."""

    environment: Path
    folder: Path
    variables: Mapping[str, str]
    form: tuple[str, ...]

    @property
    def python(self) -> str:
        """The path of its Python."""
        return str(self.environment / "bin/python")

    @property
    def command(self) -> list[str]:
        """The command line of `sklambda`."""
        return [str(self.environment / "bin" / self.form[0]), *self.form[1:]]

    def finish(self, *command: object) -> subprocess.CompletedProcess[str]:
        """Run a command, however it ends."""
        return subprocess.run(
            list(map(str, command)),
            cwd=self.folder,
            env=self.variables,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def run(self, *command: object) -> str:
        """Run a command that succeeds, and give what it writes."""
        finished = self.finish(*command)
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout

    def sklambda(self, *arguments: object) -> str:
        """Run `sklambda`, which succeeds."""
        return self.run(*self.command, *arguments)

    def example(self) -> Path:
        """Read from the help where the example is."""
        return Path(self.sklambda("--help").splitlines()[-1])


def build_wheel(source: Path, out: Path) -> Path:
    """Build the wheel of a checkout, without an index."""
    build = [*(sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet")]
    build += ["--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(out)]
    subprocess.run([*build, str(source)], check=True, capture_output=True, text=True)
    [built] = out.iterdir()
    return built


def install_wheel(wheel: Path, environment: Path) -> Path:
    """Make an environment with a wheel of this project and nothing else of it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin/python"
    install = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
    install += ["install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, capture_output=True, text=True)
    # The path file of the checkout, which is among these packages, is not followed.
    [site] = environment.glob("lib/*/site-packages")
    (site / "third_party.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    return build_wheel(REPOSITORY, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment in which it is installed."""
    return install_wheel(wheel, tmp_path_factory.mktemp("environment"))


def write_foreign_modules(folder: Path) -> None:
    """Write modules of a user's that have the names of ours, and must not be imported."""
    for name in FOREIGN_MODULES:
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(FOREIGN)


def variables(**more: str) -> dict[str, str]:
    """Return an environment that names nothing of this checkout."""
    ours = {"PYTHONPATH", "MODEL_DIR", "VIRTUAL_ENV"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return kept | {"OMP_NUM_THREADS": "1"} | more
