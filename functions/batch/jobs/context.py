"""The dependencies of a job: the model, storage, scratch space and the clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from functions.batch.jobs.cost import Rates
from sklambda.predictor import Predictor
from sklambda.storage import Storage

type OpenInput = Callable[[str], tuple[Storage, str]]
"""Returns the storage and the key of an address."""


@dataclass(frozen=True, slots=True)
class Context:
    """The dependencies of a job.

    Attributes
    ----------
    predictor : Predictor
        The model.
    storage : Storage
        Holds scored files, rejects, receipts and work in progress.
    open_input : callable
        Returns the storage and the key of an input's address.
    folder : Path
        For scratch files of one part.
    rates : Rates or None
        Prices of computing; None on a laptop.
    sketches : Storage or None
        Where the monitor reads sketches; None to write none.
    redacted : tuple of str
        Features that are not counted in sketches.
    now : callable
        Returns the current time.
    """

    predictor: Predictor
    storage: Storage
    open_input: OpenInput
    folder: Path
    rates: Rates | None = None
    sketches: Storage | None = None
    redacted: tuple[str, ...] = ()
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def timestamp(self) -> str:
        """Return the current time as in a receipt."""
        return self.now().astimezone(UTC).isoformat(timespec="seconds")
