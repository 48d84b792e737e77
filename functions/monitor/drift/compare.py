"""The comparison of a window with training, or with another window."""

from collections.abc import Iterator
from dataclasses import dataclass

from functions.monitor.drift.checks import distribution_checks, quality_checks, rate_check
from functions.monitor.drift.verdict import (
    ColumnPair,
    PendingVerdict,
    State,
    Thresholds,
    Verdict,
    rank_by_impact,
    to_verdicts,
)
from sklambda.signature import Feature, Signature
from sklambda.sketch.baseline import Baseline, Reference, codes
from sklambda.sketch.ruler import Ruler
from sklambda.sketch.sketch import Histogram, Sketch


@dataclass(frozen=True, slots=True)
class Findings:
    """The findings of a comparison.

    Attributes
    ----------
    state : {"no_data", "insufficient_data", "stable", "changed"}
        "changed" if any verdict is.
    rows : int
        The number of predictions in the window.
    features : list of Verdict
        Of the distributions and the quality of features; changes first, then by impact.
    predictions : list of Verdict
        Of the scores and the labels, in the same order.
    """

    state: State
    rows: int
    features: list[Verdict]
    predictions: list[Verdict]


def compare(
    signature: Signature,
    baseline: Baseline,
    window: Sketch,
    other: Sketch | None = None,
    thresholds: Thresholds | None = None,
) -> Findings:
    """Compare a window with training, or with another window.

    Parameters
    ----------
    signature : Signature
        The features, with the names of their categories.
    baseline : Baseline
        The baseline; the window was counted on its rulers.
    window : Sketch
        The window.
    other : Sketch, optional
        Another window of the same mode; by default the window is compared with training.
    thresholds : Thresholds, optional
        The thresholds of a change.

    Returns
    -------
    Findings
        All distributions are one family of tests, all rates another: the significance of a change
        takes into account how many columns were checked. Scores and labels are not compared with
        training if captures lack features that they depend on.

    Raises
    ------
    ValueError
        One window is raw, the other binned.
    """
    thresholds = thresholds or Thresholds()
    if other is not None and other.mode != window.mode:
        raise ValueError(f"windows must have the same mode, got {window.mode} and {other.mode}")
    pairs = list(_features(signature, baseline, window, other))
    if other is not None or not baseline.hides_much(window):
        pairs += _scores(baseline, window, other)
        pairs += _labels(signature, baseline, window, other)
    checks = [*quality_checks(pairs, thresholds), *_duplicates(baseline, window, other, thresholds)]
    distributions = to_verdicts(distribution_checks(pairs, thresholds), thresholds)
    verdicts = rank_by_impact([*distributions, *to_verdicts(checks, thresholds)])
    return Findings(
        state=_state(window.rows, any(verdict.changed for verdict in verdicts), thresholds),
        rows=window.rows,
        features=[verdict for verdict in verdicts if verdict.about == "feature"],
        predictions=[verdict for verdict in verdicts if verdict.about == "prediction"],
    )


def _state(rows: int, changed: bool, thresholds: Thresholds) -> State:
    if not rows:
        return "no_data"
    if changed:
        return "changed"
    return "stable" if rows >= thresholds.enough else "insufficient_data"


def _features(
    signature: Signature, baseline: Baseline, window: Sketch, other: Sketch | None
) -> Iterator[ColumnPair]:
    references = baseline.recorded(window.mode)
    equal_weight = 1 / len(signature.features)
    for feature in signature.features:
        after = window.features.get(feature.name)
        reference = references.get(feature.name)
        if after is None or reference is None:
            continue
        before = reference.column if other is None else other.features.get(feature.name)
        if before is not None:
            weight = baseline.weights.get(feature.name, 0.0) if baseline.weights else equal_weight
            names = _categories(feature)
            yield ColumnPair(feature.name, reference, before, after, names, weight=weight)


def _categories(feature: Feature) -> tuple[str, ...]:
    if not codes(feature):
        return ()
    return ("false", "true") if feature.kind == "boolean" else feature.vocabulary


def _scores(baseline: Baseline, window: Sketch, other: Sketch | None) -> Iterator[ColumnPair]:
    for name, reference in baseline.scores.items():
        before = reference.column if other is None else other.scores[name]
        yield ColumnPair(name, reference, before, window.scores[name], about="prediction")


def _labels(
    signature: Signature, baseline: Baseline, window: Sketch, other: Sketch | None
) -> Iterator[ColumnPair]:
    counts = baseline.labels if other is None else other.labels
    targets = [part for part in signature.target.parts or (signature.target,) if part.classes]
    for target, (name, labels) in zip(targets, window.labels.items(), strict=True):
        reference = Reference(ruler=Ruler(codes=len(labels)), column=_column(counts[name]))
        names = target.class_names
        yield ColumnPair(name, reference, reference.column, _column(labels), names, "prediction")


def _column(counts: tuple[int, ...]) -> Histogram:
    return Histogram(rows=sum(counts), counts=counts)


def _duplicates(
    baseline: Baseline, window: Sketch, other: Sketch | None, thresholds: Thresholds
) -> Iterator[PendingVerdict]:
    """Check whether there are more duplicated rows; binned rows are equal too often to compare.

    More rows have more duplicates by nature: in proportion, as long as they are few.
    """
    source = baseline if other is None else other
    if window.mode == "binned" or not window.rows or not source.rows:
        return
    expected = round(source.duplicates * max(1.0, window.rows / source.rows))
    before = min(expected, source.rows), source.rows
    if window.duplicates * before[1] > before[0] * window.rows:
        yield rate_check("", "duplicated", before, (window.duplicates, window.rows), thresholds)
