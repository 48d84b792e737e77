"""A build verifies, lays out and runs sam, which a script on the path stands for here."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from training.errors import ConfigurationError, ToolFailed
from training.project.application import Application
from training.project.build import Build, build, deploy
from training.project.repository import Model, Repository

SAM = """\
#!/bin/sh
echo "$PWD $ARCH $SAM_CLI_TELEMETRY $@" >> "$0.calls"
while [ $# -gt 1 ]; do
  if [ "$1" = --build-dir ]; then
    mkdir -p "$2"
    printf 'Description: Not built by make.\\nResources:\\n  X:\\n' > "$2/template.yaml"
  fi
  shift
done
exit ${SAM_EXIT:-0}
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a `sam`, first on the path and the only one."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "sam").write_text(SAM)
    (folder / "sam").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def calls(programs: Path) -> list[list[str]]:
    return [line.split() for line in (programs / "sam.calls").read_text().splitlines()]


def value(call: list[str], option: str) -> str:
    return call[call.index(option) + 1]


@pytest.fixture
def pinned(repository: Repository, application: Application) -> Repository:
    """The repository, which requires the version of the small application."""
    repository.require_version(application.version)
    return repository


@contextmanager
def silent(_: str) -> Iterator[None]:
    yield


def run(
    repository: Repository, application: Application, *options: str, stage: str = "staging"
) -> Build:
    return build(repository, application, "churn", stage, options, silent)


def test_sam_builds_what_is_laid_out(
    trained: Model, pinned: Repository, application: Application, programs: Path
) -> None:
    said: list[str] = []

    @contextmanager
    def listen(what: str) -> Iterator[None]:
        said.append(what)
        yield

    build(pinned, application, "churn", "staging", ["--use-container"], listen)

    [call] = calls(programs)
    assert call[:4] == [str(pinned.root), "x86_64", "0", "build"]
    assert value(call, "--template-file") == str(trained.laid_out / "template.yaml")
    assert value(call, "--config-file") == str(pinned.root / "samconfig.toml")
    assert value(call, "--config-env") == "staging"
    assert call[-1] == "--use-container"
    assert said == [
        "Verifying models/churn/package",
        "Building layers/runtime for x86_64, once for all models",
    ]


def test_a_second_build_takes_the_layers_of_the_first(
    trained: Model, pinned: Repository, application: Application, programs: Path
) -> None:
    run(pinned, application)
    [layer] = (pinned.root / ".sklambda/layers").iterdir()
    before = layer.stat()

    run(pinned, application)

    assert layer.stat().st_mtime_ns == before.st_mtime_ns


def test_a_deployment_is_the_stack_of_model_and_stage(
    trained: Model, pinned: Repository, application: Application, programs: Path
) -> None:
    stack = deploy(run(pinned, application, stage="prod"), ["--no-confirm-changeset"])

    _, call = calls(programs)
    assert stack == "churn-prod"
    assert call[3] == "deploy"
    assert value(call, "--stack-name") == "churn-prod"
    assert value(call, "--config-env") == "prod"
    assert value(call, "--template-file") == str(trained.built / "template.yaml")
    assert call[-1] == "--no-confirm-changeset"


def test_the_built_template_says_when_it_was_built(
    trained: Model, pinned: Repository, application: Application, programs: Path
) -> None:
    run(pinned, application)

    assert "Description: Built 20" in (trained.built / "template.yaml").read_text()


def test_the_stage_says_for_which_processor(
    trained: Model, pinned: Repository, application: Application, programs: Path
) -> None:
    path = pinned.root / "samconfig.toml"
    path.write_text(path.read_text().replace("LogLevel=INFO", "LogLevel=INFO Architecture=arm64"))

    run(pinned, application, stage="prod")

    [call] = calls(programs)
    [layer] = (pinned.root / ".sklambda/layers").iterdir()
    assert call[1] == "arm64"
    assert value(call, "--parameter-overrides") == "Architecture=arm64"
    assert (layer / "built").read_text() == "arm64\n"


def test_a_failure_of_sam_stops(
    trained: Model,
    pinned: Repository,
    application: Application,
    programs: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SAM_EXIT", "3")

    with pytest.raises(ToolFailed, match=r"`sam build` ended with exit code 3; its output above"):
        run(pinned, application)


def test_a_missing_sam_is_said_with_what_to_install(
    trained: Model, pinned: Repository, application: Application, programs: Path
) -> None:
    (programs / "sam").unlink()

    with pytest.raises(ConfigurationError, match=r"`sam` is not on the path: install the AWS SAM"):
        run(pinned, application)

    assert not trained.laid_out.exists()


def test_a_model_that_was_not_trained_is_refused_with_the_command(
    pinned: Repository, application: Application, programs: Path
) -> None:
    with pytest.raises(ConfigurationError, match=r"`sklambda train .* --out models/churn/package`"):
        run(pinned, application)


def test_a_damaged_package_is_not_built(
    trained: Model, pinned: Repository, application: Application, programs: Path
) -> None:
    (trained.package / "model.onnx").write_bytes(b"damaged")

    with pytest.raises(ConfigurationError, match=r"model[.]onnx"):
        run(pinned, application)

    assert not (programs / "sam.calls").exists()


def test_another_version_than_the_required_one_is_not_built(
    trained: Model, pinned: Repository, application: Application, programs: Path
) -> None:
    pinned.require_version("0.0.1")

    with pytest.raises(ConfigurationError, match=r"has sklambda 0.0.1, and 1.0.*sklambda upgrade"):
        run(pinned, application)


def sklambda(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sklambda", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY / "layers/shared")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_options_behind_the_dashes_are_sams(
    trained: Model, repository: Repository, programs: Path
) -> None:
    (programs / "make").write_text("#!/bin/sh\n")
    (programs / "make").chmod(0o755)

    run = sklambda(repository.root, "deploy", "churn", "--", "--no-confirm-changeset")

    built, deployed = calls(programs)
    assert run.returncode == 0, run.stderr
    assert "--no-confirm-changeset" not in built
    assert deployed[-1] == "--no-confirm-changeset"
    assert "Deployed churn-staging" in run.stdout


def test_an_error_is_a_line_with_its_exit_code(tmp_path: Path) -> None:
    run = sklambda(tmp_path, "eject", "churn")

    assert run.returncode == 2
    assert run.stderr.startswith("ConfigurationError, exit code 2: ")
    assert "`sklambda new`" in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_an_upgrade_to_the_required_version_says_so(trained: Model, repository: Repository) -> None:
    run = sklambda(repository.root, "upgrade")

    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == (
        f"requirements.txt has sklambda {repository.required_version()}"
    )
