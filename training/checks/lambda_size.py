"""How much of Lambda's size limit the built functions use, each with its layers and the package."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from training.errors import ConfigurationError

LIMIT: Final = 262_144_000
"""Bytes that a function and its layers may have unzipped: the 250 MB of Lambda's quotas."""

BUILT: Final = Path(".aws-sam/build")
"""Where `sam build` leaves functions, layers and the template."""

_MODEL: Final = "ModelLayer"
_RESOURCE: Final = re.compile(r"^  (\w+):\n((?:    .*\n|\n)+)", re.MULTILINE)
_FOLDER: Final = re.compile(r"^      (?:CodeUri|ContentUri): (.+)$", re.MULTILINE)
_LAYERS: Final = re.compile(r"^      Layers:\n((?:      - Ref: \w+\n)+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class BuiltFunction:
    """A built function with the sizes of its parts in bytes, unzipped, by their names."""

    name: str
    parts: dict[str, int]

    @property
    def size(self) -> int:
        """The size of the function with its layers."""
        return sum(self.parts.values())

    @property
    def without_model(self) -> int | None:
        """The size without the package; None for a function that has no model."""
        return self.size - self.parts[_MODEL] if _MODEL in self.parts else None


def built_functions(build: Path) -> list[BuiltFunction]:
    """Return the functions of the template that `sam build` wrote in the folder `build`.

    Raises
    ------
    ConfigurationError
        There is no such template, or a folder that it names is absent.
    """
    try:
        text = (build / "template.yaml").read_text()
    except OSError:
        raise ConfigurationError(f"{build} holds no template.yaml: run `make build`") from None
    bodies = dict(_RESOURCE.findall(text.partition("\nResources:\n")[2]))
    folders = {
        name: build / found[1] for name, body in bodies.items() if (found := _FOLDER.search(body))
    }
    return [
        BuiltFunction(name, {part: _size(folders[part]) for part in [name, *_layers(body)]})
        for name, body in bodies.items()
        if "    Type: AWS::Serverless::Function\n" in body
    ]


def check(build: Path) -> list[BuiltFunction]:
    """Return the built functions; raise `ConfigurationError` if one is too large for Lambda."""
    functions = built_functions(build)
    for function in functions:
        if function.size > LIMIT:
            largest = sorted(function.parts.items(), key=lambda part: -part[1])
            parts = ", ".join(f"{name} {size:,}" for name, size in largest)
            raise ConfigurationError(
                f"{function.name} has {function.size:,} bytes unzipped with its layers, and Lambda "
                f"accepts up to {LIMIT:,} ({parts}): train a smaller model, as one of fewer or "
                "shallower trees"
            )
    return functions


def used(package: int, build: Path = BUILT) -> str:
    """Return how much of the limit a package of so many bytes uses, with what was built last.

    What a function and its layers need is measured on the last build; without one only the
    package counts.
    """
    try:
        functions = built_functions(build)
    except ConfigurationError:
        functions = []
    rest, name = max(
        ((one.without_model, one.name) for one in functions if one.without_model is not None),
        default=(0, ""),
    )
    share = f"{(package + rest) / LIMIT:.1%} of Lambda's 250 MB"
    if name:
        return f"{share}, with {name} and its layers"
    return f"{share}, before functions and layers"


def _layers(body: str) -> list[str]:
    found = _LAYERS.search(body)
    return re.findall(r"- Ref: (\w+)", found[1]) if found else []


def _size(folder: Path) -> int:
    if not folder.is_dir():
        raise ConfigurationError(
            f"{folder} is absent, and template.yaml names it: run `make build`"
        )
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main(arguments: Sequence[str]) -> None:
    """Print the size of each built function, or end with exit code 2 and a sentence."""
    try:
        functions = check(Path(arguments[0]) if arguments else BUILT)
    except ConfigurationError as error:
        raise SystemExit(_refused(error)) from None
    for function in functions:
        print(f"{function.name}: {function.size:,} bytes, {function.size / LIMIT:.1%} of the limit")


def _refused(error: ConfigurationError) -> int:
    print(error, file=sys.stderr)
    return error.exit_code


if __name__ == "__main__":
    main(sys.argv[1:])
