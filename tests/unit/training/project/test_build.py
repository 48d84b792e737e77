"""A build verifies, lays out and runs sam, which a script on the path stands for here."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
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
MAKE = """\
#!/bin/sh
exit 0
"""

type Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with the programs of a build."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in (("sam", SAM), ("make", MAKE)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def sklambda(repository: Repository, programs: Path) -> Run:
    """Runs the command in the repository."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "sklambda", *arguments],
            cwd=repository.root,
            env=os.environ
            | {"PATH": f"{programs}:/usr/bin:/bin", "PYTHONPATH": str(REPOSITORY / "layers/shared")}
            | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def calls(programs: Path) -> list[list[str]]:
    return [line.split() for line in (programs / "sam.calls").read_text().splitlines()]


def value(call: list[str], option: str) -> str:
    return call[call.index(option) + 1]


def test_sam_builds_what_is_laid_out(
    trained: Model, sklambda: Run, programs: Path, repository: Repository
) -> None:
    run = sklambda("build", "churn", "--", "--use-container")

    [call] = calls(programs)
    assert run.returncode == 0, run.stderr
    assert call[:4] == [str(repository.root), "x86_64", "0", "build"]
    assert value(call, "--template-file") == str(trained.laid_out / "template.yaml")
    assert value(call, "--config-file") == str(repository.root / "samconfig.toml")
    assert value(call, "--config-env") == "staging"
    assert call[-1] == "--use-container"
    assert "Verifying models/churn/package" in run.stderr
    assert "Building layers/runtime for x86_64, once for all models" in run.stderr


def test_a_deployment_is_the_stack_of_model_and_stage(
    trained: Model, sklambda: Run, programs: Path
) -> None:
    run = sklambda("deploy", "churn", "--stage", "prod", "--", "--no-confirm-changeset")

    build, deploy = calls(programs)
    assert run.returncode == 0, run.stderr
    assert "--no-confirm-changeset" not in build
    assert deploy[3] == "deploy"
    assert value(deploy, "--stack-name") == "churn-prod"
    assert value(deploy, "--config-env") == "prod"
    assert value(deploy, "--template-file") == str(trained.built / "template.yaml")
    assert deploy[-1] == "--no-confirm-changeset"
    assert "Deployed churn-prod" in run.stdout


def test_the_built_template_says_when_it_was_built(trained: Model, sklambda: Run) -> None:
    sklambda("build", "churn")

    assert "Description: Built 20" in (trained.built / "template.yaml").read_text()


def test_the_stage_says_for_which_processor(
    trained: Model, sklambda: Run, programs: Path, repository: Repository
) -> None:
    path = repository.root / "samconfig.toml"
    path.write_text(path.read_text().replace("LogLevel=INFO", "LogLevel=INFO Architecture=arm64"))

    sklambda("build", "churn", "--stage", "prod")

    [call] = calls(programs)
    assert call[1] == "arm64"
    assert value(call, "--parameter-overrides") == "Architecture=arm64"


def test_a_failure_of_sam_is_the_last_line(trained: Model, sklambda: Run) -> None:
    run = sklambda("deploy", "churn", SAM_EXIT="3")

    assert run.returncode == 1
    assert run.stderr.splitlines()[-1] == (
        "ToolFailed, exit code 1: `sam build` ended with exit code 3; its output above says why"
    )


def test_a_missing_sam_is_said_with_what_to_install(
    trained: Model, sklambda: Run, programs: Path
) -> None:
    (programs / "sam").unlink()

    run = sklambda("build", "churn")

    assert run.returncode == 2
    assert "`sam` is not on the path: install the AWS SAM CLI" in run.stderr
    assert not trained.laid_out.exists()


def test_a_model_that_was_not_trained_is_refused_with_the_command(
    repository: Repository, sklambda: Run
) -> None:
    run = sklambda("build", "churn")

    assert run.returncode == 2
    assert "`sklambda train models/churn/train.toml --out models/churn/package`" in run.stderr


def test_a_damaged_package_is_not_built(trained: Model, sklambda: Run, programs: Path) -> None:
    (trained.package / "model.onnx").write_bytes(b"damaged")

    run = sklambda("build", "churn")

    assert run.returncode == 2
    assert "model.onnx" in run.stderr
    assert not (programs / "sam.calls").exists()


def test_another_version_than_the_required_one_is_not_built(
    trained: Model, sklambda: Run, repository: Repository
) -> None:
    repository.require_version("0.0.1")

    run = sklambda("build", "churn")

    assert run.returncode == 2
    assert "requirements.txt has sklambda 0.0.1" in run.stderr
    assert "`sklambda upgrade`" in run.stderr


def test_outside_of_a_repository_the_command_says_what_one_is(
    repository: Repository, sklambda: Run
) -> None:
    (repository.root / "samconfig.toml").unlink()

    run = sklambda("eject", "churn")

    assert run.returncode == 2
    assert "no samconfig.toml" in run.stderr
    assert "sklambda new" in run.stderr


def test_an_upgrade_to_the_required_version_says_so(
    trained: Model, sklambda: Run, repository: Repository
) -> None:
    run = sklambda("upgrade")

    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == (
        f"requirements.txt has sklambda {repository.required_version()}"
    )
