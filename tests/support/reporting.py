"""Results of a bank's credits, after a shift of the features and with concept drift."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import nan

import numpy as np

from functions.monitor.alarms.diagnosis import Diagnosis
from functions.monitor.alarms.traffic import Traffic
from functions.monitor.drift.compare import compare
from functions.monitor.drift.histograms import histogram_pairs
from functions.monitor.performance.estimated import Estimate
from functions.monitor.performance.fairness import ColumnFairness, group_rates
from functions.monitor.performance.history import HistoryPoint
from functions.monitor.performance.measure import ConceptDrift, Performance
from functions.monitor.results import Comparison, Results, Window
from functions.monitor.statistics.intervals import Interval, wilson
from sklambda.arrays import FloatMatrix, FloatVector
from sklambda.manifest import MetricInterval
from sklambda.signature import Feature, Signature, Target
from sklambda.sketch.baseline import Baseline
from sklambda.sketch.sketch import Sketch
from sklambda.sketch.sketcher import Sketcher
from training.baseline.monitoring_files import HeldOut, baseline

STOP = "2026-11-22T10:00:00+00:00"
MARKUP = "<img src=x onerror=alert(1)>"
"""A category that contains markup."""

PURPOSES = ("car (new)", "radio/tv", "furniture", "education", MARKUP, 'a "quoted" & <b>bold</b>')
STATUSES = ("female", "male single", "male married", "male divorced")

SIGNATURE = Signature(
    features=(
        Feature(name="duration_months", kind="integer", nullable=False),
        Feature(name="credit_amount", kind="number", nullable=False),
        Feature(name="<script>alert(2)</script>", kind="number", nullable=True),
        Feature(
            name="purpose",
            kind="category",
            nullable=False,
            vocabulary=PURPOSES,
            accepts_unseen=True,
        ),
        Feature(name="personal_status_sex", kind="category", nullable=False, vocabulary=STATUSES),
        Feature(name="age_years", kind="integer", nullable=False),
        Feature(name="foreign", kind="boolean", nullable=False),
    ),
    target=Target(name="credit", task="binary", classes=("good", "bad"), scores="probability"),
)
WEIGHTS = dict(zip(SIGNATURE.names, (0.3, 0.2, 0.05, 0.2, 0.05, 0.15, 0.05), strict=True))


def rows(count: int, seed: int, shifted: bool = False) -> FloatMatrix:
    """Draw encoded rows, [N, 7] float64."""
    drawn = np.random.default_rng(seed)
    duration = drawn.gamma(3.0, 7.0, count) + (7.5 if shifted else 0.0)
    chances = [0.15, 0.4, 0.1, 0.05, 0.2, 0.1] if shifted else [0.3, 0.25, 0.2, 0.15, 0.05, 0.05]
    empty = drawn.random(count) < (0.22 if shifted else 0.02)
    columns = (
        np.clip(np.round(duration), 4, 72),
        drawn.lognormal(7.8, 0.7, count),
        np.where(empty, np.nan, drawn.normal(0, 1, count)),
        drawn.choice(6, count, p=chances),
        drawn.choice(4, count, p=[0.3, 0.5, 0.1, 0.1]),
        drawn.integers(19, 75, count),
        drawn.random(count) < 0.04,
    )
    return np.stack([column.astype(np.float64) for column in columns], axis=1)


def chances(X: FloatMatrix) -> FloatVector:
    """Score rows, [N]."""
    logit = (X[:, 0] - 21) / 12 + (np.log(X[:, 1]) - 7.8) / 2 - (X[:, 5] - 45) / 40 - 0.7
    chance: FloatVector = 1 / (1 + np.exp(-logit))
    return chance


def reference() -> Baseline:
    """Return the baseline of rows of training."""
    X = rows(4000, 0)
    score = chances(X)
    labels = (score > 0.5).astype(np.intp)[:, None]
    held = HeldOut(np.stack([1 - score, score], axis=1), labels, labels)
    return baseline(SIGNATURE, X, held, WEIGHTS)


def sketch(base: Baseline, X: FloatMatrix) -> Sketch:
    """Sketch rows and their predictions."""
    score = chances(X)
    scores, labels = np.stack([1 - score, score], axis=1), (score > 0.5).astype(np.intp)
    return Sketcher(SIGNATURE, base).sketch(X, scores, labels[:, None])


def results(shifted: bool = True, count: int = 1500) -> Results:
    """Return results with everything that a report can show, or of a week without a change."""
    base, X = reference(), rows(count, 1, shifted)
    window = sketch(base, X)
    before = sketch(base, rows(1200, 2))
    found = compare(SIGNATURE, base, window)
    calm = Results(
        model="credit",
        model_id="7b02a938c1d54e6f",
        made="2026-11-22T10:05:00+00:00",
        window=Window("2026-11-21T10:00:00+00:00", STOP, count, 24, 12, "raw"),
        state=found.state,
        comparisons=[
            Comparison("training", found),
            Comparison("previous", compare(SIGNATURE, base, window, before)),
            Comparison(f"purpose = {MARKUP}", found),
        ],
        performance=[_performance(shifted)],
        groups=[_group(X)],
        history=_history(base, shifted),
        pictures=histogram_pairs(SIGNATURE, base, window),
    )
    if not shifted:
        return calm
    return replace(
        calm,
        traffic=Traffic(1610, 23, 8.4, 61.2, 4.0),
        diagnosis=_diagnosis(),
        retrain=("the accuracy has dropped in 2 of 3 windows", "412 outcomes are enough"),
    )


def _performance(shifted: bool) -> Performance:
    accuracy = wilson(0.681 if shifted else 0.752, 412)
    return Performance(
        target="credit",
        trained={
            "accuracy": MetricInterval(value=0.757, low=0.731, high=0.782),
            "roc_auc": MetricInterval(value=0.79, low=0.762, high=0.815),
        },
        realised={"accuracy": accuracy, "roc_auc": Interval(0.71, 0.66, 0.76, 412.0)},
        estimated={"accuracy": Estimate(0.749, 0.011), "roc_auc": Estimate(nan, nan)},
        labelled=412,
        concept=ConceptDrift(412, 0.749, accuracy.value, 3.2, 0.0007, True) if shifted else None,
        dropped=("accuracy", "roc_auc") if shifted else (),
    )


def _group(X: FloatMatrix) -> ColumnFairness:
    score, codes = chances(X), X[:, 4].astype(np.intp)
    drawn = np.random.default_rng(5)
    true = np.where(drawn.random(len(X)) < 0.3, drawn.random(len(X)) < score, nan)
    found = group_rates(codes, score > 0.5 + 0.08 * (codes == 1), true)
    return ColumnFairness(
        "personal_status_sex", {STATUSES[code]: one for code, one in found.items()}
    )


def _diagnosis() -> Diagnosis:
    return Diagnosis(
        alarm="credit-p99-latency",
        reason="Threshold Crossed: 1 datapoint [812.0 (22/11/26 10:00:00)] was greater than 500.0.",
        slowest=[("POST /predict, explain", 31, 842.5), ("POST /predict, 500 rows", 4, 611.0)],
        failing=[("POST /predict, 422", 19, 0.012)],
        models={"7b02a938c1d54e6f": 1404, "aa11": 96},
        changes=["Package aa11 has been serving since 2026-11-21T18:00:00Z."],
    )


def _history(base: Baseline, shifted: bool) -> list[HistoryPoint]:
    start, points = datetime(2026, 11, 8, 10, tzinfo=UTC), []
    drawn = np.random.default_rng(9)
    for day in range(14):
        X = rows(int(drawn.integers(700, 1600)), 20 + day, shifted and day > 9)
        low, middle, high = np.quantile(chances(X), (0.1, 0.5, 0.9)).tolist()
        accuracy = 0.755 - (0.025 * max(0, day - 10) if shifted else 0) + drawn.normal(0, 0.012)
        estimated = 0.752 - (0.005 if day > 9 else 0)
        points.append(
            HistoryPoint(
                time=(start + timedelta(days=day)).isoformat(),
                rows=len(X),
                scores={"bad": (low, middle, high)},
                realised={"accuracy": wilson(accuracy, 300)} if day != 4 else {},
                estimated={"accuracy": Interval(estimated, estimated - 0.02, estimated + 0.02, 0)},
            )
        )
    return points
