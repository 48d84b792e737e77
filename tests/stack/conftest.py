from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Trained
from tests.sam_build import SamBuild
from tests.stack.deployment import Stack, deploy
from tests.stack.emulator import Emulator, started

type StackFactory = Callable[[str, Path], Stack]


@pytest.fixture(scope="session")
def emulator(lambda_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An AWS emulator that enforces policies and runs functions in real Lambda containers."""
    with started(tmp_path_factory.mktemp("emulator")) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def stack(emulator: Emulator, sam_build: SamBuild, churn: Trained) -> Stack:
    """The whole application, deployed by `sam deploy`."""
    return deploy("sklambda", sam_build.template(churn.package), emulator)


@pytest.fixture(scope="session")
def stack_factory(emulator: Emulator, sam_build: SamBuild) -> StackFactory:
    """Deploys a model package as a stack of its own."""

    def make(name: str, package: Path) -> Stack:
        return deploy(name, sam_build.template(package), emulator)

    return make
