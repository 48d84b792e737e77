"""A peer that runs on one core: started, proven to answer as scikit-learn does, then asked."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import joblib
import pandas as pd

from tests.benchmark.http_load import Tally, send
from tests.benchmark.peers import Peer, Row
from tests.benchmark.processes import processor_seconds
from tests.conftest import REPOSITORY
from tests.support.background_process import free_port, running
from tests.support.evidence import wait_for
from training.examples.churn.pipeline import build
from training.examples.churn.sample import generate
from training.exporter import export

SERVER_CORE: Final = "0"
_APPS: Final = Path(__file__).with_name("peer_apps")
_START_SECONDS: Final = 60
_TOLERANCE: Final = 1e-9
_EVERYWHERE: Final = {"OMP_NUM_THREADS": "1", "UVICORN_LOG_LEVEL": "warning"}
_VERSIONS: Final = "import importlib.metadata as m, sys; print(*map(m.version, sys.argv[1:]))"


@dataclass(frozen=True)
class Example:
    """A fitted pipeline, the package made of it, and a row with scikit-learn's answer."""

    folder: Path
    row: Row
    probability: float

    def places(self) -> dict[str, str]:
        """Give what stands in commands, with ports that are free now."""
        return {
            "folder": str(self.folder),
            "pipeline": str(self.folder / "pipeline.joblib"),
            "package": str(self.folder / "package"),
            "apps": str(_APPS),
            "port": str(free_port()),
            "second_port": str(free_port()),
            "third_port": str(free_port()),
        }


def train(model: str, folder: Path) -> Example:
    """Train the churn example, for every server alike."""
    table = generate(rows=2000, seed=1)
    frame, target = table.drop(columns=["customerID", "Churn"]), table["Churn"]
    pipeline = build(model=model).fit(frame, target)
    package = export(pipeline, frame, out=folder / "package", name="churn", target="Churn")
    joblib.dump(pipeline, folder / "pipeline.joblib")
    row = dict(package.signature.example)
    return Example(folder, row, float(pipeline.predict_proba(pd.DataFrame([row]))[0, 1]))


@dataclass
class Served:
    """A peer that listens, and what it was measured at, round by round."""

    process: int  # its id
    port: int
    request: bytes
    one_by_one: list[Tally] = field(default_factory=list)
    at_once: list[Tally] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)  # seconds for one request

    def measure(self, requests: int, connections: int) -> None:
        """Ask on one connection, then as often on several at once."""
        before = processor_seconds(self.process)
        self.one_by_one.append(send(self.port, self.request, requests=requests))
        at_once = send(self.port, self.request, requests=requests, connections=connections)
        self.at_once.append(at_once)
        self.processor.append((processor_seconds(self.process) - before) / (2 * requests))

    def errors(self) -> int:
        """Count the requests that failed."""
        return sum(tally.errors for tally in (*self.one_by_one, *self.at_once))


@contextmanager
def serving(peer: Peer, example: Example) -> Iterator[Served]:
    """Run a peer on the core of servers; raise AssertionError unless its answer is right."""
    places = example.places()
    environment = _environment(peer, places)
    log = example.folder / f"{peer.name}.log"
    if peer.prepare:
        with log.open("wb") as output:
            prepare = _filled(peer.prepare, places)
            subprocess.run(prepare, env=environment, check=True, stdout=output, stderr=output)
    command = ["taskset", "--cpu-list", SERVER_CORE, *_filled(peer.command, places)]
    with running(command, environment, log) as process:
        served = Served(process.process.pid, int(places["port"]), peer.request(example.row))

        def answer() -> Any:
            process.check_alive()
            return json.loads(send(served.port, served.request).last.partition(b"\r\n\r\n")[2])

        found = peer.probability(wait_for(answer, _START_SECONDS, peer.name))
        assert abs(found - example.probability) <= _TOLERANCE, "not what scikit-learn answers"
        yield served


def versions(peer: Peer) -> str:
    """Name the packages that serve, with their versions."""
    command = ["python", "-c", _VERSIONS, *peer.packages]
    environment = os.environ | {"PATH": _path(peer)}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return ", ".join(
        f"{name} {version}" for name, version in zip(peer.packages, run.stdout.split(), strict=True)
    )


def _environment(peer: Peer, places: Mapping[str, str]) -> dict[str, str]:
    variables = {name: value.format_map(places) for name, value in peer.variables.items()}
    fixed = _EVERYWHERE | {"PATH": _path(peer), "PIPELINE": places["pipeline"]}
    return os.environ | fixed | variables


def _path(peer: Peer) -> str:
    own = REPOSITORY / peer.environment if peer.environment else Path(sys.prefix)
    assert (own / "bin").is_dir(), "not installed; tests/benchmark/install_peers does"
    return f"{own / 'bin'}{os.pathsep}{os.environ['PATH']}"


def _filled(command: str, places: Mapping[str, str]) -> list[str]:
    return [word.format_map(places) for word in shlex.split(command)]
