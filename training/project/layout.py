"""The application, laid out for a model below ``.sklambda``, where ``sam build`` takes it from."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Final

from training.errors import ConfigurationError
from training.project import third_party
from training.project.application import MODEL, TEMPLATE, VERSION, Application, in_folder, walk
from training.project.repository import INFRA, LAID_OUT, Model

RECORD: Final = "layout.json"
"""In the folder of a layout: the version, and the digest of each file."""

_SHOWN: Final = 5

type Content = Path | bytes


def application_of(model: Model, ours: Application) -> Application:
    """Return the application that a model is deployed with: the ejected one, or `ours`.

    Raises
    ------
    ConfigurationError
        The ejected one came with another version, or holds conflicts that nobody has resolved.
    """
    if not model.infra.is_dir():
        return ours
    where, base = f"{INFRA}/{model.name}", ejected_version(model)
    if base != ours.version:
        raise ConfigurationError(
            f"{where} is of sklambda {base}, and {ours.version} is installed: "
            "run `sklambda upgrade`, which merges the two"
        )
    found = in_folder(model.infra, ours.version)
    if TEMPLATE not in found.files:
        raise ConfigurationError(f"{where}/{TEMPLATE} is absent: restore it")
    marked = conflicts(found)
    if marked:
        raise ConfigurationError(
            f"{where}: {_some(marked)} {'have' if len(marked) > 1 else 'has'} conflict markers "
            "(<<<<<<<): resolve them"
        )
    return found


def ejected_version(model: Model) -> str:
    """Return the version of the base of an ejected application."""
    try:
        return (model.base / VERSION).read_text().strip()
    except OSError:
        folder = model.base.relative_to(model.root)
        raise ConfigurationError(
            f"{folder}/{VERSION} is absent, without which {INFRA}/{model.name} cannot be upgraded: "
            "restore the folder, which `sklambda eject` wrote"
        ) from None


def conflicts(application: Application) -> list[str]:
    """Return the files that hold markers of a conflict."""
    return [
        name
        for name, path in application.files.items()
        if b"\n<<<<<<< " in b"\n" + path.read_bytes()
    ]


def lay_out(model: Model, application: Application, architecture: str) -> None:
    """Write the application and the model's packages below ``.sklambda``, as its folder.

    Raises
    ------
    ConfigurationError
        A file of the folder was edited by hand; the folder is as it was.
    """
    wanted = _contents(model, application, architecture)
    digests = {name: _digest(content) for name, content in wanted.items()}
    require_unedited(model)
    if model.laid_out.is_dir() and _record(model.laid_out).get("files") == digests:
        return
    model.laid_out.parent.mkdir(exist_ok=True)
    record = {"sklambda": application.version, "architecture": architecture, "files": digests}
    with tempfile.TemporaryDirectory(dir=model.laid_out.parent, prefix=f".{model.name}-") as folder:
        fresh, old = Path(folder, "fresh"), Path(folder, "old")
        _write(fresh, {**wanted, RECORD: json.dumps(record, indent=1).encode()})
        if model.laid_out.exists():
            model.laid_out.rename(old)
        fresh.rename(model.laid_out)


def lay_out_again(model: Model, ours: Application) -> None:
    """Write what was laid out for a model before, from the application that it has now."""
    if model.laid_out.is_dir():
        architecture = str(_record(model.laid_out).get("architecture"))
        lay_out(model, application_of(model, ours), architecture)


def laid_out_version(model: Model) -> str | None:
    """Return the version that was laid out for a model last, or None."""
    version = _record(model.laid_out).get("sklambda") if model.laid_out.is_dir() else None
    return None if version is None else str(version)


def require_unedited(model: Model) -> None:
    """Raise `ConfigurationError` if a file below ``.sklambda`` was added, edited or removed."""
    if not model.laid_out.exists():
        return
    written = _record(model.laid_out).get("files")
    where = f"{LAID_OUT}/{model.name}"
    if not isinstance(written, dict):
        raise ConfigurationError(
            f"{where} has no readable {RECORD}, so that nothing says what in it was edited by "
            "hand: move the folder away"
        )
    found = {name: _digest(path) for name, path in walk(model.laid_out) if name != RECORD}
    if found != written:
        edited = sorted(dict(found.items() ^ written.items()))
        raise ConfigurationError(
            f"{where} was edited by hand ({_some(edited)}), and is written anew by each build: "
            f"run `sklambda eject {model.name}` and make the change in {INFRA}/{model.name}; then "
            f"remove {where}"
        )


def _contents(model: Model, application: Application, architecture: str) -> dict[str, Content]:
    layers = third_party.layers(application, architecture)
    sources = tuple(f"{layer.source}/" for layer in layers)
    contents: dict[str, Content] = {
        name: path for name, path in application.files.items() if not name.startswith(sources)
    }
    source = f"{INFRA}/{model.name}" if model.infra.is_dir() else f"sklambda {application.version}"
    header = (
        f"# Laid out for the model {model.name} from {source}, and written anew by each build: "
        f"do not edit.\n# `sklambda eject {model.name}` writes a copy that is yours.\n"
    )
    contents[TEMPLATE] = (header + third_party.shared(application.template, layers)).encode()
    for folder in (model.package, model.challenger):
        if folder.is_dir():
            contents |= {f"{MODEL}/{folder.name}/{name}": path for name, path in walk(folder)}
    return contents


def _write(folder: Path, contents: Mapping[str, Content]) -> None:
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            shutil.copyfile(content, path)


def _digest(content: Content) -> str:
    if isinstance(content, bytes):
        return sha256(content).hexdigest()
    with content.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _record(folder: Path) -> dict[str, object]:
    try:
        record = json.loads((folder / RECORD).read_bytes())
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _some(names: list[str]) -> str:
    """Return the first names of a list, with the number of the others."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
