"""A window beside training, or beside another window."""

from collections.abc import Iterator
from dataclasses import dataclass

from functions.monitor.drift.checks import drift, quality, rate
from functions.monitor.drift.verdict import Gate, Pair, State, Tested, Verdict, decide, ranked
from sklambda.signature import Feature, Signature
from sklambda.sketch.baseline import Baseline, Reference, codes
from sklambda.sketch.ruler import Ruler
from sklambda.sketch.sketch import Column, Sketch


@dataclass(frozen=True, slots=True)
class Findings:
    """What a comparison found.

    Attributes
    ----------
    state : {"no_data", "insufficient_data", "stable", "changed"}
        What it comes to: "changed" as soon as one verdict is.
    rows : int
        How many predictions the window has.
    features : list of Verdict
        Of the distributions and the quality of the features; changes first, then by impact.
    predictions : list of Verdict
        Of the scores and the labels, likewise.
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
    gate: Gate | None = None,
) -> Findings:
    """Compare a window.

    Parameters
    ----------
    signature : Signature
        Names the categories.
    baseline : Baseline
        On whose rulers the window was counted.
    window : Sketch
        What is judged.
    other : Sketch, optional
        What it is compared with: another window of the same mode; training unless told.
    gate : Gate, optional
        What it takes to be called a change.

    Returns
    -------
    Findings
        All distributions are decided together, and all rates: a change is called one at a level
        that counts how many columns were looked at.

    Raises
    ------
    ValueError
        One window is raw and the other binned.
    """
    gate = gate or Gate()
    if other is not None and other.mode != window.mode:
        raise ValueError("a raw and a binned window cannot be compared")
    pairs = [
        *_features(signature, baseline, window, other),
        *_scores(baseline, window, other),
        *_labels(signature, baseline, window, other),
    ]
    checks = [*quality(pairs, gate), *_duplicates(baseline, window, other, gate)]
    verdicts = ranked([*decide(drift(pairs, gate), gate), *decide(checks, gate)])
    return Findings(
        state=_state(window.rows, any(verdict.changed for verdict in verdicts), gate),
        rows=window.rows,
        features=[verdict for verdict in verdicts if verdict.about == "feature"],
        predictions=[verdict for verdict in verdicts if verdict.about == "prediction"],
    )


def _state(rows: int, changed: bool, gate: Gate) -> State:
    if not rows:
        return "no_data"
    if changed:
        return "changed"
    return "stable" if rows >= gate.enough else "insufficient_data"


def _features(
    signature: Signature, baseline: Baseline, window: Sketch, other: Sketch | None
) -> Iterator[Pair]:
    references = baseline.recorded(window.mode)
    even = 1 / len(signature.features)
    for feature in signature.features:
        after = window.features.get(feature.name)
        reference = references.get(feature.name)
        if after is None or reference is None:
            continue
        before = reference.column if other is None else other.features.get(feature.name)
        if before is not None:
            weight = baseline.weights.get(feature.name, 0.0) if baseline.weights else even
            names = _categories(feature)
            yield Pair(feature.name, reference, before, after, names, weight=weight)


def _categories(feature: Feature) -> tuple[str, ...]:
    if not codes(feature):
        return ()
    return ("false", "true") if feature.kind == "boolean" else feature.vocabulary


def _scores(baseline: Baseline, window: Sketch, other: Sketch | None) -> Iterator[Pair]:
    for name, reference in baseline.scores.items():
        before = reference.column if other is None else other.scores[name]
        yield Pair(name, reference, before, window.scores[name], about="prediction")


def _labels(
    signature: Signature, baseline: Baseline, window: Sketch, other: Sketch | None
) -> Iterator[Pair]:
    counts = baseline.labels if other is None else other.labels
    targets = [part for part in signature.target.parts or (signature.target,) if part.classes]
    for target, (name, labels) in zip(targets, window.labels.items(), strict=True):
        reference = Reference(ruler=Ruler(codes=len(labels)), column=_column(counts[name]))
        names = target.class_names
        yield Pair(name, reference, reference.column, _column(labels), names, "prediction")


def _column(counts: tuple[int, ...]) -> Column:
    return Column(rows=sum(counts), counts=counts)


def _duplicates(
    baseline: Baseline, window: Sketch, other: Sketch | None, gate: Gate
) -> Iterator[Tested]:
    """Test whether more rows stand again in their part; binned rows tell nothing.

    The more rows there are, the more are equal by nature: in proportion, as long as few are.
    """
    source = baseline if other is None else other
    if window.mode == "binned" or not window.rows or not source.rows:
        return
    expected = round(source.duplicates * max(1.0, window.rows / source.rows))
    before = min(expected, source.rows), source.rows
    if window.duplicates * before[1] > before[0] * window.rows:
        yield rate("", "duplicated", before, (window.duplicates, window.rows), gate)
