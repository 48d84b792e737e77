"""The command ``sklambda``: each verb is the command line of a ``python -m`` module."""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

_APPLICATION: Final = ("functions", "training")
_EXAMPLE: Final = "training/examples/churn"


class Command(NamedTuple):  # `dataclasses` alone takes as long to import as all else here
    """A command that another module parses and runs.

    Attributes
    ----------
    module : str
        The module, imported when the command is called: its ``main`` runs the command.
    summary : str
        The first line of the command's own help.
    grouped : bool
        Whether the module parses several commands, each by its name.
    """

    module: str
    summary: str
    grouped: bool = False


COMMANDS: Final = {
    "train": Command(
        "training.__main__",
        "Train a pipeline, prove its conversion and write the model package.",
        grouped=True,
    ),
    "init": Command(
        "training.__main__",
        "Look at a file and write a project for it that trains at once.",
        grouped=True,
    ),
    "check": Command(
        "training.__main__",
        "Say in seconds whether a pipeline could be exported, and if not, all that is refused.",
        grouped=True,
    ),
    "sample": Command(
        "training.__main__",
        "Write the rows that the configuration's own generator makes, as CSV.",
        grouped=True,
    ),
    "verify": Command(
        "training.__main__",
        "Check a package's files and replay its golden rows on this machine.",
        grouped=True,
    ),
    "serve": Command(
        "functions.predict.__main__",
        "Serve a model package, or several, over HTTP until interrupted.",
    ),
    "score": Command(
        "functions.batch.__main__",
        "Score a file: CSV, JSON Lines or Parquet, also compressed with gzip or zstd.",
    ),
    "monitor": Command(
        "functions.monitor.__main__",
        "Judge records in a folder, as the function judges those in the bucket.",
    ),
    "receipt": Command(
        "training.__main__",
        "Check the files of a batch job against its receipt, byte by byte.",
        grouped=True,
    ),
    "replay": Command(
        "training.__main__",
        "Show the decisions of a retraining policy on the reports of the past.",
        grouped=True,
    ),
    "new": Command(
        "training.project.__main__",
        "Write a repository of your own, for your models and their settings.",
        grouped=True,
    ),
    "build": Command(
        "training.project.__main__",
        "Build the application around a model of your repository, with sam.",
        grouped=True,
    ),
    "deploy": Command(
        "training.project.__main__",
        "Build and deploy a model of your repository, with sam.",
        grouped=True,
    ),
    "upgrade": Command(
        "training.project.__main__",
        "Go over to the installed version: what changes, and whether it can be deployed.",
        grouped=True,
    ),
    "eject": Command(
        "training.project.__main__",
        "Copy the application into your repository, to change it.",
        grouped=True,
    ),
}


def main() -> None:
    """Run the command that the first argument names."""
    match sys.argv[1:]:
        case []:
            sys.stderr.write(_help())
            raise SystemExit(2)
        case ["-h" | "--help", *_]:
            sys.stdout.write(_help())
        case ["--version", *_]:
            from importlib.metadata import version

            sys.stdout.write(f"sklambda {version('sklambda')}\n")
        case [name, *arguments] if name in COMMANDS:
            _run(name, arguments)
        case [name, *_]:
            _refuse(name)


def application_root() -> Path:
    """Return the folder that holds `functions` and `training`.

    In a wheel it is ``sklambda_app`` beside the package; in a checkout the root of the repository.
    """
    package = Path(__file__).resolve().parent
    installed = package.with_name("sklambda_app")
    return installed if installed.is_dir() else package.parents[2]


def _run(name: str, arguments: Sequence[str]) -> None:
    command = COMMANDS[name]
    _bind(application_root())
    try:
        module = import_module(command.module)
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        if missing in (*_APPLICATION, "sklambda"):
            raise
        extra = "serving" if command.module.startswith("functions.") else "training"
        sys.stderr.write(
            f"`sklambda {name}` needs the package `{missing}`, which is not installed: "
            f'install sklambda with its extra "{extra}".\n'
        )
        raise SystemExit(2) from None
    if command.grouped:
        module.main([name, *arguments], "sklambda")
    else:
        module.main(arguments, f"sklambda {name}")


def _bind(root: Path) -> None:
    """Resolve `functions` and `training` in ``root``, whatever else has these names.

    Processes that a command starts inherit the path. They import `training` alone: `functions` is
    a namespace package, which loses to a package of that name anywhere on the path.
    """
    sys.path.insert(0, str(root))
    spec = ModuleSpec("functions", None, is_package=True)
    spec.submodule_search_locations = [str(root / "functions")]
    sys.modules["functions"] = module_from_spec(spec)


def _refuse(name: str) -> NoReturn:
    from difflib import get_close_matches

    nearest = get_close_matches(name, [*COMMANDS, "--help", "--version"], n=1, cutoff=0.5)
    hint = f"did you mean `{nearest[0]}`?" if nearest else "`sklambda --help` lists the commands."
    sys.stderr.write(f"sklambda has no command `{name}`; {hint}\n")
    raise SystemExit(2)


def _help() -> str:
    width = max(map(len, COMMANDS)) + 2
    commands = "\n".join(f"  {name:{width}}{one.summary}" for name, one in COMMANDS.items())
    return f"""\
Usage: sklambda COMMAND ...

Train a scikit-learn pipeline, serve its model package, score files, deploy and monitor the service.

Commands:
{commands}

`sklambda COMMAND --help` lists the options of a command; `sklambda --version` prints the version.
An example to copy is in the folder
{application_root() / _EXAMPLE}
"""


if __name__ == "__main__":
    main()
