"""The command ``sklambda``, as ``python -m sklambda`` runs it from the checkout."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sklambda.__main__ import COMMANDS
from tests.conftest import REPOSITORY, Trained

MODULES = {
    "train": ("training", "run"),
    "init": ("training", "init"),
    "check": ("training", "check"),
    "sample": ("training", "sample"),
    "verify": ("training", "verify"),
    "serve": ("functions.predict",),
    "score": ("functions.batch",),
    "monitor": ("functions.monitor",),
    "receipt": ("training", "receipt"),
    "replay": ("training", "replay"),
    "new": ("training.project", "new"),
    "build": ("training.project", "build"),
    "deploy": ("training.project", "deploy"),
    "upgrade": ("training.project", "upgrade"),
    "eject": ("training.project", "eject"),
}
THIRD_PARTY = {"numpy", "onnxruntime", "pydantic", "rich", "sklearn", "typer", "uvicorn"}

type Run = subprocess.CompletedProcess[str]


def python(*arguments: object, **environment: str) -> Run:
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=REPOSITORY,
        env=os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "100"} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def sklambda(*arguments: object, **environment: str) -> Run:
    return python("-m", "sklambda", *arguments, **environment)


def test_the_help_lists_each_command_on_a_line() -> None:
    run = sklambda("--help")

    assert run.returncode == 0
    for name, command in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(command.summary)}$", run.stdout, re.MULTILINE)
    assert max(map(len, run.stdout.splitlines()[:-1])) <= 100


def test_the_help_names_an_example_that_is_there() -> None:
    folder = Path(sklambda("--help").stdout.splitlines()[-1])

    assert (folder / "train.toml").is_file()


def test_no_command_is_told_as_the_modules_tell_it() -> None:
    run = sklambda()

    assert run.returncode == python("-m", "training").returncode == 2
    assert run.stderr == sklambda("--help").stdout


def test_the_version_is_printed() -> None:
    assert re.fullmatch(r"sklambda \d+\.\d+\.\d+\n", sklambda("--version").stdout)


@pytest.mark.parametrize("question", ["--help", "--version", "serv"])
def test_no_command_is_imported_that_is_not_called(question: str) -> None:
    script = "import sys, atexit; atexit.register(lambda: print(*sys.modules))\n"
    script += f"sys.argv[1:] = [{question!r}]\nfrom sklambda.__main__ import main; main()"

    loaded = python("-c", script).stdout.splitlines()[-1].split()

    assert "sklambda.__main__" in loaded
    assert THIRD_PARTY & set(loaded) == set()
    assert [name for name in loaded if name.split(".")[0] in {"functions", "training"}] == []


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("serv", "did you mean `serve`?"),
        ("verfy", "did you mean `verify`?"),
        ("--hepl", "did you mean `--help`?"),
        ("xyz", "`sklambda --help` lists the commands"),
    ],
)
def test_an_unknown_command_gets_the_nearest(name: str, hint: str) -> None:
    run = sklambda(name)

    assert run.returncode == 2
    assert f"no command `{name}`; {hint}" in run.stderr
    assert "Traceback" not in run.stderr


def options(text: str) -> set[str]:
    return set(re.findall(r"--[a-z][a-z-]+", text))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_the_options_of_its_module(name: str) -> None:
    module, *words = MODULES[name]

    run = sklambda(name, "--help")
    as_module = python("-m", module, *words, "--help")

    assert (run.returncode, as_module.returncode) == (0, 0)
    assert f"sage: sklambda {name}" in run.stdout
    assert f"sage: {' '.join(['python -m', module, *words])}" in as_module.stdout
    assert COMMANDS[name].summary in " ".join(run.stdout.split())
    assert options(run.stdout) == options(as_module.stdout) != set()


@pytest.mark.parametrize("name", ["report", "replay", "serve"])
def test_the_monitor_has_its_own_commands(name: str) -> None:
    run = sklambda("monitor", name, "--help")

    assert run.returncode == 0
    assert f"usage: sklambda monitor {name}" in run.stdout


def test_exit_codes_are_those_of_the_modules(tmp_path: Path) -> None:
    config = tmp_path / "train.toml"
    config.write_text("name = 'a'\n")

    assert (
        sklambda("train", config).returncode == python("-m", "training", "run", config).returncode
    )
    assert sklambda("serve", "--port", "none").returncode == 2


def nothing(package: Path) -> None:
    del package


def damage(package: Path) -> None:
    package.mkdir()
    (package / "manifest.json").write_text("{")


@pytest.mark.parametrize("make", [nothing, damage])
@pytest.mark.parametrize(
    "words",
    [
        ["serve"],
        ["verify"],
        ["score", "README.md", "--model"],
        ["monitor", "report", "--records", "nowhere", "--model"],
    ],
    ids=lambda words: words[0],
)
def test_a_package_that_cannot_be_read_is_told_in_a_line(
    words: list[str], make: Callable[[Path], None], tmp_path: Path
) -> None:
    package = tmp_path / "package"
    make(package)

    run = sklambda(*words, package)

    assert run.returncode == 2
    assert len(run.stderr.splitlines()) == 1
    assert "package" in run.stderr
    assert run.stdout == ""


def test_the_package_to_serve_comes_before_the_environment(churn: Trained, tmp_path: Path) -> None:
    run = sklambda("serve", tmp_path / "other", MODEL_DIR=str(churn.package))

    assert run.returncode == 2
    assert f"{tmp_path / 'other'} is no model package" in run.stderr


@pytest.mark.parametrize(
    ("command", "missing", "extra"),
    [("serve", "uvicorn", "serving"), ("verify", "typer", "training")],
)
def test_a_missing_extra_is_named(command: str, missing: str, extra: str) -> None:
    """Without `site` there are no third-party packages."""
    folders = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "layers/shared")])

    run = python("-S", "-m", "sklambda", command, "package", PYTHONPATH=folders)

    assert run.returncode == 2
    assert f"`sklambda {command}` needs the package `{missing}`" in run.stderr
    assert f'its extra "{extra}"' in run.stderr
    assert len(run.stderr.splitlines()) == 1
