"""Which packages a service opens, which of them is the default, and what is refused by name."""

import shutil
from pathlib import Path

import pytest

from functions.predict.packages import holds_packages, open_packages, package_in
from functions.predict.settings import Settings
from sklambda.errors import PackageRefused, SettingsInvalid
from tests.conftest import Trained
from tests.support.several_models import Several, gather

ONE = Settings(Path(), 10, 10_000, "INFO")


def opened(folder: Path, default: str = "") -> list[str]:
    settings = Settings(Path("/no"), 10, 10_000, "INFO", models_dir=folder, default_model=default)
    return [predictor.package.manifest.name for predictor in open_packages(settings)]


@pytest.fixture
def folder(several: Several, tmp_path: Path) -> Path:
    """A copy of both packages, to be spoiled."""
    return Path(shutil.copytree(several.folder, tmp_path / "models"))


@pytest.mark.parametrize("default", ["churn", "numeric"])
def test_the_default_model_comes_first(several: Several, default: str) -> None:
    other = {"churn": "numeric", "numeric": "churn"}[default]

    assert opened(several.folder, default) == [default, other]


def test_of_several_models_one_must_be_the_default(several: Several) -> None:
    with pytest.raises(SettingsInvalid, match="DEFAULT_MODEL must be one of churn, numeric, got"):
        opened(several.folder)


def test_the_default_model_must_be_there(several: Several) -> None:
    with pytest.raises(SettingsInvalid, match="one of churn, numeric, got 'chrun'"):
        opened(several.folder, "chrun")


def test_a_single_model_is_the_default(churn: Trained, tmp_path: Path) -> None:
    assert opened(gather(tmp_path, churn=churn).folder) == ["churn"]


def test_the_default_of_a_single_package_must_be_its_name(churn: Trained) -> None:
    settings = Settings(churn.package, 10, 10_000, "INFO", default_model="other")

    with pytest.raises(SettingsInvalid, match="one of churn, got 'other'"):
        open_packages(settings)


def test_a_package_may_lie_beside_its_pipeline(folder: Path) -> None:
    whole = folder / "churn"
    whole.rename(folder / ".moved")
    whole.mkdir()
    (whole / "pipeline.py").touch()
    (folder / ".moved").rename(whole / "package")

    assert opened(folder, "churn") == ["churn", "numeric"]


def test_files_and_the_folders_of_tools_are_no_models(folder: Path) -> None:
    (folder / "README.md").touch()
    (folder / ".git").mkdir()
    (folder / "__pycache__").mkdir()

    assert opened(folder, "churn") == ["churn", "numeric"]


def test_a_damaged_package_is_refused_by_name(folder: Path) -> None:
    (folder / "numeric/model.onnx").write_bytes(b"damaged")

    with pytest.raises(PackageRefused, match="numeric"):
        opened(folder, "churn")


def test_a_folder_without_a_package_is_refused_by_name(folder: Path) -> None:
    (folder / "later").mkdir()

    with pytest.raises(PackageRefused, match="later is no model package"):
        opened(folder, "churn")


def test_a_folder_has_the_name_of_its_model(folder: Path) -> None:
    (folder / "numeric").rename(folder / "renamed")

    with pytest.raises(PackageRefused, match="renamed holds the package of 'numeric'"):
        opened(folder, "churn")


def test_a_folder_that_is_absent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackageRefused, match="nowhere is no folder of model packages: no such"):
        opened(tmp_path / "nowhere")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackageRefused, match="it has no folder by the name of a model"):
        opened(tmp_path)


def test_a_package_in_place_of_a_folder_of_packages_is_refused(churn: Trained) -> None:
    with pytest.raises(PackageRefused, match="set MODEL_DIR"):
        opened(churn.package)


def test_a_folder_of_packages_is_told_from_a_package(
    several: Several, churn: Trained, tmp_path: Path
) -> None:
    shutil.copytree(churn.package, tmp_path / "churn/package")

    assert holds_packages(several.folder)
    assert holds_packages(tmp_path)
    assert not holds_packages(churn.package)
    assert not holds_packages(tmp_path / "churn")
    assert not holds_packages(tmp_path / "nowhere")
    assert package_in(tmp_path / "churn") == tmp_path / "churn/package"
