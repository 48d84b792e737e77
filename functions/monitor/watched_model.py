"""What is watched, and where what is known of it is kept."""

from collections.abc import Callable
from dataclasses import dataclass

from sklambda.error_model import ErrorModel
from sklambda.package import ModelPackage
from sklambda.policy.watching import Watching
from sklambda.signature import Signature
from sklambda.sketch.baseline import Baseline
from sklambda.storage import Storage

type Notice = Callable[[str], None]
"""Is told the key of each damaged object."""


def unheard(key: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is watched.

    Attributes
    ----------
    records : Storage
        Holds captures, outcomes, and what is counted of them.
    package : ModelPackage
        The model.
    baseline : Baseline
        What it is compared with.
    watching : Watching
        What to look at.
    notice : callable
        Is told the key of each damaged object.
    error_model : ErrorModel or None
        Says how far a regressor is off.
    """

    records: Storage
    package: ModelPackage
    baseline: Baseline
    watching: Watching
    notice: Notice = unheard
    error_model: ErrorModel | None = None

    @property
    def id(self) -> str:
        """The package's id."""
        return self.package.manifest.id

    @property
    def signature(self) -> Signature:
        """The model's inputs and answer."""
        return self.package.signature
