"""What a deployment may set; a handler reads it once, from its environment."""

from typing import Any, Literal, TypeAliasType, get_args

from sklambda.errors import SettingsInvalid

type LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
type CaptureMode = Literal["off", "binned", "raw"]
type ChallengerMode = Literal["shadow", "split"]


def positive(name: str, text: str) -> int:
    """Read a whole number above 0; raises `SettingsInvalid` with the name."""
    if not text.isdecimal() or int(text) == 0:
        raise SettingsInvalid(f"{name} must be a whole number above 0")
    return int(text)


def names(text: str) -> tuple[str, ...]:
    """Read names that are separated by commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def one_of(known: TypeAliasType, name: str, text: str) -> Any:
    """Read one of the texts of a literal type; raises `SettingsInvalid` with the name."""
    choices = get_args(known.__value__)
    if text not in choices:
        raise SettingsInvalid(f"{name} must be one of {', '.join(choices)}")
    return text
