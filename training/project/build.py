"""What is built and deployed of a model: the application, its shared layers and its package."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from training.checks import lambda_size
from training.checks.verify import verify
from training.errors import ConfigurationError, ToolFailed
from training.project import layout, third_party
from training.project.application import TEMPLATE, Application
from training.project.repository import CONFIG, REQUIREMENTS, Model, Repository
from training.project.tools import Tools, find

_NOT_STAMPED: Final = "Description: Not built by make."

type Doing = Callable[[str], AbstractContextManager[object]]
"""Shows what is under way while a block runs."""


@dataclass(frozen=True, slots=True)
class Build:
    """What was built, and how it is deployed.

    Attributes
    ----------
    model : Model
        The model.
    stack : str
        The name of its stack.
    environment : str
        Its section of `samconfig.toml`.
    tools : Tools
        The programs.
    functions : list of BuiltFunction
        The functions with their sizes.
    """

    model: Model
    stack: str
    environment: str
    tools: Tools
    functions: list[lambda_size.BuiltFunction]


def build(
    repository: Repository,
    ours: Application,
    name: str,
    stage: str,
    options: Sequence[str],
    doing: Doing,
) -> Build:
    """Lay the application out for a model and build it with SAM.

    Raises
    ------
    ConfigurationError
        The model, its package, the stage or a program is absent, a file below ``.sklambda`` was
        edited by hand, or the functions are too large for Lambda.
    ParityFailed
        The package does not score as scikit-learn did.
    ToolFailed
        ``sam`` or ``make`` ended with an error.
    """
    model = repository.model(name)
    _require_version(repository, ours.version)
    environment = repository.environment(name, stage)
    stack, architecture = repository.stack(name, stage), repository.architecture(environment)
    model.require_package()
    tools = find(architecture)
    application = layout.application_of(model, ours)
    layout.require_unedited(model)
    with doing(f"Verifying {model.package.relative_to(model.root)}"):
        verify(model.package)
    for layer in third_party.absent(model.root, third_party.layers(application, architecture)):
        with doing(f"Building {layer.source} for {architecture}, once for all models"):
            third_party.build(model.root, layer, tools)
    layout.lay_out(model, application, architecture)
    third_party.remove_unused(model.root)
    tools.sam(
        "build", "--template-file", model.laid_out / TEMPLATE, "--build-dir", model.built,
        "--config-file", model.root / CONFIG, "--config-env", environment, "--parallel",
        "--parameter-overrides", f"Architecture={architecture}", *options, folder=model.root,
    )  # fmt: skip
    _stamp(model)
    return Build(model, stack, environment, tools, lambda_size.check(model.built))


def deploy(built: Build, options: Sequence[str]) -> str:
    """Deploy what was built, and return the name of the stack.

    Raises
    ------
    ToolFailed
        ``sam deploy`` ended with an error.
    """
    model = built.model
    built.tools.sam(
        "deploy", "--template-file", model.built / TEMPLATE, "--stack-name", built.stack,
        "--config-file", model.root / CONFIG, "--config-env", built.environment,
        "--no-fail-on-empty-changeset", *options, folder=model.root,
    )  # fmt: skip
    return built.stack


def _require_version(repository: Repository, release: str) -> None:
    """Refuse to build with another version than the repository requires: `upgrade` compares."""
    required = repository.required_version()
    if required not in (None, release):
        raise ConfigurationError(
            f"{REQUIREMENTS} has sklambda {required}, and {release} is installed: run "
            f"`sklambda upgrade`, or `pip install -r {REQUIREMENTS}` to go back"
        )


def _stamp(model: Model) -> None:
    """Have SAM publish a version also where a parameter alone changed, as `make build` does."""
    path = model.built / TEMPLATE
    if not path.is_file():
        raise ToolFailed(f"`sam build` left no {path.relative_to(model.root)}")
    built = f"Description: Built {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}."
    path.write_text(path.read_text().replace(_NOT_STAMPED, built))
