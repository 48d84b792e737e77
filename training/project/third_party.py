"""Layers of third-party packages, built once for all models of a repository."""

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from training.project.application import Application
from training.project.repository import LAID_OUT, LAYERS
from training.project.tools import Tools

_RESOURCE: Final = re.compile(r"^  (\w+):\n((?:    .*\n|\n)+)", re.MULTILINE)
_MADE: Final = "    Metadata:\n      BuildMethod: makefile\n"
_CONTENT: Final = re.compile(r"^      ContentUri: (layers/\w+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer that the template builds from a makefile and locked requirements.

    Attributes
    ----------
    resource : str
        Its logical id in the template, of which the makefile's target has the name.
    source : str
        The folder of its sources in the application, as ``layers/runtime``.
    files : mapping of str to Path
        Its sources, by their names in that folder.
    name : str
        The name of its folder below ``.sklambda/layers``: with the processor and a digest of
        the sources.
    """

    resource: str
    source: str
    files: Mapping[str, Path]
    name: str


def layers(application: Application, architecture: str) -> list[Layer]:
    """Find the layers of third-party packages in the template.

    One that the user has written otherwise in an ejected template is left to ``sam build``.
    """
    found = []
    for resource, body in _RESOURCE.findall(application.template):
        content = _CONTENT.search(body)
        if content and _MADE in body and f"{content[1]}/requirements.txt" in application.files:
            files = dict(_sources(application, content[1]))
            digest = sha256(architecture.encode())
            for name, path in files.items():
                digest.update(f"\0{name}\0".encode() + path.read_bytes())
            kind = content[1].rpartition("/")[2]
            name = f"{kind}-{architecture}-{digest.hexdigest()[:12]}"
            found.append(Layer(resource, content[1], files, name))
    return found


def shared(template: str, found: list[Layer]) -> str:
    """Return the template with these layers as they are built, below ``../layers``."""
    sources = {layer.resource: layer for layer in found}

    def built(match: re.Match[str]) -> str:
        layer = sources.get(match[1])
        if layer is None:
            return match[0]
        folder = f"ContentUri: ../{LAYERS}/{layer.name}\n"
        return match[0].replace(_MADE, "").replace(f"ContentUri: {layer.source}\n", folder)

    return _RESOURCE.sub(built, template)


def absent(root: Path, found: list[Layer]) -> list[Layer]:
    """Return the layers that are not built yet in a repository."""
    return [layer for layer in found if not (root / LAID_OUT / LAYERS / layer.name).is_dir()]


def build(root: Path, layer: Layer, tools: Tools) -> None:
    """Build a layer into its folder, whole or not at all."""
    folder = root / LAID_OUT / LAYERS
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=f".{layer.name}-") as temporary:
        source, made = Path(temporary, "source"), Path(temporary, "made")
        made.mkdir()
        for name, path in layer.files.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, source / name)
        tools.make(f"build-{layer.resource}", source, made)
        if not (folder / layer.name).exists():  # by another command at the same time
            made.rename(folder / layer.name)


def remove_unused(root: Path) -> None:
    """Remove the built layers that no laid out template names."""
    laid_out = root / LAID_OUT
    templates = [path.read_text() for path in laid_out.glob("*/template.yaml")]
    for folder in (laid_out / LAYERS).glob("[!.]*"):
        if not any(f"/{folder.name}\n" in text for text in templates):
            shutil.rmtree(folder)


def _sources(application: Application, source: str) -> Iterator[tuple[str, Path]]:
    for name, path in sorted(application.files.items()):
        if name.startswith(f"{source}/"):
            yield name.removeprefix(f"{source}/"), path
