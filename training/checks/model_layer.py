"""Put packages of ``models/`` into the model layer of a build: one, or several for one service."""

import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from training.checks.lambda_size import BUILT
from training.errors import ConfigurationError

LAYER: Final = "ModelLayer"
"""The folder of the layer in the build, by its logical id, as SAM names those that it builds."""

_CONTENT: Final = re.compile(r"(?<=ContentUri: )\S*layers/model$", re.MULTILINE)
_DEFAULT: Final = re.compile(r"^  DefaultModel:\n(?:    .*\n)*?    Default: (.*)\n", re.MULTILINE)
_PACKAGE: Final = "package"
_CHALLENGER: Final = "challenger"


def place(build: Path, models: Sequence[Path]) -> None:
    """Copy the packages of models into a build, whose template then names them.

    Parameters
    ----------
    build : Path
        What `sam build` wrote.
    models : sequence of Path
        The folder of one model, or those of several, the default one first; each holds `package`.

    Raises
    ------
    ConfigurationError
        The build holds no template with the model layer, or a folder no package.
    """
    for model in models:
        if not (model / _PACKAGE).is_dir():
            raise ConfigurationError(
                f"{model} holds no package: `sklambda train {model}/train.toml "
                f"--out {model}/{_PACKAGE}` writes it"
            )
    template = build / "template.yaml"
    try:
        text = template.read_text()
    except OSError:
        raise ConfigurationError(f"{build} holds no template.yaml: run `make build`") from None
    template.write_text(_named(text, [model.name for model in models]))
    shutil.rmtree(build / LAYER, ignore_errors=True)
    if len(models) == 1:
        for part in (_PACKAGE, _CHALLENGER):
            if (models[0] / part).is_dir():
                shutil.copytree(models[0] / part, build / LAYER / part)
        return
    for model in models:
        shutil.copytree(model / _PACKAGE, build / LAYER / "models" / model.name)


def _named(text: str, names: Sequence[str]) -> str:
    """Return the template with the layer's folder, and with the models that may be the default.

    A stack keeps the value that a parameter had: that of a model which is gone must be refused.
    """
    allowed = names if len(names) > 1 else [""]
    default = _DEFAULT.search(text)
    if len(_CONTENT.findall(text)) != 1 or default is None:
        raise ConfigurationError(
            "template.yaml must have one layer of layers/model and the parameter DefaultModel"
        )
    values = "".join(f"    - {name!r}\n" for name in allowed)
    end = default.end()
    text = f"{text[:end]}    AllowedValues:\n{values}{text[end:]}"
    text = f"{text[: default.start(1)]}{allowed[0]!r}{text[default.end(1) :]}"
    return _CONTENT.sub(LAYER, text)


def main(arguments: Sequence[str]) -> None:
    """Put the named models into the last build, or end with exit code 2 and a sentence."""
    try:
        place(BUILT, [Path(name) for name in dict.fromkeys(arguments)])
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main(sys.argv[1:])
