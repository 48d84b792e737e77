"""A copy of the application that is the user's, with its base beside it."""

import shutil
import tempfile
from pathlib import Path

from training.errors import ConfigurationError
from training.project.application import VERSION, Application
from training.project.repository import Model


def eject(model: Model, application: Application) -> None:
    """Copy the application to ``infra/NAME``, and once more as the base of later merges.

    Raises
    ------
    ConfigurationError
        One of the folders is there already.
    """
    for folder in (model.infra, model.base):
        if folder.exists():
            raise ConfigurationError(
                f"{folder.relative_to(model.root)} is there already, and was left as it is: "
                "move it away to begin anew"
            )
    replace_base(model, application)
    with tempfile.TemporaryDirectory(dir=model.base.parent, prefix=f".{model.name}-") as temporary:
        fresh = Path(temporary, "fresh")
        _copy(application, fresh)
        fresh.rename(model.infra)


def replace_base(model: Model, application: Application) -> None:
    """Write the base of an ejected application, whole or not at all."""
    model.base.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=model.base.parent, prefix=f".{model.name}-") as temporary:
        fresh, old = Path(temporary, "fresh"), Path(temporary, "old")
        _copy(application, fresh)
        (fresh / VERSION).write_text(f"{application.version}\n")
        if model.base.exists():
            model.base.rename(old)
        fresh.rename(model.base)


def _copy(application: Application, folder: Path) -> None:
    for name, path in application.files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
