"""The settings of the monitor are read from its environment."""

import pytest

from functions.monitor.settings import Settings
from sklambda.errors import SettingsInvalid

STORE = {"MONITOR_STORE": "s3://records"}


def test_all_but_the_store_has_a_default() -> None:
    settings = Settings.from_environment(STORE)

    assert settings.monitor_store == "s3://records"
    assert (settings.monitor_topic, settings.monitor_bus, settings.monitor_function) == ("", "", "")
    assert settings.monitor_logs == ()


def test_log_groups_are_separated_by_commas() -> None:
    settings = Settings.from_environment(STORE | {"MONITOR_LOGS": "/a/predict, /a/batch,"})

    assert settings.monitor_logs == ("/a/predict", "/a/batch")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MONITOR_STORE", ""),
        ("MONITOR_STORE", "s3://"),
        ("MONITOR_TOPIC", "mine"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_an_invalid_setting_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsInvalid, match=name):
        Settings.from_environment(STORE | {name: value})
