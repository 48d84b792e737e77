"""Parsers of settings, which each function reads from its environment once.

Each raises `SettingsInvalid`, whose message has the variable, what it must be and what it is.
"""

import os
import re
from collections.abc import Mapping
from math import nan
from pathlib import Path
from typing import Any, Final, Literal, TypeAliasType, get_args

from sklambda.errors import SettingsInvalid

_BUCKET: Final = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_NAMESPACE: Final = r"(?!AWS/)[A-Za-z0-9._/#][A-Za-z0-9._/#: -]{0,254}"
_MAX_DIGITS: Final = 18

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
        ``LOG_LEVEL`` is no level, or CloudWatch would not accept ``METRICS_NAMESPACE``.
    """
    return {
        "model_dir": Path(environment.get("MODEL_DIR", "/opt/package")),
        "log_level": one_of(LogLevel, "LOG_LEVEL", environment.get("LOG_LEVEL", "INFO")),
        "metrics_namespace": _namespace(environment.get("METRICS_NAMESPACE", "")),
    }


def positive(name: str, text: str) -> int:
    """Parse a whole number above 0."""
    if not text.isdecimal() or len(text) > _MAX_DIGITS or int(text) == 0:
        raise SettingsInvalid(f"{name} must be a whole number above 0, got {text!r}")
    return int(text)


def share(name: str, text: str) -> float:
    """Parse a number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = nan
    if not 0.0 <= value <= 1.0:
        raise SettingsInvalid(f"{name} must be a number between 0 and 1, got {text!r}")
    return value


def store(name: str, text: str) -> str:
    """Parse the address of a storage: ``s3://bucket/prefix``, or a directory.

    A directory may be made later; its nearest folder that exists must be writable.
    """
    expected = f"{name} must be s3://bucket/prefix or a directory"
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:/", text):
        bucket = text.removeprefix("s3://").partition("/")[0]
        if not text.startswith("s3://") or not re.fullmatch(_BUCKET, bucket) or ".." in bucket:
            raise SettingsInvalid(f"{expected}, got {text!r}")
        return text
    path = Path(text)
    if text != text.strip() or not text or (path.exists() and not path.is_dir()):
        raise SettingsInvalid(f"{expected}, got {text!r}")
    folder = next(each for each in (path, *path.absolute().parents) if each.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise SettingsInvalid(f"{expected} that can be written, got {text!r}")
    return text


def _namespace(text: str) -> str:
    if text and not re.fullmatch(_NAMESPACE, text):
        raise SettingsInvalid(
            "METRICS_NAMESPACE must be a namespace of CloudWatch (at most 255 of letters, digits, "
            f"blanks and .-_/#:, not beginning with AWS/), got {text!r}"
        )
    return text


def names(text: str) -> tuple[str, ...]:
    """Parse names that are separated by commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def one_of(literal: TypeAliasType, name: str, text: str) -> Any:
    """Parse a value of a literal type."""
    choices = get_args(literal.__value__)
    if text not in choices:
        raise SettingsInvalid(f"{name} must be one of {', '.join(choices)}, got {text!r}")
    return text
