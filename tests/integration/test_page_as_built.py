"""Pages and reports as `sam build` ships them: no modules, so that only Lambda would miss them."""

from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.support.sam_build import SamBuild


def shown(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.iterdir() if path.suffix in (".css", ".html", ".js"))
    return {path.name: path.read_bytes() for path in files}


@pytest.mark.parametrize(
    ("function", "folder"),
    [("Predict", "functions/predict/pages"), ("Monitor", "functions/monitor/report")],
)
def test_the_build_ships_what_is_shown(sam_build: SamBuild, function: str, folder: str) -> None:
    source, built = shown(REPOSITORY / folder), shown(sam_build.output / function / folder)

    assert source
    assert built == source
