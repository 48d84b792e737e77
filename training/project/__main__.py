"""The commands on a repository of the user's own: ``sklambda new``, ``build``, ``deploy`` …"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from training import console
from training.project.repository import Repository

if TYPE_CHECKING:
    from training.project.build import Build

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # it would print values of variables
    rich_markup_mode="markdown",
    help="""
A repository of your own: your models and their settings. The application comes with the installed
sklambda, and is laid out for each build below `.sklambda`.

**Exit codes**

- 0: done
- 1: `sam` or `make` failed
- 2: a file, an option or a program is absent or wrong
- 4: a package does not score as scikit-learn did
- 6: an upgrade would lose data of a deployed stack
- 7: an upgrade and you changed the same lines of an ejected file
""",
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The model: its folder below `models/`.")]
Stage = Annotated[
    str, typer.Option(metavar="STAGE", help="The stage: a section of `samconfig.toml`.")
]
Options = Annotated[
    list[str] | None,
    typer.Argument(metavar="OPTION", help="Options for sam, behind `--`.", show_default=False),
]


@app.command("new")
def new_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder; it may be there.")],
) -> None:
    """Write a repository of your own, for your models and their settings.

    A file that is there already is never overwritten.
    """
    from training.project.new import new

    for name in new(folder):
        _say(str(folder / name))


@app.command("build")
def build_command(name: Name, stage: Stage = "staging", options: Options = None) -> None:
    """Build the application around a model of your repository, with sam.

    It is laid out below `.sklambda/NAME`. The stage says for which processor: its parameter
    Architecture.
    """
    _build(name, stage, options or [])


@app.command("deploy")
def deploy_command(name: Name, stage: Stage = "staging", options: Options = None) -> None:
    """Build and deploy a model of your repository, with sam.

    The stack is NAME-STAGE. Options behind `--` are those of `sam deploy`.
    """
    from training.project.build import deploy

    stack = deploy(_build(name, stage, []), options or [])
    _say(f"Deployed {stack}; `sam list stack-outputs --stack-name {stack}` lists its addresses")


@app.command("upgrade")
def upgrade_command(
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="WHEEL",
            exists=True,
            help="The version before, a wheel or a checkout; else as laid out here, or from pip.",
        ),
    ] = None,
    accepted: Annotated[
        list[str],
        typer.Option("--accept", metavar="ID", help="A resource whose data may be lost."),
    ] = [],  # noqa: B006 - Typer reads it and hands out a copy
) -> None:
    """Go over to the installed version: what changes, and whether it can be deployed.

    Every package is verified, and then the requirement raised. The command shows parameters that
    were added, removed or have another default, and stops before a resource with data is removed
    or renamed. Ejected files are merged.
    """
    from training.project.application import installed
    from training.project.upgrade import upgrade

    new = installed()
    before = upgrade(_repository(), new, source, accepted, _say)
    if before is None:
        _say(f"All is ready for sklambda {new.version}: raise it where you require it")
    else:
        raised = f", had {before}" if before != new.version else ""
        _say(f"requirements.txt has sklambda {new.version}{raised}")


@app.command("eject")
def eject_command(name: Name) -> None:
    """Copy the application into your repository, to change it.

    It goes to `infra/NAME`. Upgrades merge from then on.
    """
    from training.project.application import installed
    from training.project.eject import eject

    model = _repository().model(name)
    eject(model, installed())
    _say(f"{model.infra.relative_to(model.root)} is yours: `sklambda build {name}` builds it")


def main(arguments: Sequence[str] | None = None, prog: str = "python -m training.project") -> None:
    """Run the command line; an error that its user can act on ends it without a stack trace."""
    console.run(app, arguments, prog)


def _repository() -> Repository:
    return Repository(Path.cwd())


def _build(name: str, stage: str, options: Sequence[str]) -> "Build":
    from training.checks.lambda_size import LIMIT
    from training.project.application import installed
    from training.project.build import build

    built = build(_repository(), installed(), name, stage, options, _doing)
    for function in built.functions:
        _say(f"{function.name}: {function.size:,} bytes, {function.size / LIMIT:.1%} of the limit")
    return built


def _say(line: str) -> None:
    Console().print(line, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _doing(what: str) -> Iterator[None]:
    """Show what is under way, and how long it took."""
    screen, started = Console(stderr=True, highlight=False), monotonic()
    with screen.status(what):
        yield
    screen.print(f"{what}: {monotonic() - started:.1f} s", markup=False, soft_wrap=True)


if __name__ == "__main__":
    main()
