"""What `sam build` leaves of the functions and their layers: small enough, and compiled."""

import importlib.util
from pathlib import Path

import pytest

from tests.conftest import Trained
from tests.support.lambda_containers import docker
from tests.support.sam_build import SamBuild

pytestmark = pytest.mark.sam_local

LAYERS = {
    "Predict": ["RuntimeLayer", "SharedLayer"],
    "Batch": ["RuntimeLayer", "TablesLayer", "SharedLayer"],
    "Monitor": ["RuntimeLayer", "SharedLayer"],
}
LARGEST_MEGABYTES = {"Predict": 170, "Batch": 200, "Monitor": 170}
"""Of Lambda's 250 MB for a function and its layers; the rest is room for models."""
UNCHECKED_HASH = 0b01
"""PEP 552: the byte code is named by a hash, and nobody compares it with the module."""
OF_LAMBDA = {"boto3", "botocore", "s3transfer"}
BATCH = """
import sys, boto3, duckdb, zstandard, functions.batch.service
print(boto3.__file__, duckdb.__file__, zstandard.backend, *(sys.modules.keys() & {"pandas"}))
"""
MONITOR = """
import sys, boto3, sklambda
from functions.monitor import events, judge, notify, run, settings
from functions.monitor.alarms import diagnosis, traffic
absent = {"pandas", "scipy", "sklearn", "fastapi", "duckdb"}
print(boto3.__file__, sklambda.__path__[0], *(sys.modules.keys() & absent))
"""


@pytest.mark.parametrize("function", LAYERS)
def test_layers_leave_room_below_lambdas_size_limit(
    sam_build: SamBuild, churn: Trained, function: str
) -> None:
    folders = {name: sam_build.output / name for name in [function, *LAYERS[function]]}

    sizes = {name: megabytes(folder) for name, folder in folders.items()}

    listing = ", ".join(f"{name} {size:.1f}" for name, size in sizes.items())
    total = sum(sizes.values()) + megabytes(churn.package)
    assert total < LARGEST_MEGABYTES[function], f"MB unzipped: {listing}"


@pytest.mark.parametrize("function", LAYERS)
def test_every_module_has_its_byte_code(sam_build: SamBuild, function: str) -> None:
    modules = modules_of(sam_build, function)

    compiled = [Path(importlib.util.cache_from_source(str(module))) for module in modules]

    assert len(modules) > 100
    assert [path for path in compiled if not path.exists()] == []


@pytest.mark.parametrize("function", LAYERS)
def test_byte_code_is_used_without_a_look_at_the_modules_times(
    sam_build: SamBuild, function: str
) -> None:
    compiled = [importlib.util.cache_from_source(str(it)) for it in modules_of(sam_build, function)]

    flags = {int.from_bytes(Path(path).read_bytes()[4:8], "little") for path in compiled}

    assert flags == {UNCHECKED_HASH}


@pytest.mark.parametrize("function", LAYERS)
def test_what_lambda_has_itself_is_in_no_layer(sam_build: SamBuild, function: str) -> None:
    packages = {
        path.name
        for layer in LAYERS[function]
        for path in (sam_build.output / layer / "python").iterdir()
    }

    assert packages & OF_LAMBDA == set()


def test_batch_starts_in_lambdas_image_with_lambdas_boto3(
    lambda_image: str, sam_build: SamBuild
) -> None:
    boto3, duckdb, backend = said(lambda_image, sam_build, "Batch", BATCH)

    assert boto3.startswith("/var/runtime/")
    assert duckdb.startswith(str(sam_build.output / "TablesLayer"))
    assert backend == "cext"


def test_the_monitor_starts_in_lambdas_image_with_numpy_and_little_else(
    lambda_image: str, sam_build: SamBuild
) -> None:
    boto3, sklambda = said(lambda_image, sam_build, "Monitor", MONITOR)

    assert boto3.startswith("/var/runtime/")
    assert sklambda.startswith(str(sam_build.output / "SharedLayer"))


def said(image: str, sam_build: SamBuild, function: str, program: str) -> list[str]:
    """Give the words that a program prints beside a built function, in Lambda's image."""
    layers = [f"{sam_build.output / name}/python" for name in LAYERS[function]]
    code = str(sam_build.output / function)
    mounts = [f"--volume={folder}:{folder}:ro" for folder in [code, *layers]]
    path = ":".join([code, *layers, "/var/runtime"])
    return docker(
        "run", "--rm", *mounts, f"--env=PYTHONPATH={path}", "--entrypoint=/var/lang/bin/python3.13",
        image, "-c", program,
    ).split()  # fmt: skip


def modules_of(sam_build: SamBuild, function: str) -> list[Path]:
    folders = [sam_build.output / function, *(sam_build.output / it for it in LAYERS[function])]
    return [module for folder in folders for module in folder.rglob("*.py")]


def megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
