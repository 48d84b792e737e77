"""The files of a repository of the user's own."""

from importlib.metadata import version
from pathlib import Path
from typing import Final

from training.errors import ConfigurationError
from training.project.repository import CONFIG, MODELS, REQUIREMENTS

_SOURCE: Final = Path(__file__).parent / "repository_files"
_FILES: Final = {
    "README.md": "README.md",
    CONFIG: CONFIG,
    ".gitignore": "gitignore",
    ".github/workflows/model.yml": "model.yml",
}
"""Where they go, and their names here."""


def new(folder: Path) -> list[str]:
    """Write the files of a repository into a folder, which may be there; return their names.

    Raises
    ------
    ConfigurationError
        One of the files is there already; none is written.
    """
    contents = {name: (_SOURCE / source).read_bytes() for name, source in _FILES.items()}
    contents[REQUIREMENTS] = f"sklambda[training,serving]=={version('sklambda')}\n".encode()
    contents[f"{MODELS}/.gitkeep"] = b""
    there = [name for name in contents if (folder / name).exists()]
    if there:
        raise ConfigurationError(
            f"{folder} has {', '.join(there)} already: move {'them' if there[1:] else 'it'} away, "
            "or name another folder; nothing was written"
        )
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return sorted(contents)
