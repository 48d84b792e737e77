"""What the configuration says of monitoring, as the model package carries it."""

from sklambda.document import Document
from sklambda.errors import DocumentInvalid


class RetrainingPolicy(Document):
    """When to retrain; drift alone is never a reason.

    Attributes
    ----------
    labels : int
        The fewest outcomes that a new model could be judged by.
    cooldown_hours : int
        How long after the last call for retraining there is no other.
    windows, of_windows : int
        In how many of the last windows a reason must stand.
    estimated_drop : float
        How much worse than in training the estimated metric must be, beyond its own error.
    """

    labels: int = 200
    cooldown_hours: int = 168
    windows: int = 2
    of_windows: int = 3
    estimated_drop: float = 0.02

    def agree(self) -> None:
        """Raise `DocumentInvalid` for figures without sense."""
        if not 1 <= self.windows <= self.of_windows:
            raise DocumentInvalid("windows: must be from 1 to of_windows")
        if self.labels < 1 or self.cooldown_hours < 0 or not 0 <= self.estimated_drop <= 1:
            raise DocumentInvalid("labels, cooldown_hours or estimated_drop: makes no sense")


class Watching(Document):
    """What the monitor looks at.

    Attributes
    ----------
    window_hours : int
        How long a window is.
    groups : tuple of str
        Categories by which fairness is measured.
    segments : tuple of str
        Categories each of whose values is compared with itself in the window before.
    effect, points, rate, enough
        As `functions.monitor.drift.verdict.Gate` has them.
    retrain : RetrainingPolicy
        When to retrain.
    """

    window_hours: int = 24
    groups: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    effect: float = 0.1
    points: float = 0.05
    rate: float = 0.05
    enough: int = 500
    retrain: RetrainingPolicy = RetrainingPolicy()

    def agree(self) -> None:
        """Raise `DocumentInvalid` for figures without sense."""
        if self.window_hours < 1 or self.enough < 1:
            raise DocumentInvalid("window_hours or enough: must be at least 1")
        if not all(0 < share < 1 for share in (self.effect, self.points, self.rate)):
            raise DocumentInvalid("effect, points or rate: must be between 0 and 1")
