"""A layout below `.sklambda` is what was wanted, or a person's edit, which is never lost."""

import shutil
from pathlib import Path

import pytest

from tests.unit.training.project.conftest import MakeApplication
from training.errors import ConfigurationError
from training.project import layout, third_party
from training.project.application import Application, walk
from training.project.eject import eject
from training.project.layout import application_of, laid_out_version, lay_out, lay_out_again
from training.project.repository import Model


def contents(folder: Path) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in walk(folder)}


def test_the_application_and_the_package_are_laid_out(
    model: Model, application: Application
) -> None:
    lay_out(model, application, "x86_64")

    assert set(contents(model.laid_out)) == {
        "template.yaml",
        "functions/predict/handler.py",
        "layers/shared/Makefile",
        "layers/model/package/manifest.json",
        "layout.json",
    }
    assert laid_out_version(model) == "1.0"


def test_a_challenger_is_laid_out_beside_the_package(
    model: Model, application: Application
) -> None:
    shutil.copytree(model.package, model.challenger)

    lay_out(model, application, "x86_64")

    assert "layers/model/challenger/manifest.json" in contents(model.laid_out)


def test_the_template_says_where_it_comes_from_and_takes_shared_layers(
    model: Model, application: Application
) -> None:
    [layer] = third_party.layers(application, "x86_64")

    lay_out(model, application, "x86_64")

    text = (model.laid_out / "template.yaml").read_text()
    assert text.startswith("# Laid out for the model churn from sklambda 1.0")
    assert f"ContentUri: ../layers/{layer.name}\n" in text
    assert text.count("BuildMethod: makefile") == 1
    assert "ContentUri: layers/shared\n    Metadata:" in text


@pytest.mark.parametrize("name", ["template.yaml", "functions/predict/handler.py"])
def test_an_edited_file_is_refused_by_name_and_kept(
    model: Model, application: Application, application_factory: MakeApplication, name: str
) -> None:
    lay_out(model, application, "x86_64")
    (model.laid_out / name).write_text("mine")
    before = contents(model.laid_out)

    with pytest.raises(ConfigurationError, match=rf"edited by hand \({name}\).*sklambda eject"):
        lay_out(model, application_factory("2.0"), "x86_64")

    assert contents(model.laid_out) == before


def test_a_file_that_was_added_or_removed_is_an_edit(
    model: Model, application: Application
) -> None:
    lay_out(model, application, "x86_64")
    (model.laid_out / "functions/predict/mine.py").write_text("mine")
    (model.laid_out / "layers/shared/Makefile").unlink()

    with pytest.raises(ConfigurationError, match=r"functions/predict/mine.py, layers/shared/Make"):
        lay_out(model, application, "x86_64")


def test_a_folder_that_nobody_has_laid_out_is_refused(
    model: Model, application: Application
) -> None:
    model.laid_out.mkdir(parents=True)
    (model.laid_out / "thesis.tex").write_text("mine")

    with pytest.raises(ConfigurationError, match=r"no readable layout.json.*move the folder away"):
        lay_out(model, application, "x86_64")

    assert set(contents(model.laid_out)) == {"thesis.tex"}


def test_caches_of_byte_code_are_no_edit(model: Model, application: Application) -> None:
    lay_out(model, application, "x86_64")
    (model.laid_out / "functions/__pycache__").mkdir()
    (model.laid_out / "functions/__pycache__/handler.pyc").write_bytes(b"")

    lay_out(model, application, "x86_64")


def test_the_same_is_not_written_twice(model: Model, application: Application) -> None:
    lay_out(model, application, "x86_64")
    before = model.laid_out.stat().st_ino

    lay_out(model, application, "x86_64")

    assert model.laid_out.stat().st_ino == before


def test_another_version_takes_the_place_and_leaves_nothing(
    model: Model, application: Application, application_factory: MakeApplication
) -> None:
    lay_out(model, application, "x86_64")
    other = application_factory(
        "2.0", {"functions/predict/handler.py": None, "functions/predict/new.py": "new"}
    )

    lay_out_again(model, other)

    assert "functions/predict/new.py" in contents(model.laid_out)
    assert "functions/predict/handler.py" not in contents(model.laid_out)
    assert laid_out_version(model) == "2.0"
    assert [path.name for path in model.laid_out.parent.iterdir()] == ["churn"]


def test_what_was_never_laid_out_is_not_laid_out_again(
    model: Model, application: Application
) -> None:
    lay_out_again(model, application)

    assert not model.laid_out.exists()


def test_an_ejected_application_is_the_users(model: Model, application: Application) -> None:
    eject(model, application)
    (model.infra / "functions/predict/mine.py").write_text("mine")

    lay_out(model, application_of(model, application), "x86_64")

    assert contents(model.laid_out)["functions/predict/mine.py"] == b"mine"
    assert "from infra/churn" in (model.laid_out / "template.yaml").read_text()


def test_an_ejected_application_of_another_version_is_refused(
    model: Model, application: Application, application_factory: MakeApplication
) -> None:
    eject(model, application)

    with pytest.raises(ConfigurationError, match=r"sklambda 1.0, and 2.0.*sklambda upgrade"):
        application_of(model, application_factory("2.0"))


def test_conflict_markers_are_not_built(model: Model, application: Application) -> None:
    eject(model, application)
    (model.infra / "template.yaml").write_text("<<<<<<< yours\n=======\n>>>>>>> 2.0\n")

    with pytest.raises(ConfigurationError, match=r"infra/churn: template.yaml has conflict"):
        application_of(model, application)


def test_an_ejected_application_without_its_base_is_refused(
    model: Model, application: Application
) -> None:
    eject(model, application)
    shutil.rmtree(model.base)

    with pytest.raises(ConfigurationError, match=r"infra/.base/churn/VERSION is absent.*restore"):
        application_of(model, application)


def test_of_many_edited_files_the_first_are_named(model: Model, application: Application) -> None:
    lay_out(model, application, "x86_64")
    for number in range(9):
        (model.laid_out / f"{number}.txt").write_text("mine")

    with pytest.raises(ConfigurationError, match=r"0.txt, .*, 4.txt and 4 more"):
        layout.require_unedited(model)
