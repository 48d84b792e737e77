"""What a job needs of the world."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from functions.batch.jobs.cost import Rates
from sklambda.predictor import Predictor
from sklambda.storage import Storage

type Open = Callable[[str], tuple[Storage, str]]
"""Gives the storage that an address leads to, and the key there."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What a job needs of the world.

    Attributes
    ----------
    predictor : Predictor
        What scores.
    storage : Storage
        Where scored files, rejects, receipts and what is between them are kept.
    open : callable
        Gives the storage and the key of an input.
    folder : Path
        For files that are needed while a part is scored.
    rates : Rates or None
        What computing costs here; None on a laptop.
    records : Storage or None
        Where the monitor looks for what was scored; None for nowhere.
    redacted : tuple of str
        Features that are not counted for it.
    now : callable
        Gives the moment.
    """

    predictor: Predictor
    storage: Storage
    open: Open
    folder: Path
    rates: Rates | None = None
    records: Storage | None = None
    redacted: tuple[str, ...] = ()
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def moment(self) -> str:
        """Give the moment as a receipt writes it."""
        return self.now().astimezone(UTC).isoformat(timespec="seconds")
