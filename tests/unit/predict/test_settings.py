"""Settings have defaults, and an invalid value is refused with the name of its variable."""

from dataclasses import replace
from pathlib import Path

import pytest

from functions.predict.settings import Settings
from sklambda.errors import SettingsInvalid

DEFAULTS = Settings(Path("/opt/package"), 1000, 4_500_000, "INFO")


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.from_environment({}) == DEFAULTS


def test_each_setting_is_read() -> None:
    environment = {
        "MODEL_DIR": "here",
        "MAX_ROWS": "7",
        "MAX_BYTES": "70",
        "LOG_LEVEL": "DEBUG",
        "OTHER": "x",
    }

    assert Settings.from_environment(environment) == Settings(Path("here"), 7, 70, "DEBUG")


def test_what_is_observed_and_who_challenges_is_read() -> None:
    environment = {
        "METRICS_NAMESPACE": "churn",
        "CAPTURE": "binned",
        "CAPTURE_SHARE": "0.25",
        "REDACT": "name, street,",
        "FEEDBACK_STORE": "s3://kept",
        "CHALLENGER_DIR": "there",
        "CHALLENGER_MODE": "split",
        "CHALLENGER_SHARE": "1",
    }

    assert Settings.from_environment(environment) == replace(
        DEFAULTS,
        metrics_namespace="churn",
        capture="binned",
        capture_share=0.25,
        redact=("name", "street"),
        feedback_store="s3://kept",
        challenger_dir=Path("there"),
        challenger_mode="split",
        challenger_share=1.0,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_ROWS", "0"),
        ("MAX_ROWS", "-1"),
        ("MAX_ROWS", "ten"),
        ("MAX_ROWS", ""),
        ("MAX_BYTES", "1e6"),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_LEVEL", "info"),
        ("CAPTURE", "on"),
        ("CAPTURE_SHARE", "1.5"),
        ("CAPTURE_SHARE", "nan"),
        ("CHALLENGER_MODE", "dark"),
        ("CHALLENGER_SHARE", "half"),
    ],
)
def test_an_invalid_value_is_refused_by_its_variable(name: str, value: str) -> None:
    with pytest.raises(SettingsInvalid, match=name):
        Settings.from_environment({name: value})
