"""The application is found in this checkout, in a wheel and in a folder."""

from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.conftest import REPOSITORY
from training.errors import ConfigurationError
from training.project.application import in_source, installed


def wheel(path: Path, **files: str) -> Path:
    with ZipFile(path, "w") as archive:
        archive.writestr("sklambda-3.2.1.dist-info/METADATA", "")
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_the_application_of_a_checkout_has_its_template_functions_and_layers() -> None:
    files = installed().files

    for name in (
        "template.yaml",
        "functions/predict/handler.py",
        "functions/predict/Makefile",
        "functions/batch/machine.asl.json",
        "layers/runtime/requirements.txt",
        "layers/shared/Makefile",
        "layers/shared/sklambda/package.py",
    ):
        assert files[name] == REPOSITORY / name


def test_the_application_holds_no_model_no_cache_and_no_training() -> None:
    names = list(installed().files)

    assert [name for name in names if "layers/model" in name or "__pycache__" in name] == []
    assert {name.split("/")[0] for name in names} == {"template.yaml", "functions", "layers"}


def test_a_wheel_has_the_files_that_a_checkout_has(tmp_path: Path) -> None:
    names = {
        "sklambda_app/template.yaml": "a template",
        "sklambda_app/functions/predict/Makefile": "",
        "sklambda_app/layers/shared/Makefile": "",
        "sklambda_app/training/errors.py": "",
        "sklambda/errors.py": "",
    }

    found = in_source(wheel(tmp_path / "one.whl", **names), tmp_path / "unpacked")

    assert found is not None
    assert (found.version, found.template) == ("3.2.1", "a template")
    assert sorted(found.files) == [
        "functions/predict/Makefile",
        "layers/shared/Makefile",
        "layers/shared/sklambda/errors.py",
        "template.yaml",
    ]


def test_a_wheel_of_before_carries_no_application(tmp_path: Path) -> None:
    before = wheel(tmp_path / "one.whl", **{"sklambda/errors.py": ""})

    assert in_source(before, tmp_path / "unpacked") is None


def test_a_checkout_is_a_source(tmp_path: Path) -> None:
    found = in_source(REPOSITORY, tmp_path)

    assert found is not None
    assert found.files == installed().files


def test_what_is_no_wheel_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.whl").write_text("no archive")
    with ZipFile(tmp_path / "other.whl", "w") as archive:
        archive.writestr("other-1.0.dist-info/METADATA", "")
    (tmp_path / "empty").mkdir()

    for name, said in (("text.whl", "no wheel"), ("other.whl", "no wheel"), ("empty", "checkout")):
        with pytest.raises(ConfigurationError, match=rf"{name}.* {said}"):
            in_source(tmp_path / name, tmp_path / "unpacked")
