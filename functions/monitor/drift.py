"""Whether the distribution of a column has changed."""

from collections.abc import Iterator, Sequence

from functions.monitor.mix import mix
from functions.monitor.pair import Pair
from functions.monitor.shift import shift
from functions.monitor.verdict import Gate, Tested, Verdict
from sklambda.sketch import Column


def drift(pairs: Sequence[Pair], gate: Gate) -> Iterator[Tested]:
    """Test whether distributions have changed."""
    for pair in pairs:
        if not _counted(pair.after) or not _counted(pair.before):
            yield _untested(pair, gate)
        elif pair.reference.ruler.codes:
            yield mix(pair, gate)
        else:
            yield shift(pair, gate)


def _counted(column: Column) -> int:
    return sum(column.counts) + column.unseen


def _untested(pair: Pair, gate: Gate) -> Tested:
    verdict = Verdict(
        pair.name, "distribution", 0, 0.0, gate.effect, 1.0, about=pair.about, weight=pair.weight
    )
    return Tested(verdict, lambda level: float("inf"))
