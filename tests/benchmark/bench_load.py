"""Many requests to the service as a plain process: errors, and its memory as they go by.

Needs Linux, whose /proc tells the memory.
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rich.console import Console

from tests.benchmark.http_load import send
from tests.benchmark.peers import OURS
from tests.benchmark.processes import memory
from tests.benchmark.served_peer import Served, serving, train
from tests.conftest import MODELS

WARM_UP: Final = 5_000
REQUESTS: Final = 100_000  # with each number of connections
STEPS: Final = 20  # after each of which the memory is read
CONNECTIONS: Final = (1, 16)


def main() -> None:
    """Print the tables of docs/benchmarks.md."""
    console = Console(width=120)
    with tempfile.TemporaryDirectory() as folder:
        example = train(MODELS[0], Path(folder))
        for peer in OURS:
            console.print(f"\n| {peer.name} | requests | errors | requests/s | least | most |")
            console.print("|---|---|---|---|---|---|")
            with serving(peer, example) as served:
                for line in _lines(served):
                    console.print(line)


def _lines(served: Served) -> Iterator[str]:
    expected = _probabilities(served)
    send(served.port, served.request, requests=WARM_UP, connections=max(CONNECTIONS))
    start = memory(served.process)
    for connections in CONNECTIONS:
        errors, seconds, sizes = _load(served, connections, expected)
        least, most = min(sizes) / start - 1, max(sizes) / start - 1
        yield (
            f"| {connections} at once | {REQUESTS:,} | {errors} | {REQUESTS / seconds:,.0f}"
            f" | {least:+.2%} | {most:+.2%} |"
        )
    yield f"| after the warm-up: {start / 2**20:.1f} MB | | | | | |"


def _load(served: Served, connections: int, expected: bytes) -> tuple[int, float, list[int]]:
    """Give errors, seconds, and the memory after each step."""
    errors, seconds, sizes = 0, 0.0, []
    requests = REQUESTS // STEPS
    for _ in range(STEPS):
        tally = send(
            served.port,
            served.request,
            requests=requests,
            connections=connections,
            expected=expected,
        )
        errors, seconds = errors + tally.errors, seconds + tally.seconds
        sizes.append(memory(served.process))
    return errors, seconds, sizes


def _probabilities(served: Served) -> bytes:
    """Give the part of an answer that is the same in every one."""
    body = json.loads(send(served.port, served.request).last.partition(b"\r\n\r\n")[2])
    shown = json.dumps(body["predictions"][0]["probabilities"], separators=(",", ":"))
    return shown.encode()


if __name__ == "__main__":
    main()
