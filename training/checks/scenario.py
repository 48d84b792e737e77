"""The shipped scenario through the real service: ``python -m training.checks.scenario``.

The service runs as a process, gets requests over HTTP, captures to its standard output as in
Lambda, and stores outcomes. Only the clock is the scenario's.

Three weeks of customers: a stable one, one of data drift, one of concept drift. In the second week
a campaign brings new customers who pay much by the month: the rows differ, their outcomes do not.
In the third the customers are those of the first week again, and a competitor attracts the loyal
ones: the rows do not differ, their outcomes do.
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
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import IO, Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from sklambda.prediction_ids import draw_request_part
from sklambda.sketch import layout
from sklambda.storage import Directory
from training.examples.churn.sample import generate

type Phase = Literal["stable", "shift", "concept"]

START: Final = datetime(2026, 11, 2, tzinfo=UTC)
"""When the first hour begins: a Monday."""

PHASES: Final[tuple[Phase, ...]] = ("stable", "shift", "concept")
HOURS: Final = 7 * 24
"""How long a phase lasts."""

LABELLED: Final = 0.15
"""The share of the customers whose outcome becomes known."""

_BUSY: Final = 60  # customers in the mean hour
_DRAWN: Final = 4  # customers for each one who comes in the shifted week
type Json = dict[str, Any]

_HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 30


@dataclass(frozen=True)
class Hour:
    """The customers of an hour, N of them.

    Attributes
    ----------
    start : datetime
        When it begins, UTC.
    phase : {"stable", "shift", "concept"}
        The phase of the scenario.
    rows : DataFrame
        Shape [N, 19]: the features.
    outcomes : Series of str
        [N], "Yes" for those who will have left.
    labelled : array of bool
        [N], whether the outcome becomes known: drawn independently of the row.
    late : array of int
        [N], how many hours after `start` it does.
    """

    start: datetime
    phase: Phase
    rows: pd.DataFrame
    outcomes: "pd.Series[str]"
    labelled: NDArray[np.bool_]
    late: NDArray[np.int64]


def hours(seed: int = 0) -> Iterator[Hour]:
    """Return the hours of the three weeks in their order, the same ones for the same seed."""
    for week, phase in enumerate(PHASES):
        rng = np.random.default_rng([seed, week])
        counts = rng.poisson(_BUSY * _daily(np.arange(HOURS)))
        table = customers(phase, int(counts.sum()), int(rng.integers(2**32)))
        ends = counts.cumsum()
        for hour, (end, count) in enumerate(zip(ends.tolist(), counts.tolist(), strict=True)):
            start = START + timedelta(hours=week * HOURS + hour)
            yield _hour(start, phase, table.iloc[end - count : end], rng)


def customers(phase: Phase, rows: int, seed: int) -> pd.DataFrame:
    """Return customers of a phase, in the columns of `sample.generate`."""
    rng = np.random.default_rng(seed)
    if phase == "shift":
        drawn = generate(_DRAWN * rows, seed)
        places = rng.choice(len(drawn), rows, replace=False, p=_attracted(drawn))
        return drawn.iloc[np.sort(places)].reset_index(drop=True)
    table = generate(rows, seed)
    if phase == "concept":
        table["Churn"] = np.where(rng.random(rows) < _drawn_away(table), "Yes", "No")
    return table


def _hour(start: datetime, phase: Phase, table: pd.DataFrame, rng: np.random.Generator) -> Hour:
    table = table.reset_index(drop=True)
    return Hour(
        start=start,
        phase=phase,
        rows=table.drop(columns=["customerID", "Churn"]),
        outcomes=table["Churn"],
        labelled=rng.random(len(table)) < LABELLED,
        late=rng.integers(2, 61, len(table)),
    )


def _daily(hour: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the relative load of each hour: least at 3 a.m., most at 3 p.m."""
    return 1 - 0.65 * np.cos((hour % 24 - 3) * np.pi / 12)


def _attracted(table: pd.DataFrame) -> NDArray[np.float64]:
    """Return each customer's probability to join in the campaign, by features alone."""
    new, fast = table["tenure"] <= 12, table["InternetService"] == "Fiber optic"
    weight = np.where(new, 2.5, 1.0) * np.where(fast, 2.5, 1.0)
    weight *= np.where(table["Contract"] == "Month-to-month", 1.5, 1.0)
    shares: NDArray[np.float64] = weight / weight.sum()
    return shares


def _drawn_away(table: pd.DataFrame) -> NDArray[np.float64]:
    """Return each customer's probability to leave for a competitor, greater with tenure."""
    logit = -1.3 + 0.025 * (table["tenure"] - 30) + 0.015 * (table["MonthlyCharges"] - 65)
    logit += 0.6 * (table["Contract"] == "Month-to-month")
    chance: NDArray[np.float64] = 1 / (1 + np.exp(-logit.to_numpy()))
    return chance


@dataclass(frozen=True, slots=True)
class ServiceProcess:
    """The running service.

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
        """Send a request and return the response; raise `RuntimeError` where it is an error."""
        self.connection.request(
            "POST", path, json.dumps(body), {"content-type": "application/json"}
        )
        response = self.connection.getresponse()
        content = response.read()
        if response.status != 200:
            raise RuntimeError(f"{path} returned {response.status}: {content[:200]!r}")
        document: Json = json.loads(content)
        return document

    def captured(self, count: int) -> list[Json]:
        """Read the capture lines of so many predictions."""
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
    options = parser.parse_args()
    if options.records.exists() and any(options.records.iterdir()):
        sys.exit(f"--records must name an empty folder, and {options.records} is not empty")
    console = Console(stderr=True, highlight=False)
    rows = 0
    with run_service(options.model, options.records) as service:
        total = HOURS * len(PHASES)
        for hour in track(hours(options.seed), "Serve", total=total, console=console):
            replay(service, Directory(options.records), hour)
            rows += len(hour.rows)
    date_outcomes(options.records)
    console.print(f"{rows:,} predictions captured in {options.records}")


def replay(service: ServiceProcess, storage: Directory, hour: Hour) -> None:
    """Send an hour's rows to be predicted, and then the outcomes of those that are labelled."""
    if hour.rows.empty:
        return
    rows = hour.rows.astype(object).where(hour.rows.notna(), None).to_dict("records")
    response = service.post("/predict", {"instances": rows})
    ids = _date_ids(hour.start, [one["prediction_id"] for one in response["predictions"]])
    lines = [_at(hour.start, line, ids) for line in service.captured(len(rows))]
    content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    key = f"{layout.captures_prefix(hour.start)}scenario.gz"
    storage.put({key: gzip.compress(content.encode(), mtime=0)})
    outcomes = list(_outcomes(hour, list(ids.values())))
    if outcomes:
        service.post("/feedback", {"outcomes": outcomes})


def date_outcomes(folder: Path) -> None:
    """Set each outcome's time of writing, which the monitor reads, to when it became known."""
    for stored in Directory(folder).list("outcomes/"):
        moment = layout.hour_of(stored.key).timestamp()
        os.utime(folder / stored.key, (moment, moment))


def _date_ids(moment: datetime, ids: list[str]) -> dict[str, str]:
    """Return ids as the service would have drawn them at a moment, by those that it drew."""
    request_part = draw_request_part(moment.timestamp())
    return {name: f"{request_part}-{place}" for place, name in enumerate(ids)}


def _at(moment: datetime, line: Json, ids: dict[str, str]) -> Json:
    records = [one | {"prediction_id": ids[one["prediction_id"]]} for one in line["records"]]
    return line | {"time": moment.isoformat(timespec="milliseconds"), "records": records}


def _outcomes(hour: Hour, ids: list[str]) -> Iterator[Json]:
    customers = zip(ids, hour.outcomes, hour.labelled, hour.late.tolist(), strict=True)
    for name, outcome, labelled, late in customers:
        if labelled:
            known = hour.start + timedelta(hours=late)
            yield {"prediction_id": name, "outcome": outcome, "time": known.isoformat()}


@contextmanager
def run_service(model: Path, store: Path) -> Iterator[ServiceProcess]:
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
                yield ServiceProcess(connection, _lines(process.stdout))
        finally:
            process.terminate()
            process.wait()


def _lines(output: IO[str]) -> SimpleQueue[str]:
    """Read lines as they are written: a full pipe would block the service."""
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
