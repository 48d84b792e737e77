"""The configuration of monitoring, as the model package holds it."""

from sklambda.document import Document
from sklambda.errors import DocumentInvalid


class RetrainingPolicy(Document):
    """The conditions of retraining; drift alone is never a reason.

    Attributes
    ----------
    labels : int
        The least number of outcomes.
    cooldown_hours : int
        The hours after a request for retraining without another.
    windows, of_windows : int
        The number of the last windows that must have a reason, and of how many.
    estimated_drop : float
        The least drop of an estimated metric since training, beyond its error.
    """

    labels: int = 200
    cooldown_hours: int = 168
    windows: int = 2
    of_windows: int = 3
    estimated_drop: float = 0.02

    def validate(self) -> None:
        """Raise `DocumentInvalid` for numbers out of range."""
        if not 1 <= self.windows <= self.of_windows:
            raise DocumentInvalid(
                f"windows must be from 1 to {self.of_windows}, got {self.windows}"
            )
        if self.labels < 1:
            raise DocumentInvalid(f"labels must be at least 1, got {self.labels}")
        if self.cooldown_hours < 0:
            raise DocumentInvalid(f"cooldown_hours must be at least 0, got {self.cooldown_hours}")
        if not 0 <= self.estimated_drop <= 1:
            raise DocumentInvalid(
                f"estimated_drop must be between 0 and 1, got {self.estimated_drop:g}"
            )


class Watching(Document):
    """The configuration of monitoring.

    Attributes
    ----------
    window_hours : int
        The length of a window.
    groups : tuple of str
        The categories by which fairness is measured.
    segments : tuple of str
        The categories each value of which is compared with the same in the window before.
    effect, points, rate, enough
        The members of `functions.monitor.drift.verdict.Gate`.
    retrain : RetrainingPolicy
        The conditions of retraining.
    """

    window_hours: int = 24
    groups: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    effect: float = 0.1
    points: float = 0.05
    rate: float = 0.05
    enough: int = 500
    retrain: RetrainingPolicy = RetrainingPolicy()

    def validate(self) -> None:
        """Raise `DocumentInvalid` for numbers out of range."""
        for name in ("window_hours", "enough"):
            if (number := getattr(self, name)) < 1:
                raise DocumentInvalid(f"{name} must be at least 1, got {number}")
        for name in ("effect", "points", "rate"):
            if not 0 < (share := getattr(self, name)) < 1:
                raise DocumentInvalid(f"{name} must be above 0 and below 1, got {share:g}")
