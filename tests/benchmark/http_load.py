"""A client that costs the same whatever it asks: one request made beforehand, connections kept."""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final, cast

HOST: Final = "127.0.0.1"
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_MOST_SECONDS: Final = 900


@dataclass
class Tally:
    """What came back.

    Attributes
    ----------
    latencies : list of float
        Seconds from a request to the whole of its answer, of each answer.
    errors : int
        How many answers were missing or not those expected.
    seconds : float
        How long it all took.
    last : bytes
        The last answer.
    """

    latencies: list[float] = field(default_factory=list)
    errors: int = 0
    seconds: float = 0.0
    last: bytes = b""


def post(path: str, body: object) -> bytes:
    """Make the bytes of a request."""
    content = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(content)}\r\n\r\n".encode() + content


def send(
    port: int, request: bytes, *, requests: int = 1, connections: int = 1, expected: bytes = b""
) -> Tally:
    """Send a request so many times, over connections that each wait for their answer.

    An answer is an error unless its status is 200 and it holds the bytes `expected`.
    """
    load = _Load(request, expected, iter(range(requests)))
    started = perf_counter()
    asyncio.run(load.send(port, connections))
    load.tally.seconds = perf_counter() - started
    load.tally.errors += requests - len(load.tally.latencies)
    return load.tally


@dataclass
class _Load:
    """What the connections share: each takes the next turn when it is free."""

    request: bytes
    expected: bytes
    turns: Iterator[int]
    tally: Tally = field(default_factory=Tally)

    async def send(self, port: int, connections: int) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_MOST_SECONDS):
            opened = [
                await loop.create_connection(lambda: _Connection(self), HOST, port)
                for _ in range(connections)
            ]
            await asyncio.gather(*(connection.done for _, connection in opened))

    def count(self, answer: bytes, seconds: float) -> None:
        well = answer.startswith(b"HTTP/1.1 200 ") and self.expected in answer
        self.tally.errors += not well
        self.tally.latencies.append(seconds)
        self.tally.last = answer


class _Connection(asyncio.Protocol):
    def __init__(self, load: _Load) -> None:
        self.done = asyncio.get_running_loop().create_future()
        self._load = load

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def _ask(self) -> None:
        if next(self._load.turns, None) is None:
            self._transport.close()
            return
        self._answer = b""
        self._asked = perf_counter()
        self._transport.write(self._load.request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if _is_whole(self._answer):
            self._load.count(self._answer, perf_counter() - self._asked)
            self._ask()

    def connection_lost(self, _: Exception | None) -> None:
        self.done.set_result(None)


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return bool(end) and length is not None and len(body) >= int(length[1])
