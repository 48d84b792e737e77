"""A repository of the user's own: its models, the version that it requires, its stages."""

import re
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from training.errors import ConfigurationError, nearest

MODELS: Final = "models"
CONFIG: Final = "samconfig.toml"
REQUIREMENTS: Final = "requirements.txt"
INFRA: Final = "infra"
LAID_OUT: Final = ".sklambda"
LAYERS: Final = "layers"
"""Below `LAID_OUT`, beside the models: the layers that they share."""
BUILT: Final = ".aws-sam"

# The name of a model becomes a part of the name of its stack.
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,99}")
# `sklambda[training]==1.0`, or the path or address of a wheel.
_PIN: Final = re.compile(
    r"^(?P<before>\s*sklambda\s*(?:\[[^]]*\])?\s*==\s*|[^#\n]*\bsklambda-)"
    r"(?P<version>\d[^\s;#,\\-]*)",
    re.MULTILINE,
)
_ARCHITECTURES: Final = ("x86_64", "arm64")


@dataclass(frozen=True, slots=True)
class Model:
    """A model of the repository: ``models/NAME``.

    Attributes
    ----------
    name : str
        Its name.
    root : Path
        The repository.
    """

    name: str
    root: Path

    @property
    def package(self) -> Path:
        """The folder of the model package."""
        return self.root / MODELS / self.name / "package"

    @property
    def challenger(self) -> Path:
        """The folder of the challenger's package, which need not be there."""
        return self.root / MODELS / self.name / "challenger"

    @property
    def laid_out(self) -> Path:
        """The folder in which the application is laid out for it."""
        return self.root / LAID_OUT / self.name

    @property
    def built(self) -> Path:
        """The folder of what ``sam build`` has built."""
        return self.root / BUILT / self.name / "build"

    @property
    def infra(self) -> Path:
        """The folder of the ejected application, which need not be there."""
        return self.root / INFRA / self.name

    @property
    def base(self) -> Path:
        """The folder of the application as it was before the user changed it in `infra`."""
        return self.root / INFRA / ".base" / self.name

    def require_package(self) -> None:
        """Raise `ConfigurationError` if the model was not trained."""
        if not self.package.is_dir():
            package, config = (f"{MODELS}/{self.name}/{name}" for name in ("package", "train.toml"))
            raise ConfigurationError(
                f"{package} is absent: run `sklambda train {config} --out {package}`"
            )


@dataclass(frozen=True, slots=True)
class Repository:
    """A folder that ``sklambda new`` has made, or that has the same files.

    Attributes
    ----------
    root : Path
        The folder, absolute.
    """

    root: Path

    def __post_init__(self) -> None:
        """Refuse a folder that is no such repository."""
        absent = [name for name in (MODELS, CONFIG) if not (self.root / name).exists()]
        if absent:
            raise ConfigurationError(
                f"{self.root} has no {' and no '.join(absent)}: run this in a repository "
                "that `sklambda new` made, or make one"
            )

    def models(self) -> list[Model]:
        """Return the models, by name."""
        folders = sorted(path for path in (self.root / MODELS).iterdir() if path.is_dir())
        return [Model(one.name, self.root) for one in folders if not one.name.startswith(".")]

    def model(self, name: str) -> Model:
        """Return a model; raise `ConfigurationError` if it is absent or cannot name a stack."""
        names = [model.name for model in self.models()]
        if name not in names:
            known = f" (there are {', '.join(names)})" if names else ""
            what = "; `sklambda --help` names an example of a model to copy"
            raise ConfigurationError(
                f"{MODELS}/{name} is absent{known}{nearest(name, names) or what}"
            )
        if not _NAME.fullmatch(name) or name == LAYERS:
            better = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")
            raise ConfigurationError(
                f"{MODELS}/{name} cannot name a stack, which has letters, digits and hyphens, "
                f"begins with a letter and is not `{LAYERS}`: rename the folder, as to "
                f"{better if _NAME.fullmatch(better) and better != LAYERS else 'model'}"
            )
        return Model(name, self.root)

    def required_version(self) -> str | None:
        """Return the version of sklambda that `requirements.txt` pins, or None."""
        path = self.root / REQUIREMENTS
        found = _PIN.search(path.read_text()) if path.is_file() else None
        return found["version"] if found else None

    def require_version(self, release: str) -> None:
        """Write the pinned version of sklambda; all else of `requirements.txt` stays.

        Raises
        ------
        ConfigurationError
            The pin has hashes, which are those of one version.
        """
        path = self.root / REQUIREMENTS
        text = path.read_bytes().decode()
        pin = _PIN.search(text)
        if pin and pin["version"] != release and text[pin.end() :].lstrip(" ").startswith("\\"):
            raise ConfigurationError(
                f"{REQUIREMENTS} has hashes of sklambda {pin['version']}: lock it again for "
                f"{release}; all else of the upgrade is done"
            )
        path.write_bytes(_PIN.sub(lambda found: found["before"] + release, text).encode())

    def environment(self, model: str, stage: str) -> str:
        """Return the section of `samconfig.toml` for a stage of a model.

        That is ``NAME-STAGE`` where it is there, and else ``STAGE``, which all models share.
        """
        config = self._config()
        for section in (f"{model}-{stage}", stage):
            if _table(config, section):
                return section
        stages = [name for name, section in config.items() if _deploys(section)]
        raise ConfigurationError(
            f"{CONFIG} has no [{stage}.deploy.parameters] (there are {', '.join(stages) or 'none'})"
            f"{nearest(stage, stages)}"
        )

    def stack(self, model: str, stage: str) -> str:
        """Return the name of the stack: ``NAME-STAGE``, or what a section of `samconfig.toml` says.

        Raises
        ------
        ConfigurationError
            A section says one that all models share.
        """
        environment = self.environment(model, stage)
        name = _parameters(self._config()[environment]).get("stack_name")
        if name is None:
            return f"{model}-{stage}"
        if environment == stage and len(self.models()) > 1:
            raise ConfigurationError(
                f"{CONFIG}: [{stage}] sets stack_name, which would be one stack for all models: "
                f"set it in [{model}-{stage}.deploy.parameters], or leave it out for "
                f"{model}-{stage}"
            )
        return str(name)

    def architecture(self, environment: str) -> str:
        """Return the processor that a section of `samconfig.toml` deploys for."""
        set_here = _overrides(self._config().get(environment))
        found = set_here.get("Architecture", _ARCHITECTURES[0])
        if found not in _ARCHITECTURES:
            raise ConfigurationError(
                f"{CONFIG}: [{environment}.deploy.parameters] sets Architecture={found}, expected "
                f"{' or '.join(_ARCHITECTURES)}"
            )
        return found

    def setting(self, parameter: str) -> list[str]:
        """Return the sections of `samconfig.toml` that set a parameter of the template."""
        return [
            name for name, section in self._config().items() if parameter in _overrides(section)
        ]

    def _config(self) -> dict[str, Any]:
        try:
            return tomllib.loads((self.root / CONFIG).read_text())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{CONFIG} is not TOML: {error}") from None


def _deploys(section: object) -> bool:
    return bool(_table(section, "deploy"))


def _overrides(section: object) -> dict[str, str]:
    """Return the parameters of the template that a section of `samconfig.toml` sets."""
    written = _parameters(section).get("parameter_overrides", [])
    try:
        words = shlex.split(written) if isinstance(written, str) else map(str, written)
    except ValueError:
        raise ConfigurationError(
            f"{CONFIG}: a quotation mark of parameter_overrides is not closed"
        ) from None
    pairs = (word.partition("=") for word in words)
    return {name: value.strip("\"'") for name, _, value in pairs}


def _parameters(section: object) -> dict[str, Any]:
    """Return what a section says for ``sam deploy``."""
    return {
        name: value
        for command in ("global", "deploy")
        for name, value in _table(_table(section, command), "parameters").items()
    }


def _table(document: object, name: str) -> dict[str, Any]:
    """Return a table of a table; an empty one where there is none."""
    found = document.get(name) if isinstance(document, dict) else None
    return found if isinstance(found, dict) else {}
