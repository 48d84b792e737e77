"""Whether values have become missing, unknown, or otherwise not what they were."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from functions.monitor.drift.verdict import Check, Gate, Pair, Tested, Verdict
from functions.monitor.statistics.significance import detectable_points, fisher_p
from sklambda.sketch.sketch import Column

type Rate = tuple[int, int]  # how many, of how many


def quality(pairs: Sequence[Pair], gate: Gate) -> Iterator[Tested]:
    """Test the rates of each column; of what never happens nothing is said."""
    for pair in pairs:
        before, after = _rates(pair.before), _rates(pair.after)
        for check in before:
            if pair.after.rows and (before[check][0] or after[check][0]):
                yield _rate(pair, check, before[check], after[check], gate)
        if pair.after.present and pair.after.constant and not pair.before.constant:
            yield _constant(pair, gate)


def _rate(pair: Pair, check: Check, before: Rate, after: Rate, gate: Gate) -> Tested:
    test = rate(pair.name, check, before, after, gate)
    verdict = replace(test.verdict, about=pair.about, weight=pair.weight)
    return test._replace(verdict=verdict)


def rate(name: str, check: Check, before: Rate, after: Rate, gate: Gate) -> Tested:
    """Compare two rates, each as how many of how many: Fisher's exact test."""
    (expected, m), (found, n) = before, after
    was, became = expected / m if m else 0.0, found / n
    verdict = Verdict(
        name=name,
        check=check,
        rows=n,
        effect=abs(became - was),
        least=gate.points,
        p=fisher_p(found, n, expected, m),
        before=was,
        after=became,
        direction="up" if became > was else "down",
    )
    return Tested(verdict, partial(detectable_points, rate=was, n=n, m=max(m, 1)))


def _rates(column: Column) -> dict[Check, Rate]:
    return {
        "missing": (column.missing, column.rows),
        "unseen": (column.unseen, column.rows),
        "out_of_range": (column.below + column.above, column.rows),
        "coerced": (column.coerced, column.rows),
    }


def _constant(pair: Pair, gate: Gate) -> Tested:
    """Judge that only one value is left: by chance it is the most frequent bin's, each time."""
    n = pair.after.present
    most = max((*pair.before.counts, pair.before.unseen)) / max(1, pair.before.present)
    verdict = Verdict(
        name=pair.name,
        check="constant",
        rows=n,
        effect=1 - most,
        least=gate.points,
        p=most**n,
        about=pair.about,
        weight=pair.weight,
    )
    return Tested(verdict, lambda level: gate.points)
