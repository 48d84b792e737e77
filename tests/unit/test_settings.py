"""Settings have defaults, and nonsense is refused by name."""

from pathlib import Path

import pytest

from sklambda.errors import SettingsInvalid
from sklambda.settings import Settings


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.from_environment({}) == Settings(Path("/opt/package"), 1000, "INFO")


def test_each_setting_is_read() -> None:
    environment = {"MODEL_DIR": "here", "MAX_ROWS": "7", "LOG_LEVEL": "DEBUG", "OTHER": "x"}

    assert Settings.from_environment(environment) == Settings(Path("here"), 7, "DEBUG")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_ROWS", "0"),
        ("MAX_ROWS", "-1"),
        ("MAX_ROWS", "ten"),
        ("MAX_ROWS", ""),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_LEVEL", "info"),
    ],
)
def test_nonsense_is_refused_by_the_settings_name(name: str, value: str) -> None:
    with pytest.raises(SettingsInvalid, match=name):
        Settings.from_environment({name: value})
