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


def test_several_models_are_a_folder_with_a_default() -> None:
    environment = {"MODELS_DIR": "models", "DEFAULT_MODEL": "churn"}

    expected = replace(DEFAULTS, models_dir=Path("models"), default_model="churn")
    assert Settings.from_environment(environment) == expected
    assert Settings.from_environment({"MODELS_DIR": "", "DEFAULT_MODEL": ""}) == DEFAULTS


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
        ("MAX_ROWS", "9" * 5000),
        ("MAX_BYTES", "1e6"),
        ("METRICS_NAMESPACE", "AWS/Lambda"),
        ("METRICS_NAMESPACE", "größe"),
        ("METRICS_NAMESPACE", "x" * 256),
        ("METRICS_NAMESPACE", ":a"),
        ("FEEDBACK_STORE", "s3://"),
        ("FEEDBACK_STORE", "s3:///outcomes"),
        ("FEEDBACK_STORE", "s3:/outcomes/a"),
        ("FEEDBACK_STORE", "s3://Outcomes"),
        ("FEEDBACK_STORE", "s3://a..b/c"),
        ("FEEDBACK_STORE", "S3://outcomes"),
        ("FEEDBACK_STORE", "https://outcomes.example/a"),
        ("FEEDBACK_STORE", " s3://outcomes"),
        ("FEEDBACK_STORE", " "),
        ("FEEDBACK_STORE", __file__),
        ("FEEDBACK_STORE", f"{__file__}/outcomes"),
        ("CORS_ORIGIN", "https://Example.org"),
        ("CORS_ORIGIN", "https://example.org:443"),
        ("CORS_ORIGIN", "http://example.org:80"),
        ("CORS_ORIGIN", "https://example.org:99999"),
        ("CORS_ORIGIN", "https://example.org:"),
        ("CORS_ORIGIN", "https://-"),
        ("CORS_ORIGIN", "null"),
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
    with pytest.raises(SettingsInvalid, match=f"^{name} must be .*got "):
        Settings.from_environment({name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FEEDBACK_STORE", "s3://outcomes"),
        ("FEEDBACK_STORE", "s3://my.outcomes-1/a/b/"),
        ("FEEDBACK_STORE", "outcomes"),
        ("FEEDBACK_STORE", "./outcomes of today"),
        ("METRICS_NAMESPACE", "My shop/Churn #2"),
        ("CORS_ORIGIN", "http://localhost:3000"),
        ("CORS_ORIGIN", "https://shop.example"),
        ("CORS_ORIGIN", "https://shop.example:80"),
    ],
)
def test_usual_values_are_used_as_they_are(name: str, value: str) -> None:
    assert getattr(Settings.from_environment({name: value}), name.lower()) == value


def test_a_directory_that_is_not_there_yet_is_a_store(tmp_path: Path) -> None:
    value = str(tmp_path / "a" / "b")

    assert Settings.from_environment({"FEEDBACK_STORE": value}).feedback_store == value
