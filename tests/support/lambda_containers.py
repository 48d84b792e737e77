"""What tests on real Lambda containers stand on: a Docker engine, the base image, the SAM tools."""

import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests.lambda_image.build import LABEL, build, digest

REPOSITORY: Final = Path(__file__).parents[2]
ARCHITECTURE: Final = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())

IMAGE: Final = "public.ecr.aws/lambda/python:3.13"
# `sam local` asks for the first, the AWS emulator for the second.
_TAGS = (f"{IMAGE}-{ARCHITECTURE}", IMAGE)
_PULL_SECONDS = 120


def docker(*arguments: str, check: bool = True, timeout: float | None = 60) -> str:
    """Call Docker's command line and give what it says, stripped."""
    result = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, check=False, timeout=timeout
    )
    if check and result.returncode != 0:
        raise RuntimeError(f"docker {' '.join(arguments)}: {result.stderr.strip()}")
    return result.stdout.strip()


def remove_containers(filter_: str) -> None:
    """Remove the containers that Docker's filter selects, by their ids."""
    if ids := docker("ps", "--all", "--quiet", "--filter", filter_).split():
        docker("rm", "--force", "--volumes", *ids, check=False)


def tool(environment: str, name: str) -> str:
    """Find a program in one of the tools' own environments."""
    path = REPOSITORY / environment / "bin" / name
    if not path.exists():
        pytest.fail(f"{environment} is not made: run `make tools`", pytrace=False)
    return str(path)


def sam(*arguments: str | Path, **parameters: str) -> list[str]:
    """Give the command line of one of SAM's commands, for this machine's processor."""
    parameters = {"Architecture": ARCHITECTURE} | parameters
    overrides = [f"{name}={value}" for name, value in parameters.items()]
    command = [tool(".venv-deploy", "sam"), *map(str, arguments)]
    return [*command, "--parameter-overrides", *overrides]


def tool_environment(**variables: str) -> dict[str, str]:
    """Give the environment in which the tools run: none of the caller's own AWS account in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    # SAM builds with the python3.13 that comes first, which must be no version manager's shim.
    folders = [str(Path(sys.executable).parent), str(REPOSITORY / ".venv-deploy/bin")]
    return kept | {
        "PATH": os.pathsep.join([*folders, kept["PATH"]]),
        "ARCH": ARCHITECTURE,
        "SAM_CLI_TELEMETRY": "0",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        **variables,
    }


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs a Lambda container where there is no Docker engine, or fail if asked to.

    From here, rather than from a fixture, all such skips are reported in one line.
    """
    if "lambda_image" not in getattr(item, "fixturenames", ()) or _engine_answers():
        return
    reason = "no Docker engine answers: real Lambda containers are not tested"
    if os.environ.get("REQUIRE_SAM_LOCAL") == "1":
        pytest.fail(f"{reason}, but REQUIRE_SAM_LOCAL=1 asks for them", pytrace=False)
    pytest.skip(reason)


@cache
def _engine_answers() -> bool:
    try:
        docker("version", "--format", "{{.Server.Version}}")
    except (OSError, RuntimeError, subprocess.TimeoutExpired):
        return False
    return True


@pytest.fixture(scope="session", autouse=True)
def _tools_leave_nothing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give what the tests start one folder for its own temporary files, that pytest removes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(tmp_path_factory.mktemp("tools")))
        yield


@pytest.fixture(scope="session")
def lambda_image() -> str:
    """The base image of Lambda's Python: the official one, or else the stand-in."""
    require_image()
    return IMAGE


def require_image() -> None:
    """Have the base image on this machine: pulled, or else built."""
    tool(".venv-deploy", "sam")  # the stand-in takes the Lambda emulator from there
    if missing := [tag for tag in _TAGS if not _is_usable(tag) and not _pull(tag)]:
        build(*missing)


def _is_usable(tag: str) -> bool:
    """Tell whether the image is there, and no stand-in of another version of this repository."""
    template = f'{{{{index .Config.Labels "{LABEL}"}}}}'
    try:
        label = docker("image", "inspect", "--format", template, tag)
    except RuntimeError:
        return False
    return label in ("", digest())


def _pull(tag: str) -> bool:
    try:
        docker("pull", "--quiet", tag, timeout=_PULL_SECONDS)
    except (RuntimeError, subprocess.TimeoutExpired):
        return False
    return True


def images_of(containers: Iterable[str]) -> set[str]:
    """Give the ids of the images that the containers run."""
    return {docker("inspect", "--format", "{{.Image}}", container) for container in containers}
