"""Settings of the batch function, read from its environment."""

import pytest

from functions.batch.settings import Settings
from sklambda.errors import SettingsInvalid

BUCKET = {"BATCH_BUCKET": "data"}


def test_all_but_the_bucket_has_a_default() -> None:
    settings = Settings.from_environment(BUCKET)

    assert settings.batch_bucket == "data"
    assert settings.options.keep == "all"
    assert settings.options.tolerance == 0.05
    assert settings.batch_machine == ""
    assert settings.batch_distribute_above == 2**30


def test_an_empty_value_is_an_absent_one() -> None:
    settings = Settings.from_environment(BUCKET | {"BATCH_OUTPUT_FORMAT": "", "BATCH_KEEP": ""})

    assert settings.options == Settings.from_environment(BUCKET).options


def test_options_are_read() -> None:
    settings = Settings.from_environment(
        BUCKET
        | {
            "BATCH_KEEP": "customerID, tenure",
            "BATCH_OUTPUT_FORMAT": "parquet",
            "BATCH_EXPLAIN": "true",
            "BATCH_SHOW_VALUES": "false",
            "BATCH_TOLERANCE": "0",
            "BATCH_PART_BYTES": "65536",
        }
    )

    assert settings.options.keep == ("customerID", "tenure")
    assert settings.options.output_format == "parquet"
    assert settings.options.explain is True
    assert settings.options.tolerance == 0
    assert settings.options.part_bytes == 65536


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BATCH_BUCKET", ""),
        ("BATCH_OUTPUT_FORMAT", "xlsx"),
        ("BATCH_EXPLAIN", "perhaps"),
        ("BATCH_TOLERANCE", "1.5"),
        ("BATCH_TOLERANCE", "nan"),
        ("BATCH_PART_BYTES", "1"),
        ("BATCH_DISTRIBUTE_ABOVE", "0"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_an_invalid_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsInvalid, match=name):
        Settings.from_environment(BUCKET | {name: value})


def test_the_message_has_expected_and_actual_value() -> None:
    with pytest.raises(SettingsInvalid) as error:
        Settings.from_environment(BUCKET | {"BATCH_TOLERANCE": "2", "BATCH_EXPLAIN": "perhaps"})

    assert str(error.value) == (
        "BATCH_EXPLAIN must be true or false, got perhaps; "
        "BATCH_TOLERANCE must be between 0 and 1, got 2"
    )
