"""The settings of the prediction service."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from re import fullmatch
from typing import Any, Final, Literal, Self

from sklambda.errors import SettingsInvalid
from sklambda.settings import LogLevel, function_settings, names, one_of, positive, share, store

_ORIGIN: Final = r"https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[1-9][0-9]{0,4})?"
_LAST_PORT: Final = 65535

type CaptureMode = Literal["off", "binned", "raw"]
type ChallengerMode = Literal["shadow", "split"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of the prediction service.

    Attributes
    ----------
    model_dir : Path
        ``MODEL_DIR``: directory of the model package; not read with ``MODELS_DIR``.
    max_rows : int
        ``MAX_ROWS``: maximum number of rows of a request.
    max_bytes : int
        ``MAX_BYTES``: maximum length of a request body, packed and unpacked.
    log_level : {"DEBUG", "INFO", "WARNING", "ERROR"}
        ``LOG_LEVEL``: lowest level that is logged.
    cors_origin : str
        ``CORS_ORIGIN``: the origin whose pages may read responses; empty for none.
    metrics_namespace : str
        ``METRICS_NAMESPACE``: CloudWatch namespace of the metrics; empty for no metrics.
    capture : {"off", "binned", "raw"}
        ``CAPTURE``: how the features of a prediction are captured.
    capture_share : float
        ``CAPTURE_SHARE``: share of the predictions that are captured.
    redact : tuple of str
        ``REDACT``: features that are never captured, separated by commas.
    feedback_store : str
        ``FEEDBACK_STORE``: where outcomes are stored, ``s3://bucket/prefix`` or a directory; empty
        for no feedback.
    challenger_dir : Path or None
        ``CHALLENGER_DIR``: directory of a second model package; empty for none.
    challenger_mode : {"shadow", "split"}
        ``CHALLENGER_MODE``: whether the challenger is only compared, or serves callers.
    challenger_share : float
        ``CHALLENGER_SHARE``: share of the rows, or of the callers, for the challenger.
    explain_seconds : int
        ``EXPLAIN_SECONDS``: how long a request with explanations may take.
    models_dir : Path or None
        ``MODELS_DIR``: directory of several model packages by name; empty for the one of
        ``MODEL_DIR``.
    default_model : str
        ``DEFAULT_MODEL``: the model that answers requests that name none; required with several.
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
    explain_seconds: int = 8
    models_dir: Path | None = None
    default_model: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings; each has a default.

        Raises
        ------
        SettingsInvalid
            A value is invalid; the message names the variable.
        """
        return cls(
            max_rows=positive("MAX_ROWS", environment.get("MAX_ROWS", "1000")),
            max_bytes=positive("MAX_BYTES", environment.get("MAX_BYTES", "4500000")),
            explain_seconds=positive("EXPLAIN_SECONDS", environment.get("EXPLAIN_SECONDS", "8")),
            cors_origin=_origin(environment.get("CORS_ORIGIN", "")),
            models_dir=_directory(environment, "MODELS_DIR"),
            default_model=environment.get("DEFAULT_MODEL", ""),
            **function_settings(environment),
            **_observation(environment),
            **_challenger(environment),
        )


def _observation(environment: Mapping[str, str]) -> dict[str, Any]:
    feedback = environment.get("FEEDBACK_STORE", "")
    return {
        "capture": one_of(CaptureMode, "CAPTURE", environment.get("CAPTURE", "off")),
        "capture_share": share("CAPTURE_SHARE", environment.get("CAPTURE_SHARE", "1")),
        "redact": names(environment.get("REDACT", "")),
        "feedback_store": store("FEEDBACK_STORE", feedback) if feedback else "",
    }


def _challenger(environment: Mapping[str, str]) -> dict[str, Any]:
    mode = environment.get("CHALLENGER_MODE", "shadow")
    return {
        "challenger_dir": _directory(environment, "CHALLENGER_DIR"),
        "challenger_mode": one_of(ChallengerMode, "CHALLENGER_MODE", mode),
        "challenger_share": share("CHALLENGER_SHARE", environment.get("CHALLENGER_SHARE", "0.1")),
    }


def _directory(environment: Mapping[str, str], name: str) -> Path | None:
    folder = environment.get(name)
    return Path(folder) if folder else None


def _origin(text: str) -> str:
    """Check an origin as browsers write it: in lower case, without the scheme's own port."""
    scheme, _, port = text.partition("://")[0], *text.rpartition(":")[1:]
    own_port = {"http": "80", "https": "443"}.get(scheme)
    too_great = port.isdecimal() and int(port) > _LAST_PORT
    if text and (not fullmatch(_ORIGIN, text) or port == own_port or too_great):
        raise SettingsInvalid(
            "CORS_ORIGIN must be one origin as browsers write it, https://example.org or "
            f"https://example.org:8443, got {text!r}"
        )
    return text
