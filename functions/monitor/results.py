"""What a run of the monitor found: what the report shows, and what actions are decided by."""

from dataclasses import dataclass, field

from functions.monitor.compare import Findings
from functions.monitor.concept import Concept
from functions.monitor.estimated import Estimate
from functions.monitor.fairness import Treatment
from functions.monitor.interval import Interval
from functions.monitor.verdict import About, State
from sklambda.manifest import MetricInterval


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
class Picture:
    """How the values of a column are spread, then and now.

    Attributes
    ----------
    name : str
        The feature or score.
    about : {"feature", "prediction"}
        What the column is.
    labels : tuple of str
        The categories; empty for numbers.
    edges : tuple of float
        The ends of the bars of numbers, one more than bars; empty for categories.
    before, after : tuple of float
        For each bar the share of the present values, in training and in the window.
    """

    name: str
    about: About
    labels: tuple[str, ...]
    edges: tuple[float, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Performance:
    """How good one target's answers are.

    Attributes
    ----------
    target : str
        The name of the target, or of the value.
    trained : dict of str to MetricInterval
        On held-out rows of training.
    realised : dict of str to Interval
        By the outcomes that are known; empty without any.
    estimated : dict of str to Estimate
        What is to be expected without them; empty where nothing can be said.
    labelled : int
        How many predictions of the window have an outcome.
    concept : Concept or None
        Whether scores still mean what they meant.
    dropped : tuple of str
        The metrics that are worse than in training beyond what chance explains: realised ones by
        their name, estimated ones as "estimated …".
    """

    target: str
    trained: dict[str, MetricInterval] = field(default_factory=dict)
    realised: dict[str, Interval] = field(default_factory=dict)
    estimated: dict[str, Estimate] = field(default_factory=dict)
    labelled: int = 0
    concept: Concept | None = None
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """How the groups of a declared column are treated.

    Attributes
    ----------
    column : str
        The feature.
    treatments : dict of str to Treatment
        By the name of the group.
    """

    column: str
    treatments: dict[str, Treatment]


@dataclass(frozen=True, slots=True)
class Traffic:
    """How the service did, by CloudWatch; None where it has no figure.

    Attributes
    ----------
    requests, problems : int or None
        How many requests, and how many of them were refused or failed.
    p50, p99 : float or None
        Milliseconds of a request.
    minutes_since : float or None
        Since the last prediction.
    """

    requests: int | None = None
    problems: int | None = None
    p50: float | None = None
    p99: float | None = None
    minutes_since: float | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What an alarm is about.

    Attributes
    ----------
    alarm, reason : str
        Its name, and CloudWatch's sentence.
    slowest, failing : list of (str, int, float)
        Classes of requests: what they are, how many, and milliseconds or the share that failed.
    models : dict of str to int
        How many answers each package gave, by its id.
    changes : list of str
        What has changed since the alarm was last silent, one sentence each.
    """

    alarm: str
    reason: str
    slowest: list[tuple[str, int, float]] = field(default_factory=list)
    failing: list[tuple[str, int, float]] = field(default_factory=list)
    models: dict[str, int] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Point:
    """One hour or day of the history.

    Attributes
    ----------
    time : str
        Where it begins, ISO 8601.
    rows : int
        How many predictions.
    scores : dict of str to tuple of float
        The 10 %, 50 % and 90 % quantiles of each score.
    realised, estimated : dict of str to Interval
        Metrics, with what is not known of them.
    """

    time: str
    rows: int
    scores: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    realised: dict[str, Interval] = field(default_factory=dict)
    estimated: dict[str, Interval] = field(default_factory=dict)


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
        Of the features and scores, by `functions.monitor.pictures.pictures`.
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
