"""A repository of a user's own, outside of this one, and what is built in it."""

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import replace
from pathlib import Path

from tests.support.installed import Installed, write_foreign_modules
from tests.support.lambda_containers import ARCHITECTURE, tool, tool_environment
from tests.support.sam_build import SamBuild
from training.project import third_party
from training.project.application import installed

EARLIER = "236682b"
"""A commit before `sklambda build`: its wheel holds no application."""

OF_LAMBDA = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six.py")
"""What Lambda's Python holds beside the standard library."""

_LAYERS = {
    "Predict": ("runtime", "SharedLayer"),
    "Batch": ("runtime", "tables", "SharedLayer"),
    "Monitor": ("runtime", "SharedLayer"),
    "Authorize": ("tokens",),
}


def make_repository(environment: Path, folder: Path, **settings: str) -> Installed:
    """Have `sklambda new` make a repository, in which modules have the names of ours."""
    mine = folder / "mine"
    tools = {**tool_environment(), **settings, "PYTHONPATH": str(mine), "OMP_NUM_THREADS": "1"}
    for name in ("MODEL_DIR", "VIRTUAL_ENV"):
        tools.pop(name, None)
    outside = Installed(environment, folder, tools, ("sklambda",))
    outside.sklambda("new", "mine")
    write_foreign_modules(mine)
    return replace(outside, folder=mine)


def require_sam() -> None:
    """Fail if the SAM tools are not installed."""
    tool(".venv-deploy", "sam")


def run_built(repository: Installed, model: str, function: str, program: str, **set_: str) -> str:
    """Run a program beside a built function, with its built layers and what Lambda has itself."""
    built = repository.folder / ".aws-sam" / model / "build"
    path = [built / function, *(_layer(repository, built, name) for name in _LAYERS[function])]
    package = repository.folder / ".sklambda" / model / "layers/model/package"
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(map(str, [*path, _of_lambda(repository.folder.parent)])),
        "MODEL_DIR": str(package),
        "OMP_NUM_THREADS": "1",
        **set_,
    }
    # Without site-packages: what the layers lack is missing.
    command = [sys.executable, "-S", "-W", "ignore", "-c", program]
    run = subprocess.run(
        command, cwd=built, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def take_layers(repository: Installed, built: SamBuild) -> None:
    """Put layers that were built from this checkout where the repository would build its own."""
    for layer in third_party.layers(installed(), ARCHITECTURE):
        folder = repository.folder / ".sklambda/layers" / layer.name
        shutil.copytree(built.output / layer.resource, folder, copy_function=os.link)


def export_commit(repository: Path, commit: str, folder: Path) -> bool:
    """Write the files of a commit to a folder, unless this clone is too shallow to have it."""
    found = subprocess.run(
        ["git", "cat-file", "-e", f"{commit}^{{commit}}"],
        cwd=repository,
        capture_output=True,
        check=False,
    )
    if found.returncode != 0:
        return False
    archive = folder.with_suffix(".tar")
    subprocess.run(["git", "archive", "--output", str(archive), commit], cwd=repository, check=True)
    shutil.unpack_archive(archive, folder, filter="data")
    archive.unlink()
    return True


def _layer(repository: Installed, built: Path, name: str) -> Path:
    if name.endswith("Layer"):
        return built / name / "python"
    [folder] = (repository.folder / ".sklambda/layers").glob(f"{name}-*")
    return folder / "python"


def _of_lambda(folder: Path) -> Path:
    """Make a folder with the packages of Lambda's Python."""
    found = folder / "of-lambda"
    if not found.exists():
        found.mkdir()
        for name in OF_LAMBDA:
            (found / name).symlink_to(Path(sysconfig.get_path("purelib"), name))
    return found
