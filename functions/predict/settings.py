"""The settings of the prediction service, read from the environment once."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from pathlib import Path
from re import fullmatch
from typing import Any, Self

from sklambda.errors import SettingsInvalid
from sklambda.settings import CaptureMode, ChallengerMode, LogLevel, names, one_of, positive


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of the functions.

    Attributes
    ----------
    model_dir : Path
        ``MODEL_DIR``: the folder of the model package.
    max_rows : int
        ``MAX_ROWS``: the most rows that one request may hold.
    max_bytes : int
        ``MAX_BYTES``: the most bytes that the body of a request may hold.
    log_level : {"DEBUG", "INFO", "WARNING", "ERROR"}
        ``LOG_LEVEL``: the least severe log line that is written.
    cors_origin : str
        ``CORS_ORIGIN``: the one origin whose pages may read answers; empty for none.
    metrics_namespace : str
        ``METRICS_NAMESPACE``: where CloudWatch keeps the metrics; empty for none.
    capture : {"off", "binned", "raw"}
        ``CAPTURE``: what is recorded of the features of a prediction.
    capture_share : float
        ``CAPTURE_SHARE``: the share of the predictions that are recorded.
    redact : tuple of str
        ``REDACT``: features that are never recorded, separated by commas.
    feedback_store : str
        ``FEEDBACK_STORE``: where outcomes are kept, ``s3://bucket/prefix`` or a directory; empty
        for nowhere.
    challenger_dir : Path or None
        ``CHALLENGER_DIR``: the folder of a second model package; empty for none.
    challenger_mode : {"shadow", "split"}
        ``CHALLENGER_MODE``: whether the challenger is only compared, or answers.
    challenger_share : float
        ``CHALLENGER_SHARE``: the share of the rows, or of the callers, that the challenger gets.
    """

    model_dir: Path
    max_rows: int
    max_bytes: int
    log_level: LogLevel
    cors_origin: str = ""
    metrics_namespace: str = ""
    capture: CaptureMode = "off"
    capture_share: float = 1.0
    redact: tuple[str, ...] = ()
    feedback_store: str = ""
    challenger_dir: Path | None = None
    challenger_mode: ChallengerMode = "shadow"
    challenger_share: float = 0.1

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
            max_rows=positive("MAX_ROWS", environment.get("MAX_ROWS", "1000")),
            max_bytes=positive("MAX_BYTES", environment.get("MAX_BYTES", "5000000")),
            log_level=one_of(LogLevel, "LOG_LEVEL", environment.get("LOG_LEVEL", "INFO")),
            cors_origin=_origin(environment.get("CORS_ORIGIN", "")),
            **_of_observation(environment),
            **_of_the_challenger(environment),
        )


def _of_observation(environment: Mapping[str, str]) -> dict[str, Any]:
    return {
        "metrics_namespace": environment.get("METRICS_NAMESPACE", ""),
        "capture": one_of(CaptureMode, "CAPTURE", environment.get("CAPTURE", "off")),
        "capture_share": _share("CAPTURE_SHARE", environment.get("CAPTURE_SHARE", "1")),
        "redact": names(environment.get("REDACT", "")),
        "feedback_store": environment.get("FEEDBACK_STORE", ""),
    }


def _of_the_challenger(environment: Mapping[str, str]) -> dict[str, Any]:
    folder, mode = environment.get("CHALLENGER_DIR"), environment.get("CHALLENGER_MODE", "shadow")
    return {
        "challenger_dir": Path(folder) if folder else None,
        "challenger_mode": one_of(ChallengerMode, "CHALLENGER_MODE", mode),
        "challenger_share": _share("CHALLENGER_SHARE", environment.get("CHALLENGER_SHARE", "0.1")),
    }


def _origin(text: str) -> str:
    if text and not fullmatch(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?", text):
        raise SettingsInvalid("CORS_ORIGIN must be one origin, as https://example.org")
    return text


def _share(name: str, text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = nan
    if not 0.0 <= share <= 1.0:
        raise SettingsInvalid(f"{name} must be a number from 0 to 1")
    return share
