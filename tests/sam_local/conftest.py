from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.sam_local.start_api import LocalApi, cleaned_up, start_api
from tests.support.sam_build import SamBuild

type LocalApiFactory = Callable[[Path], LocalApi]


@pytest.fixture(scope="session")
def local_api_factory(
    lambda_image: str, sam_build: SamBuild, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalApiFactory]:
    """Serves a model package in a real Lambda container; each package has one API per session."""
    logs = tmp_path_factory.mktemp("start-api")
    apis: dict[Path, LocalApi] = {}
    with ExitStack() as servers:

        def serve(package: Path) -> LocalApi:
            if package not in apis:
                log = logs / f"{len(apis)}.log"
                apis[package] = servers.enter_context(start_api(sam_build.template(package), log))
            return apis[package]

        with cleaned_up(sam_build.output):
            yield serve
