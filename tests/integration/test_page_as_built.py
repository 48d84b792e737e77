"""The page as `sam build` ships it: its files are no modules, missed only in Lambda."""

from tests.conftest import REPOSITORY
from tests.support.sam_build import SamBuild


def test_the_build_ships_the_files_of_the_page(sam_build: SamBuild) -> None:
    source, built = (
        root / "functions/predict/pages" for root in (REPOSITORY, sam_build.output / "Predict")
    )

    shipped = {path.name: path.read_bytes() for path in built.iterdir()}
    assert shipped == {path.name: path.read_bytes() for path in source.iterdir()}
