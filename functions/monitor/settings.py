"""The settings of the monitor, read once from its environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sklambda.errors import SettingsInvalid
from sklambda.settings import LogLevel, function_settings, names, store


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of the monitor.

    Attributes
    ----------
    model_dir : Path
        ``MODEL_DIR``: the folder of the model package.
    monitor_store : str
        ``MONITOR_STORE``: the storage of captures, outcomes and reports: ``s3://bucket/prefix`` or
        a directory.
    monitor_topic : str
        ``MONITOR_TOPIC``: the ARN of the SNS topic of messages; empty for none.
    monitor_bus : str
        ``MONITOR_BUS``: the EventBridge bus of events; empty for none.
    monitor_logs : tuple of str
        ``MONITOR_LOGS``: the log groups that explain an alarm, separated by commas.
    monitor_function : str
        ``MONITOR_FUNCTION``: the predict function, whose versions are compared; empty for none.
    metrics_namespace : str
        ``METRICS_NAMESPACE``: the CloudWatch namespace of the metrics; empty for none.
    log_level : {"DEBUG", "INFO", "WARNING", "ERROR"}
        ``LOG_LEVEL``: the least severe log level that is written.
    """

    model_dir: Path
    monitor_store: str
    monitor_topic: str
    monitor_bus: str
    monitor_logs: tuple[str, ...]
    monitor_function: str
    metrics_namespace: str
    log_level: LogLevel

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings; all but the store have a default.

        Raises
        ------
        SettingsInvalid
            A value is invalid; the message names the setting.
        """
        if not environment.get("MONITOR_STORE"):
            raise SettingsInvalid("MONITOR_STORE is required: s3://bucket/prefix or a directory")
        topic = environment.get("MONITOR_TOPIC", "")
        if topic and not topic.startswith("arn:"):
            raise SettingsInvalid(f"MONITOR_TOPIC must be the ARN of an SNS topic, got {topic}")
        return cls(
            monitor_store=store("MONITOR_STORE", environment["MONITOR_STORE"]),
            monitor_topic=topic,
            monitor_bus=environment.get("MONITOR_BUS", ""),
            monitor_logs=names(environment.get("MONITOR_LOGS", "")),
            monitor_function=environment.get("MONITOR_FUNCTION", ""),
            **function_settings(environment),
        )
