"""The comparison of a window with training, or with another window."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from functions.monitor.drift.verdict import (
    Check,
    ColumnPair,
    PendingVerdict,
    State,
    Thresholds,
    Verdict,
    rank_by_impact,
    to_verdicts,
)
from functions.monitor.statistics.distances import (
    chi_square,
    chi_square_p,
    decile_counts,
    jensen_shannon,
    kolmogorov_smirnov,
    mean,
    pool_rare,
    stability_index,
    standard_deviation,
    wasserstein,
)
from functions.monitor.statistics.significance import (
    detectable_mix,
    detectable_points,
    detectable_shift,
    fisher_p,
    kolmogorov_smirnov_p,
)
from sklambda.arrays import FloatVector
from sklambda.signature import Feature, Signature
from sklambda.sketch.baseline import Baseline, Reference, codes
from sklambda.sketch.ruler import Ruler
from sklambda.sketch.sketch import Histogram, Sketch

_MAX_SHIFTS: Final = 3
"""How many of the shifted categories a verdict names."""

type Rate = tuple[int, int]
"""A count, and the number of rows it is of."""


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


def distribution_checks(
    pairs: Sequence[ColumnPair], thresholds: Thresholds
) -> Iterator[PendingVerdict]:
    """Check whether the distributions of columns have changed."""
    for pair in pairs:
        if not _count_values(pair.after) or not _count_values(pair.before):
            yield _no_data(pair, thresholds)
        elif pair.reference.ruler.codes:
            yield categorical_drift(pair, thresholds)
        else:
            yield numeric_drift(pair, thresholds)


def _count_values(column: Histogram) -> int:
    return sum(column.counts) + column.unseen


def _no_data(pair: ColumnPair, thresholds: Thresholds) -> PendingVerdict:
    verdict = Verdict(
        pair.name,
        "distribution",
        0,
        0.0,
        thresholds.effect,
        1.0,
        about=pair.about,
        weight=pair.weight,
    )
    return PendingVerdict(verdict, lambda level: float("inf"))


def numeric_drift(pair: ColumnPair, thresholds: Thresholds) -> PendingVerdict:
    """Compare numbers: the effect is Wasserstein's distance, p of Kolmogorov and Smirnov's test."""
    ruler, n, m = pair.reference.ruler, sum(pair.after.counts), sum(pair.before.counts)
    measures = _measures(pair)
    verdict = Verdict(
        name=pair.name,
        check="distribution",
        rows=n,
        effect=measures["wasserstein"],
        least=thresholds.effect,
        p=kolmogorov_smirnov_p(measures["kolmogorov_smirnov"], n, m),
        before=mean(ruler, pair.before),
        after=mean(ruler, pair.after),
        direction=_direction(pair),
        measures=measures,
        about=pair.about,
        weight=pair.weight,
    )
    return PendingVerdict(verdict, partial(detectable_shift, n=n, m=m))


def _measures(pair: ColumnPair) -> dict[str, float]:
    area = wasserstein(pair.reference.ruler, pair.before, pair.after)
    deciles = [decile_counts(pair.reference.column, one) for one in (pair.before, pair.after)]
    return {
        "wasserstein": area / (pair.reference.std or 1.0),
        "kolmogorov_smirnov": kolmogorov_smirnov(pair.before, pair.after),
        "jensen_shannon": jensen_shannon(*deciles),
        "stability_index": stability_index(*deciles),
    }


def _direction(pair: ColumnPair) -> str:
    """Return the direction of the shift, or of the spread if it explains more of the area."""
    ruler, before, after = pair.reference.ruler, pair.before, pair.after
    shift = mean(ruler, after) - mean(ruler, before)
    if abs(shift) >= wasserstein(ruler, before, after) / 2:
        return "up" if shift > 0 else "down" if shift < 0 else ""
    is_wider = standard_deviation(ruler, after) > standard_deviation(ruler, before)
    return "wider" if is_wider else "narrower"


def categorical_drift(pair: ColumnPair, thresholds: Thresholds) -> PendingVerdict:
    """Compare categories, rare ones pooled: Jensen and Shannon's distance, and chi-square's p."""
    before, after = _with_unseen(pair.before), _with_unseen(pair.after)
    groups = pool_rare(before, after)
    n, m = int(after.sum()), int(before.sum())
    distance = jensen_shannon(*groups)
    verdict = Verdict(
        name=pair.name,
        check="distribution",
        rows=n,
        effect=distance,
        least=thresholds.effect,
        p=chi_square_p(*groups),
        direction="mix",
        shifts=_largest_shifts(pair.categories, after / n - before / m),
        measures={"jensen_shannon": distance, "stability_index": stability_index(*groups)},
        about=pair.about,
        weight=pair.weight,
    )
    freedom = chi_square(*groups)[1]
    return PendingVerdict(verdict, partial(detectable_mix, freedom=freedom, n=n, m=m))


def _with_unseen(column: Histogram) -> FloatVector:
    return np.array([*column.counts, column.unseen], dtype=np.float64)


def _largest_shifts(categories: Sequence[str], shift: FloatVector) -> tuple[tuple[str, float], ...]:
    names = [*categories, "unseen"]
    largest = np.argsort(-np.abs(shift), kind="stable")[:_MAX_SHIFTS].tolist()
    return tuple((names[code], float(shift[code])) for code in largest if shift[code])


def quality_checks(pairs: Sequence[ColumnPair], thresholds: Thresholds) -> Iterator[PendingVerdict]:
    """Check the rates of columns; a rate of zero on both sides has no verdict."""
    for pair in pairs:
        before, after = _rates(pair.before), _rates(pair.after)
        for check in before:
            if pair.after.rows and (before[check][0] or after[check][0]):
                yield _rate_check(pair, check, before[check], after[check], thresholds)
        if pair.after.present and pair.after.constant and not pair.before.constant:
            yield _constant(pair, thresholds)


def _rate_check(
    pair: ColumnPair, check: Check, before: Rate, after: Rate, thresholds: Thresholds
) -> PendingVerdict:
    pending = rate_check(pair.name, check, before, after, thresholds)
    verdict = replace(pending.verdict, about=pair.about, weight=pair.weight)
    return pending._replace(verdict=verdict)


def rate_check(
    name: str, check: Check, before: Rate, after: Rate, thresholds: Thresholds
) -> PendingVerdict:
    """Compare two rates by Fisher's exact test."""
    (count_before, m), (count_after, n) = before, after
    rate_before, rate_after = count_before / m if m else 0.0, count_after / n
    verdict = Verdict(
        name=name,
        check=check,
        rows=n,
        effect=abs(rate_after - rate_before),
        least=thresholds.points,
        p=fisher_p(count_after, n, count_before, m),
        before=rate_before,
        after=rate_after,
        direction="up" if rate_after > rate_before else "down",
    )
    return PendingVerdict(verdict, partial(detectable_points, rate=rate_before, n=n, m=max(m, 1)))


def _rates(column: Histogram) -> dict[Check, Rate]:
    return {
        "missing": (column.missing, column.rows),
        "unseen": (column.unseen, column.rows),
        "out_of_range": (column.below + column.above, column.rows),
        "coerced": (column.coerced, column.rows),
    }


def _constant(pair: ColumnPair, thresholds: Thresholds) -> PendingVerdict:
    """Check whether a single value is left: p is that of n values in the most frequent bin."""
    n = pair.after.present
    largest = max((*pair.before.counts, pair.before.unseen)) / max(1, pair.before.present)
    verdict = Verdict(
        name=pair.name,
        check="constant",
        rows=n,
        effect=1 - largest,
        least=thresholds.points,
        p=largest**n,
        about=pair.about,
        weight=pair.weight,
    )
    return PendingVerdict(verdict, lambda level: thresholds.points)
