"""The same pipeline served by others: over HTTP, one core for the server, another for the client.

Needs Linux, two cores, and the environments that tests/benchmark/install_peers makes.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import mean, median, quantiles
from subprocess import CalledProcessError
from typing import Final

import pytest
from rich.console import Console

from tests.benchmark.peers import OTHERS, OURS
from tests.benchmark.served_peer import Example, Served, serving, train, versions
from tests.conftest import MODELS

CLIENT_CORE: Final = 1
ROUNDS: Final = 5  # the first warms up
REQUESTS: Final = 160  # in each round, one by one and again at once
CONNECTIONS: Final = 16
HEAD: Final = "p50 | ratio | p99 | ratio | requests/s | ratio | processor | ratio |\n" + "|---" * 9

type Figures = tuple[float, float, float, float]  # seconds, but for the requests per second


def main() -> None:
    """Print the tables of docs/benchmarks.md."""
    os.sched_setaffinity(0, {CLIENT_CORE})
    console = Console(width=160)
    for model in MODELS:
        with tempfile.TemporaryDirectory() as folder:
            measured, missing = _measure(train(model, Path(folder)))
        console.print(f"\n| {model} | {HEAD}|", *_lines(measured, missing), sep="\n")
    console.print("\nversions:", *(f"{name}: {of}" for name, of in _versions()), sep="\n- ")


def _measure(example: Example) -> tuple[dict[str, Served], dict[str, str]]:
    measured, missing = {}, {}
    with ExitStack() as stack:
        for peer in (*OURS, *OTHERS):
            try:
                measured[peer.name] = stack.enter_context(serving(peer, example))
            except (AssertionError, CalledProcessError, pytest.fail.Exception) as error:
                if peer in OURS:
                    raise
                missing[peer.name] = str(error)
                print(peer.name, error, file=sys.stderr)
        for _ in range(ROUNDS):
            for served in measured.values():
                served.measure(REQUESTS, CONNECTIONS)
    failed = {name: served.errors() for name, served in measured.items() if served.errors()}
    missing |= {name: f"{errors} requests failed" for name, errors in failed.items()}
    return {name: of for name, of in measured.items() if name not in failed}, missing


def _lines(measured: dict[str, Served], missing: dict[str, str]) -> Iterator[str]:
    figures = {name: _figures(served) for name, served in measured.items()}
    unit = figures[OURS[0].name]
    for name, (p50, p99, rate, processor) in figures.items():
        yield (
            f"| {name} | {p50 * 1e3:.2f} ms | {p50 / unit[0]:.1f}"
            f" | {p99 * 1e3:.1f} ms | {p99 / unit[1]:.1f} | {rate:,.0f} | {rate / unit[2]:.3f}"
            f" | {processor * 1e3:.2f} ms | {processor / unit[3]:.1f} |"
        )
    for name, reason in missing.items():
        yield f"| {name} | not measured: {reason.splitlines()[0]} {'| ' * 8}|"


def _figures(served: Served) -> Figures:
    """Give the median over the rounds, but of all their latencies together."""
    latencies = [seconds for tally in served.one_by_one[1:] for seconds in tally.latencies]
    rates = [REQUESTS / tally.seconds for tally in served.at_once[1:]]
    return (
        median(latencies),
        quantiles(latencies, n=100)[-1],
        median(rates),
        mean(served.processor[1:]),
    )


def _versions() -> Iterator[tuple[str, str]]:
    for peer in (*OURS, *OTHERS):
        try:
            yield peer.name, versions(peer)
        except (AssertionError, CalledProcessError) as error:
            yield peer.name, str(error)


if __name__ == "__main__":
    main()
