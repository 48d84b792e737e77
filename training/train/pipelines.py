"""The functions that a configuration names: in Python files beside it, loaded by path."""

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pandas as pd
from sklearn.base import BaseEstimator, is_classifier, is_regressor
from sklearn.model_selection._search import BaseSearchCV

from training.convert.graph.scope import Estimator
from training.errors import ConfigurationError, nearest
from training.train.config import Config, Learning


def build(config: Config, folder: Path) -> Estimator:
    """Return the unfitted pipeline, or the search around it, that ``pipeline.build`` makes.

    Each ``random_state`` that is left open gets the configuration's seed.

    Parameters
    ----------
    config
        Names the function and its arguments; ``seed`` is added where the function takes one.
    folder
        Where the function's module is: the folder of the TOML file.

    Raises
    ------
    ConfigurationError
        If the function is not there, fails, or makes anything but an estimator that predicts.
    """
    function = _find(config.pipeline.build, folder, "pipeline.build")
    arguments = _arguments(function, config)
    pipeline = _call("pipeline.build", config.pipeline.build, folder, function, **arguments)
    _check(pipeline)
    open_seeds = [
        name
        for name, value in pipeline.get_params().items()
        if value is None and name.rpartition("__")[2] == "random_state"
    ]
    return pipeline.set_params(**dict.fromkeys(open_seeds, config.seed))


def sample(config: Config, folder: Path, rows: int | None = None) -> pd.DataFrame:
    """Return the rows that ``data.sample`` makes: `rows` of them, else ``data.sample_rows``.

    Raises
    ------
    ConfigurationError
        If there is no such function, or it fails, or makes anything but a DataFrame.
    """
    reference = config.data.sample
    if reference is None:
        raise ConfigurationError("`data.sample` is missing: it names the function that makes rows")
    function = _find(reference, folder, "data.sample")
    count = config.data.sample_rows if rows is None else rows
    frame = _call("data.sample", reference, folder, function, rows=count, seed=config.seed)
    if not isinstance(frame, pd.DataFrame):
        raise ConfigurationError(
            f"`data.sample`: {reference} returned {_kind(frame)}, not a DataFrame"
        )
    return frame


def load_rows(config: Config, folder: Path) -> Any:
    """Return the rows that ``data.load`` returns, in a form of `training.tables`.

    Raises
    ------
    ConfigurationError
        If there is no such function, or it fails.
    """
    reference = str(config.data.load)
    function = _find(reference, folder, "data.load")
    return _call("data.load", reference, folder, function)


def digest(config: Config, folder: Path) -> str:
    """Return the SHA-256 of the configuration as it holds and of the module that builds."""
    source = _file(config.pipeline.build, folder).read_bytes()
    return sha256(config.model_dump_json().encode() + b"\n" + source).hexdigest()


def _file(reference: str, folder: Path) -> Path:
    return folder / f"{reference.partition(':')[0]}.py"


def _find(reference: str, folder: Path, key: str) -> Callable[..., Any]:
    file, name = _file(reference, folder), reference.partition(":")[2]
    if not file.is_file():
        raise ConfigurationError(f"`{key}`: there is no {file.name} in {folder}")
    found = getattr(_call(key, reference, folder, _load, file=file), name, None)
    if not callable(found):
        functions = [
            known for known, value in vars(sys.modules[_name(file)]).items() if callable(value)
        ]
        raise ConfigurationError(
            f"`{key}`: {file.name} has no function `{name}`{nearest(name, functions)}"
        )
    return found  # type: ignore[no-any-return]


def _load(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(_name(file), file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _name(file: Path) -> str:
    # Two folders may each hold a pipeline.py, and dataclasses look their module up by its name.
    return f"{file.stem}_{sha256(str(file.resolve()).encode()).hexdigest()[:8]}"


def _arguments(function: Callable[..., Any], config: Config) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters
    options = dict(config.pipeline.options)
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return options
    for name in options:
        if name not in parameters:
            hint = nearest(name, parameters, "pipeline.options.")
            raise ConfigurationError(
                f"`pipeline.options.{name}` is not an argument of {config.pipeline.build}{hint}"
            )
    return {"seed": config.seed} | options if "seed" in parameters else options


def _call(
    key: str, reference: str, folder: Path, function: Callable[..., Any], **arguments: Any
) -> Any:
    with _importable(folder):
        try:
            return function(**arguments)
        except Exception as error:  # the user's code: any error is reported with its line
            place = _place(error, _file(reference, folder))
            kind = type(error).__name__
            raise ConfigurationError(f"`{key}`: {place} raised {kind}: {error}") from error


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Add the folder to the import path, for the neighbours of the user's modules alone."""
    sys.path.insert(0, str(folder.resolve()))
    try:
        yield
    finally:
        sys.path.remove(str(folder.resolve()))


def _place(error: Exception, file: Path) -> str:
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(file)]
    return f"line {lines[-1]} of {file.name}" if lines else file.name


def _check(pipeline: Any) -> None:
    if isinstance(pipeline, BaseSearchCV) and not pipeline.refit:
        raise ConfigurationError(
            f"`pipeline.build` returned a {type(pipeline).__name__}(refit=False), which has no "
            "fitted pipeline: use refit=True"
        )
    if not isinstance(pipeline, BaseEstimator) or not hasattr(pipeline, "predict"):
        raise ConfigurationError(
            f"`pipeline.build` returned {_kind(pipeline)}, not a scikit-learn pipeline that "
            "ends in a classifier or a regressor, or a search around one"
        )


def require_learning(pipeline: Any, learning: Learning, target: str) -> None:
    """Raise `ConfigurationError` unless a pipeline learns what the target has."""
    fits = is_classifier if learning == "classification" else is_regressor
    if fits(pipeline):
        return
    kind, has = _NAMES[learning]
    other = "regression" if learning == "classification" else "classification"
    raise ConfigurationError(
        f"`pipeline.build` returned a pipeline whose last step is not a {kind}, and the target "
        f'`{target}` has {has}: end it in a {kind}, or state `data.task = "{other}"`'
    )


_NAMES: Final[dict[Learning, tuple[str, str]]] = {
    "classification": ("classifier", "classes"),
    "regression": ("regressor", "numbers"),
}


def _kind(value: object) -> str:
    return "nothing" if value is None else f"an object of type {type(value).__name__}"
