"""Where the files of the application are: in the installed package, a wheel or a folder."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Final
from zipfile import BadZipFile, ZipFile

from sklambda.__main__ import application_root
from training.errors import ConfigurationError

TEMPLATE: Final = "template.yaml"
MODEL: Final = "layers/model"
VERSION: Final = "VERSION"
"""In the folder of a base: the version of the application."""

_SHARED: Final = "layers/shared"
_FOLDERS: Final = ("functions", "layers")
_CACHES: Final = "__pycache__"


@dataclass(frozen=True, slots=True)
class Application:
    """The template, the functions and the layers, without a model.

    Attributes
    ----------
    version : str
        The version of sklambda that it came with.
    files : mapping of str to Path
        By their names in the application, as ``functions/predict/handler.py``.
    """

    version: str
    files: Mapping[str, Path]

    @property
    def template(self) -> str:
        """The text of the template."""
        return self.files[TEMPLATE].read_text()


def installed() -> Application:
    """Return the application of the sklambda that runs."""
    return Application(
        version("sklambda"), _packaged(application_root(), Path(str(files("sklambda"))))
    )


def in_folder(folder: Path, release: str) -> Application:
    """Return the application whose files, all of them, are those of a folder."""
    return Application(release, {name: path for name, path in walk(folder) if name != VERSION})


def in_source(source: Path, folder: Path) -> Application | None:
    """Return the application of a wheel of sklambda, unpacked in `folder`, or of a checkout.

    None is a wheel that carries no application, as those before `sklambda build` do.

    Raises
    ------
    ConfigurationError
        The source is neither.
    """
    if source.is_dir():
        if not (source / TEMPLATE).is_file():
            raise ConfigurationError(f"{source} holds no {TEMPLATE}: name a wheel or a checkout")
        files = _packaged(source, source / _SHARED / "sklambda")
        return Application(f"of {source}", files)
    try:
        with ZipFile(source) as archive:
            archive.extractall(folder)
    except BadZipFile:
        raise ConfigurationError(f"{source} is no wheel of sklambda") from None
    releases = [path.name for path in folder.glob("sklambda-*.dist-info")]
    if not releases:
        raise ConfigurationError(f"{source} is no wheel of sklambda")
    if not (folder / "sklambda_app" / TEMPLATE).is_file():
        return None
    release = releases[0].removeprefix("sklambda-").removesuffix(".dist-info")
    return Application(release, _packaged(folder / "sklambda_app", folder / "sklambda"))


def walk(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files of a folder by their names in it, in order, without caches of byte code."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and _CACHES not in path.parts:
            yield path.relative_to(folder).as_posix(), path


def _packaged(root: Path, shared: Path) -> dict[str, Path]:
    """Find the files below `root`, where `shared` is the package ``sklambda``."""
    found = {TEMPLATE: root / TEMPLATE, f"{_SHARED}/Makefile": root / _SHARED / "Makefile"}
    for folder in _FOLDERS:
        for name, path in walk(root / folder):
            if not f"{folder}/{name}".startswith((f"{_SHARED}/", f"{MODEL}/")):
                found[f"{folder}/{name}"] = path
    return found | {f"{_SHARED}/sklambda/{name}": path for name, path in walk(shared)}
