"""What a run of the monitor found: what the report shows, and what actions are decided by."""

from dataclasses import dataclass, field

from functions.monitor.alarms.diagnosis import Diagnosis
from functions.monitor.alarms.traffic import Traffic
from functions.monitor.drift.compare import Findings
from functions.monitor.drift.histograms import Picture
from functions.monitor.drift.verdict import State
from functions.monitor.performance.fairness import Group
from functions.monitor.performance.history import Point
from functions.monitor.performance.measure import Performance


@dataclass(frozen=True, slots=True)
class Window:
    """The time that is looked at.

    Attributes
    ----------
    start, stop : str
        ISO 8601, UTC, whole hours; `stop` is not part of it.
    rows : int
        How many predictions it has.
    hours : int
        In how many of its hours there were some.
    late : int
        How many predictions arrived after their hour was counted first.
    mode : str
        "raw" or "binned"; empty where there is nothing.
    """

    start: str
    stop: str
    rows: int = 0
    hours: int = 0
    late: int = 0
    mode: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A window beside something.

    Attributes
    ----------
    name : str
        "training", "previous", "last week", "challenger", or the segment, as "Contract = One year".
    findings : Findings
        What was found.
    """

    name: str
    findings: Findings


@dataclass(frozen=True, slots=True)
class Results:
    """What a run found.

    Attributes
    ----------
    model, model_id : str
        The name and id of the package.
    made : str
        When, ISO 8601.
    window : Window
        What was looked at.
    state : {"no_data", "insufficient_data", "stable", "changed"}
        What the comparison with training comes to.
    comparisons : list of Comparison
        The first is with training.
    performance : list of Performance
        One a target.
    groups : list of Group
        Of the columns that the configuration declares.
    traffic : Traffic or None
        None where nobody asked CloudWatch.
    diagnosis : Diagnosis or None
        Only of a run that an alarm started.
    history : list of Point
        What came before, and the window itself.
    retrain : tuple of str
        Why the policy asks for retraining; empty if it does not.
    held : tuple of str
        Why it does not although something speaks for it.
    pictures : list of Picture
        Of the features and scores, by `functions.monitor.drift.histograms.pictures`.
    """

    model: str
    model_id: str
    made: str
    window: Window
    state: State
    comparisons: list[Comparison] = field(default_factory=list)
    performance: list[Performance] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    traffic: Traffic | None = None
    diagnosis: Diagnosis | None = None
    history: list[Point] = field(default_factory=list)
    retrain: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    pictures: list[Picture] = field(default_factory=list)
