"""`sklambda eject` copies the application once, with its base beside it."""

import pytest

from training.errors import ConfigurationError
from training.project.application import Application, walk
from training.project.eject import eject
from training.project.repository import Model


def test_the_copy_and_its_base_are_the_application(model: Model, application: Application) -> None:
    eject(model, application)

    expected = {name: path.read_bytes() for name, path in application.files.items()}
    assert {name: path.read_bytes() for name, path in walk(model.infra)} == expected
    assert {name: path.read_bytes() for name, path in walk(model.base)} == {
        **expected,
        "VERSION": b"1.0\n",
    }
    assert {path.name for path in model.infra.parent.iterdir()} == {"churn", ".base"}


@pytest.mark.parametrize("place", ["infra", "base"])
def test_a_folder_that_is_there_is_left_as_it_is(
    model: Model, application: Application, place: str
) -> None:
    folder = getattr(model, place)
    folder.mkdir(parents=True)
    (folder / "mine.txt").write_text("mine")

    with pytest.raises(ConfigurationError, match=rf"{folder.name} is there already"):
        eject(model, application)

    assert [name for name, _ in walk(folder)] == ["mine.txt"]
