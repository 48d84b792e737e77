"""A package is written whole, over a package or over nothing."""

import shutil
from pathlib import Path

import pytest

from sklambda.errors import PackageRefused
from sklambda.package import ModelPackage
from tests.conftest import Trained
from tests.support.packages import facts
from training.package_writer import write


def test_nothing_but_a_package_is_ever_replaced(churn: Trained, tmp_path: Path) -> None:
    whole = ModelPackage.open(churn.package)
    (tmp_path / "thesis.tex").write_text("years of work")

    with pytest.raises(PackageRefused, match="not a model package"):
        write(tmp_path, whole.model, whole.signature, whole.golden, facts(whole))

    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_package_replaces_another_and_leaves_nothing_beside_it(
    churn: Trained, tmp_path: Path
) -> None:
    package = Path(shutil.copytree(churn.package, tmp_path / "package"))
    whole = ModelPackage.open(churn.package)
    fewer = whole.golden[:3]

    written = write(package, whole.model, whole.signature, fewer, facts(whole))

    assert written.golden == fewer
    assert written.manifest.id != whole.manifest.id
    assert [path.name for path in package.parent.iterdir()] == [package.name]
