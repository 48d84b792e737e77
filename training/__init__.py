"""Offline training: from a scikit-learn pipeline to a model package that has proven itself."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from training.exporter import Record, export


__all__ = ["Record", "export"]


def __getattr__(name: str) -> Any:
    """Import the public calls when they are asked for: they bring scikit-learn with them."""
    if name not in __all__:
        raise AttributeError(f"module 'training' has no attribute {name!r}")
    from training import exporter

    return getattr(exporter, name)
