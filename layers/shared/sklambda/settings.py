"""Parsers of settings, which each function reads from its environment once."""

from collections.abc import Mapping
from math import nan
from pathlib import Path
from typing import Any, Literal, TypeAliasType, get_args

from sklambda.errors import SettingsInvalid

type LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


def function_settings(environment: Mapping[str, str]) -> dict[str, Any]:
    """Read the settings that every function has: the package, the log and the metrics.

    Returns
    -------
    dict
        ``model_dir``, ``log_level`` and ``metrics_namespace``.

    Raises
    ------
    SettingsInvalid
        ``LOG_LEVEL`` is no level.
    """
    return {
        "model_dir": Path(environment.get("MODEL_DIR", "/opt/package")),
        "log_level": one_of(LogLevel, "LOG_LEVEL", environment.get("LOG_LEVEL", "INFO")),
        "metrics_namespace": environment.get("METRICS_NAMESPACE", ""),
    }


def positive(name: str, text: str) -> int:
    """Parse a whole number above 0; raises `SettingsInvalid` with the name of the variable."""
    if not text.isdecimal() or int(text) == 0:
        raise SettingsInvalid(f"{name} must be a whole number above 0, got {text!r}")
    return int(text)


def share(name: str, text: str) -> float:
    """Parse a number from 0 to 1; raises `SettingsInvalid` with the name of the variable."""
    try:
        value = float(text)
    except ValueError:
        value = nan
    if not 0.0 <= value <= 1.0:
        raise SettingsInvalid(f"{name} must be a number between 0 and 1, got {text!r}")
    return value


def names(text: str) -> tuple[str, ...]:
    """Parse names that are separated by commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def one_of(literal: TypeAliasType, name: str, text: str) -> Any:
    """Parse a value of a literal type; raises `SettingsInvalid` with the name of the variable."""
    choices = get_args(literal.__value__)
    if text not in choices:
        raise SettingsInvalid(f"{name} must be one of {', '.join(choices)}, got {text!r}")
    return text
