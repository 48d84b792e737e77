"""How benchmarks take time: alternating, so that a machine that slows down slows all alike."""

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter


def medians(
    subjects: Mapping[str, Callable[[], object]], rounds: int, calls: int
) -> dict[str, float]:
    """Give the median seconds of one call of each subject.

    Each round times `calls` calls of every subject in turn; the first round only warms up.
    """
    times: dict[str, list[float]] = {name: [] for name in subjects}
    for turn in range(rounds + 1):
        for name, call in subjects.items():
            started = perf_counter()
            for _ in range(calls):
                call()
            if turn:
                times[name].append((perf_counter() - started) / calls)
    return {name: median(values) for name, values in times.items()}
