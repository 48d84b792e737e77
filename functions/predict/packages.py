"""Opens the model packages of a service: one, or those of a folder by name."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from functions.predict.settings import Settings
from sklambda.errors import PackageRefused, SettingsInvalid
from sklambda.package import MANIFEST
from sklambda.predictor import Predictor

_INNER: Final = "package"
"""The folder of the package beside a model's pipeline, as a repository of models has it."""


def open_packages(settings: Settings) -> list[Predictor]:
    """Open all packages of the settings, the default one first.

    Raises
    ------
    PackageRefused
        A package is absent or damaged, or its folder has not the name of its model.
    SettingsInvalid
        ``DEFAULT_MODEL`` names none of several models, or a model that is absent.
    """
    if settings.models_dir is None:
        predictors = [Predictor.open(settings.model_dir)]
    else:
        predictors = [_open(folder) for folder in _folders(settings.models_dir)]
    names = [predictor.package.manifest.name for predictor in predictors]
    default = settings.default_model or names[0]
    if default not in names or (len(names) > 1 and not settings.default_model):
        got = repr(settings.default_model) if settings.default_model else "none"
        raise SettingsInvalid(
            f"DEFAULT_MODEL must be one of {', '.join(sorted(names))}, got {got}: it answers "
            "requests that name no model"
        )
    return sorted(predictors, key=lambda predictor: predictor.package.manifest.name != default)


def holds_packages(folder: Path) -> bool:
    """Return whether a folder holds packages by name, and is not that of one model."""
    if not folder.is_dir() or (package_in(folder) / MANIFEST).exists():
        return False
    return any((package_in(inner) / MANIFEST).exists() for inner in _inner_folders(folder))


def package_in(folder: Path) -> Path:
    """Return the package of a model's folder, which is in it or the folder itself."""
    inner = folder / _INNER
    return inner if (inner / MANIFEST).exists() else folder


def _folders(folder: Path) -> Iterator[Path]:
    """Return the folders of the models, by name."""
    if (folder / MANIFEST).exists():
        raise PackageRefused(
            f"{folder} is a model package, and MODELS_DIR a folder of packages: set MODEL_DIR to it"
        )
    try:
        found = list(_inner_folders(folder))
    except OSError as error:
        reason = str(error.strerror).lower()
        raise PackageRefused(f"{folder} is no folder of model packages: {reason}") from None
    if not found:
        raise PackageRefused(
            f"{folder} is no folder of model packages: it has no folder by the name of a model"
        )
    yield from found


def _inner_folders(folder: Path) -> list[Path]:
    """Return the folders in a folder, without those of tools: .git, __pycache__."""
    inner = (path for path in folder.iterdir() if not path.name.startswith((".", "__")))
    return sorted(path for path in inner if path.is_dir())


def _open(folder: Path) -> Predictor:
    predictor = Predictor.open(package_in(folder))
    name = predictor.package.manifest.name
    if name != folder.name:
        raise PackageRefused(
            f"{folder} holds the package of {name!r}: the folder must have the name of its model"
        )
    return predictor
