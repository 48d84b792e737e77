"""The settings of the batch function, read once from its environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from functions.batch.jobs.options import Options, describe_invalid
from sklambda.errors import SettingsInvalid
from sklambda.settings import LogLevel, function_settings, names, positive


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of the batch function.

    Attributes
    ----------
    model_dir : Path
        ``MODEL_DIR``: the folder of the model package.
    batch_bucket : str
        ``BATCH_BUCKET``: the bucket of the inbox and of published files.
    options : Options
        Default options: ``BATCH_KEEP``: ``all``, ``none`` or names separated by commas;
        ``BATCH_OUTPUT_FORMAT``: empty for the input's; ``BATCH_EXPLAIN``, ``BATCH_SHOW_VALUES``:
        ``true`` or ``false``; ``BATCH_TOLERANCE``: the share of rows that may be rejected;
        ``BATCH_MAX_UNSEEN``, ``BATCH_MAX_OUT_OF_RANGE``, ``BATCH_MAX_MISSING``: the shares of rows
        with such a value in one feature; ``BATCH_PART_BYTES``: the length of a part.
    batch_machine : str
        ``BATCH_MACHINE``: the ARN of the state machine; empty for none.
    batch_distribute_above : int
        ``BATCH_DISTRIBUTE_ABOVE``: the length in bytes above which it runs a job.
    batch_sketch_store : str
        ``BATCH_SKETCH_STORE``: where the monitor reads sketches, ``s3://bucket``; empty for none.
    redact : tuple of str
        ``REDACT``: features that sketches leave out, separated by commas.
    log_level : {"DEBUG", "INFO", "WARNING", "ERROR"}
        ``LOG_LEVEL``: the least severe log line that is written.
    metrics_namespace : str
        ``METRICS_NAMESPACE``: the CloudWatch namespace of the metrics; empty for none.
    """

    model_dir: Path
    batch_bucket: str
    options: Options
    batch_machine: str
    batch_distribute_above: int
    batch_sketch_store: str
    redact: tuple[str, ...]
    log_level: LogLevel
    metrics_namespace: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings; all but the bucket have a default.

        Raises
        ------
        SettingsInvalid
            A value is invalid; the message names the setting.
        """
        if not environment.get("BATCH_BUCKET"):
            raise SettingsInvalid("BATCH_BUCKET must name a bucket")
        above = environment.get("BATCH_DISTRIBUTE_ABOVE", str(2**30))
        return cls(
            batch_bucket=environment["BATCH_BUCKET"],
            options=_options(environment),
            batch_machine=environment.get("BATCH_MACHINE", ""),
            batch_distribute_above=positive("BATCH_DISTRIBUTE_ABOVE", above),
            batch_sketch_store=environment.get("BATCH_SKETCH_STORE", ""),
            redact=names(environment.get("REDACT", "")),
            **function_settings(environment),
        )


VARIABLES = {
    "BATCH_KEEP": "keep",
    "BATCH_OUTPUT_FORMAT": "output_format",
    "BATCH_EXPLAIN": "explain",
    "BATCH_SHOW_VALUES": "show_values",
    "BATCH_TOLERANCE": "tolerance",
    "BATCH_MAX_UNSEEN": "max_unseen",
    "BATCH_MAX_OUT_OF_RANGE": "max_out_of_range",
    "BATCH_MAX_MISSING": "max_missing",
    "BATCH_PART_BYTES": "part_bytes",
}
"""The variables of default options, and their options."""


def _options(environment: Mapping[str, str]) -> Options:
    stated: dict[str, Any] = {
        option: environment[variable]
        for variable, option in VARIABLES.items()
        if environment.get(variable)
    }
    if (keep := stated.get("keep")) not in (None, "all", "none"):
        stated["keep"] = names(keep)
    try:
        return Options.model_validate(stated)
    except ValidationError as error:
        variables = {option: variable for variable, option in VARIABLES.items()}
        raise SettingsInvalid(describe_invalid(error, variables)) from None
