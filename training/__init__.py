"""Offline training: export a fitted scikit-learn pipeline as a model package, and verify one."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from training.checks.verify import verify
    from training.errors import (
        ConfigurationError,
        ConversionRefused,
        DataError,
        MergeConflict,
        ParityFailed,
        QualityGateFailed,
        TimeLimitExceeded,
        ToolFailed,
        TrainingError,
        UpgradeStopped,
    )
    from training.exporter import RunMetadata, export

__all__ = [
    "ConfigurationError",
    "ConversionRefused",
    "DataError",
    "MergeConflict",
    "ParityFailed",
    "QualityGateFailed",
    "RunMetadata",
    "TimeLimitExceeded",
    "ToolFailed",
    "TrainingError",
    "UpgradeStopped",
    "export",
    "verify",
]

_MODULES = {
    "RunMetadata": "training.exporter",
    "export": "training.exporter",
    "verify": "training.checks.verify",
}
"""Where a name of `__all__` is defined, unless in `training.errors`."""

if not TYPE_CHECKING:  # with it, type checkers would admit any name

    def __getattr__(name: str) -> Any:
        """Import a public name at its first use; scikit-learn is not imported before."""
        if name not in __all__:
            raise AttributeError(f"module 'training' has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(_MODULES.get(name, "training.errors")), name)

    def __dir__() -> list[str]:
        """Return the public names, so that `help` and completion show them."""
        return [*globals(), *__all__]
