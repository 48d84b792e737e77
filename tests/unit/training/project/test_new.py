"""`sklambda new` writes few files, which are the user's."""

import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from tests.conftest import REPOSITORY
from training.errors import ConfigurationError
from training.project.new import new
from training.project.repository import Repository


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_files_are_six(tmp_path: Path) -> None:
    written = new(tmp_path / "deep/mine")

    assert written == [
        ".github/workflows/model.yml",
        ".gitignore",
        "README.md",
        "models/.gitkeep",
        "requirements.txt",
        "samconfig.toml",
    ]
    assert set(written) == set(files(tmp_path / "deep/mine"))


def test_the_requirement_is_the_version_that_runs(tmp_path: Path) -> None:
    new(tmp_path)

    assert (tmp_path / "requirements.txt").read_text() == (
        f"sklambda[training,serving]=={version('sklambda')}\n"
    )
    assert Repository(tmp_path).required_version() == version("sklambda")


def test_a_folder_with_other_files_keeps_them(tmp_path: Path) -> None:
    (tmp_path / "training").mkdir()
    (tmp_path / "training/mine.py").write_text("mine")

    new(tmp_path)

    assert (tmp_path / "training/mine.py").read_text() == "mine"


def test_a_file_of_the_users_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / "samconfig.toml").write_text("mine")

    with pytest.raises(ConfigurationError, match=r"has README.md, samconfig.toml already"):
        new(tmp_path)

    assert files(tmp_path) == {"README.md": b"mine", "samconfig.toml": b"mine"}


def test_a_second_time_is_refused(tmp_path: Path) -> None:
    new(tmp_path)
    before = files(tmp_path)

    with pytest.raises(ConfigurationError, match="nothing was written"):
        new(tmp_path)

    assert files(tmp_path) == before


def test_the_stages_are_those_of_this_repository(tmp_path: Path) -> None:
    new(tmp_path)
    ours, theirs = (
        tomllib.loads((folder / "samconfig.toml").read_text()) for folder in (REPOSITORY, tmp_path)
    )

    for stage in ("staging", "prod"):
        # `sklambda deploy` says so itself.
        ours[stage]["deploy"]["parameters"].pop("fail_on_empty_changeset")
        assert theirs[stage]["deploy"] == ours[stage]["deploy"]


def test_the_workflow_deploys_the_package_that_it_has_trained(tmp_path: Path) -> None:
    new(tmp_path)
    jobs = yaml.safe_load((tmp_path / ".github/workflows/model.yml").read_text())["jobs"]

    trained, deployed = (
        [step.get("run", step.get("uses", "")) for step in jobs[name]["steps"]]
        for name in ("train", "deploy")
    )

    assert [line.split()[1] for line in trained if line.startswith("sklambda")] == [
        "train",
        "verify",
        "build",
    ]
    assert trained[-1].startswith("actions/upload-artifact")
    assert deployed[-2].startswith("actions/download-artifact")
    assert deployed[-1].startswith("sklambda deploy")
    assert "train " not in " ".join(deployed)


def test_the_readme_has_ten_lines(tmp_path: Path) -> None:
    new(tmp_path)

    assert len((tmp_path / "README.md").read_text().splitlines()) == 10
