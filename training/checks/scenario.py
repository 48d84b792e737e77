"""The shipped scenario through the real service: ``python -m training.checks.scenario``.

The service runs as a process, is asked over HTTP as any client would, captures to its standard
output as it does in Lambda, and keeps what became true. Only the clock is the scenario's.
"""

import gzip
import json
import os
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import IO, Any, Final

from rich.console import Console
from rich.progress import track

from sklambda.sketch import layout
from sklambda.storage import Directory
from training.examples.churn.scenario import HOURS, PHASES, Hour, hours

type Json = dict[str, Any]

_HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Served:
    """The service that runs.

    Attributes
    ----------
    connection : HTTPConnection
        To it.
    output : SimpleQueue of str
        The lines that it writes, and an empty one once it has ended.
    """

    connection: HTTPConnection
    output: SimpleQueue[str]

    def post(self, path: str, body: Json) -> Json:
        """Ask; gives the answer, or raises `RuntimeError` where it is a refusal."""
        self.connection.request(
            "POST", path, json.dumps(body), {"content-type": "application/json"}
        )
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}: {content[:200]!r}")
        found: Json = json.loads(content)
        return found

    def captured(self, count: int) -> list[Json]:
        """Read the lines that it captured of so many predictions."""
        found: list[Json] = []
        while sum(len(line["records"]) for line in found) < count:
            line = self.output.get()
            if not line:
                raise RuntimeError("the service has ended")
            if line.startswith('{"kind":"capture"'):
                found.append(json.loads(line))
        return found


def main() -> None:
    """Serve a package, send it the scenario, and keep records as the bucket has them."""
    parser = ArgumentParser(prog="python -m training.checks.scenario", description=main.__doc__)
    parser.add_argument("--model", type=Path, required=True, help="package of the churn example")
    parser.add_argument("--records", type=Path, required=True, help="folder of records, empty")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.records.exists() and any(given.records.iterdir()):
        sys.exit(f"{given.records} holds something already.")
    console = Console(stderr=True, highlight=False)
    rows = 0
    with served(given.model, given.records) as service:
        everything = hours(given.seed)
        for hour in track(everything, "Serve", total=HOURS * len(PHASES), console=console):
            replay(service, Directory(given.records), hour)
            rows += len(hour.rows)
    date(given.records)
    console.print(f"{rows:,} predictions captured in {given.records}")


def replay(service: Served, storage: Directory, hour: Hour) -> None:
    """Have an hour's rows predicted, and send what became of those that are labelled."""
    if hour.rows.empty:
        return
    rows = hour.rows.astype(object).where(hour.rows.notna(), None).to_dict("records")
    answer = service.post("/predict", {"instances": rows})
    ids = [one["prediction_id"] for one in answer["predictions"]]
    lines = [_at(hour.start, line) for line in service.captured(len(rows))]
    content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    key = f"{layout.captures(hour.start)}scenario.gz"
    storage.put({key: gzip.compress(content.encode(), mtime=0)})
    outcomes = list(_outcomes(hour, ids))
    if outcomes:
        service.post("/feedback", {"outcomes": outcomes})


def date(folder: Path) -> None:
    """Have each outcome kept when it became known: the monitor asks when it was written."""
    for stored in Directory(folder).list("outcomes/"):
        moment = layout.moment_of(stored.key).timestamp()
        os.utime(folder / stored.key, (moment, moment))


def _at(moment: datetime, line: Json) -> Json:
    return line | {"time": (moment + timedelta(minutes=30)).isoformat(timespec="milliseconds")}


def _outcomes(hour: Hour, ids: list[str]) -> Iterator[Json]:
    told = zip(ids, hour.outcomes, hour.labelled, hour.late.tolist(), strict=True)
    for name, outcome, labelled, late in told:
        if labelled:
            known = hour.start + timedelta(hours=late)
            yield {"prediction_id": name, "outcome": outcome, "time": known.isoformat()}


@contextmanager
def served(model: Path, store: Path) -> Iterator[Served]:
    """Run the service on a free port while the block runs."""
    port = _free_port()
    variables = [f"FEEDBACK_STORE={store}", "CAPTURE=raw", "LOG_LEVEL=ERROR"]
    command = [sys.executable, "-m", "sklambda", "serve", str(model), "--port", str(port)]
    command = ["/usr/bin/env", *variables, *command]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            _wait(port, process)
            with closing(HTTPConnection(_HOST, port, timeout=60)) as connection:
                yield Served(connection, _lines(process.stdout))
        finally:
            process.terminate()
            process.wait()


def _lines(output: IO[str]) -> SimpleQueue[str]:
    """Read what is written as it is written: a full pipe would hold up the service."""
    lines: SimpleQueue[str] = SimpleQueue()

    def read() -> None:
        for line in output:
            lines.put(line)
        lines.put("")

    Thread(target=read, daemon=True).start()
    return lines


def _wait(port: int, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection((_HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the service does not start")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind((_HOST, 0))
        port: int = one.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
