"""What a deployment may set; a handler reads it once, from its environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self, get_args

from sklambda.errors import SettingsInvalid

type LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of the functions.

    Attributes
    ----------
    model_dir : Path
        ``MODEL_DIR``: the folder of the model package.
    max_rows : int
        ``MAX_ROWS``: the most rows that one request may hold.
    log_level : {"DEBUG", "INFO", "WARNING", "ERROR"}
        ``LOG_LEVEL``: the least severe log line that is written.
    """

    model_dir: Path
    max_rows: int
    log_level: LogLevel

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings; an absent one has its default.

        Raises
        ------
        SettingsInvalid
            A value has no sense; the message names the setting.
        """
        return cls(
            model_dir=Path(environment.get("MODEL_DIR", "/opt/package")),
            max_rows=_positive("MAX_ROWS", environment.get("MAX_ROWS", "1000")),
            log_level=_level(environment.get("LOG_LEVEL", "INFO")),
        )


def _positive(name: str, text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise SettingsInvalid(f"{name} must be a whole number above 0")
    return int(text)


def _level(text: str) -> LogLevel:
    for level in get_args(LogLevel.__value__):
        if text == level:
            return level  # type: ignore[no-any-return]  # get_args gives Any
    raise SettingsInvalid(f"LOG_LEVEL must be one of {', '.join(get_args(LogLevel.__value__))}")
