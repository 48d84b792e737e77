"""The watched model: its package, its baseline, and where its captures and outcomes are stored."""

from collections.abc import Callable
from dataclasses import dataclass

from sklambda.error_model import ErrorModel
from sklambda.package import ModelPackage
from sklambda.policy.watching import Watching
from sklambda.signature import Signature
from sklambda.sketch.baseline import Baseline
from sklambda.storage import Storage

type OnDamaged = Callable[[str], None]
"""A callback that gets the key of each damaged object."""


def ignore_damaged(key: str) -> None:
    """Ignore a damaged object."""


@dataclass(frozen=True, slots=True)
class WatchedModel:
    """A model that is monitored.

    Attributes
    ----------
    storage : Storage
        Captures, outcomes, and what is counted of them.
    package : ModelPackage
        The model package.
    baseline : Baseline
        The distributions and metrics of training.
    watching : Watching
        The ``[monitor]`` table of the training configuration.
    on_damaged : callable
        Gets the key of each damaged object.
    error_model : ErrorModel or None
        Predicts the absolute errors of a regressor.
    """

    storage: Storage
    package: ModelPackage
    baseline: Baseline
    watching: Watching
    on_damaged: OnDamaged = ignore_damaged
    error_model: ErrorModel | None = None

    @property
    def id(self) -> str:
        """The id of the package."""
        return self.package.manifest.id

    @property
    def signature(self) -> Signature:
        """The features and the target of the model."""
        return self.package.signature
