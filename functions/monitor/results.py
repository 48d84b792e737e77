"""The results of a run: what the report shows, and what notifications and retraining depend on."""

from dataclasses import dataclass, field

from functions.monitor.alarms.diagnosis import Diagnosis
from functions.monitor.alarms.traffic import Traffic
from functions.monitor.drift.compare import Findings
from functions.monitor.drift.histograms import HistogramPair
from functions.monitor.drift.verdict import State
from functions.monitor.performance.fairness import ColumnFairness
from functions.monitor.performance.history import HistoryPoint
from functions.monitor.performance.measure import Performance


@dataclass(frozen=True, slots=True)
class Window:
    """The time whose predictions are judged.

    Attributes
    ----------
    start, stop : str
        ISO 8601, UTC, whole hours; `stop` is excluded.
    rows : int
        The number of predictions.
    hours : int
        How many of its hours have predictions.
    late : int
        How many predictions arrived after their hour was first counted.
    mode : str
        "raw" or "binned"; empty without predictions.
    """

    start: str
    stop: str
    rows: int = 0
    hours: int = 0
    late: int = 0
    mode: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison of the window with a reference.

    Attributes
    ----------
    name : str
        "training", "previous", "last week", "challenger", or a segment such as
        "Contract = One year".
    findings : Findings
        The verdicts of the comparison.
    """

    name: str
    findings: Findings


@dataclass(frozen=True, slots=True)
class Results:
    """The results of a run; its members are those of the report's JSON.

    Attributes
    ----------
    model, model_id : str
        The name and id of the package.
    made : str
        The time of the run, ISO 8601.
    window : Window
        The window that was judged.
    state : {"no_data", "insufficient_data", "stable", "changed"}
        The state of the comparison with training.
    comparisons : list of Comparison
        The first is with training.
    performance : list of Performance
        Of each target.
    groups : list of ColumnFairness
        Of each declared column.
    traffic : Traffic or None
        None if CloudWatch was not read.
    diagnosis : Diagnosis or None
        Of a run that an alarm started.
    history : list of HistoryPoint
        The time before, and the window itself.
    retrain : tuple of str
        The reasons for retraining; empty if the policy does not request it.
    held : tuple of str
        What keeps the policy from requesting retraining although there is a reason.
    pictures : list of HistogramPair
        The histograms of each feature and score, in training and in the window.
    """

    model: str
    model_id: str
    made: str
    window: Window
    state: State
    comparisons: list[Comparison] = field(default_factory=list)
    performance: list[Performance] = field(default_factory=list)
    groups: list[ColumnFairness] = field(default_factory=list)
    traffic: Traffic | None = None
    diagnosis: Diagnosis | None = None
    history: list[HistoryPoint] = field(default_factory=list)
    retrain: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    pictures: list[HistogramPair] = field(default_factory=list)
