from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import Trained
from tests.stack.deployment import Stack, deploy
from tests.stack.emulator import Emulator, started
from tests.stack.issuer import AUDIENCE, Issuer, serving
from tests.support.sam_build import SamBuild

TOLD = {
    "Auth": "JWT",
    "JwtAudience": AUDIENCE,
    "OpenPage": "true",
    "Capture": "raw",
    "Feedback": "on",
    "SnapStart": "PublishedVersions",
    "BatchDistributeAbove": "1",
    "BatchPartBytes": "40000",
    "BatchSchedule": '"rate(1 minute)"',  # SAM splits at blanks
    "MonitorSchedule": '"rate(365 days)"',  # a test has it fire when there is something to see
}
"""Parameters of the stack that is not as it comes."""

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
def issuer(emulator: Emulator) -> Iterator[Issuer]:
    """An issuer whose tokens the stack of `told` accepts."""
    with serving(str(urlsplit(emulator.endpoint).hostname), emulator.trusted) as issuer:
        yield issuer


@pytest.fixture(scope="session")
def told(emulator: Emulator, sam_build: SamBuild, churn: Trained, issuer: Issuer) -> Stack:
    """The application with tokens for keys, an open page, captures and snapshots, in one stack."""
    template = sam_build.template(churn.package)
    return deploy("sklambda-told", template, emulator, JwtIssuer=issuer.address, **TOLD)


@pytest.fixture(scope="session")
def stack_factory(emulator: Emulator, sam_build: SamBuild) -> StackFactory:
    """Deploys a model package as a stack of its own, once."""

    @cache
    def make(name: str, package: Path) -> Stack:
        return deploy(name, sam_build.template(package), emulator)

    return make
