"""One customer scored, from the bare model to the whole service, beside scikit-learn."""

import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from threadpoolctl import threadpool_limits

from sklambda.arrays import FloatMatrix
from sklambda.codec.codec import Codec
from sklambda.predictor import Predictor
from sklambda.session import Session
from tests.benchmark.clock import medians
from tests.conftest import MODELS, REPOSITORY
from training.examples.churn.pipeline import build
from training.examples.churn.sample import generate
from training.exporter import export

ROUNDS, CALLS = 15, 40
BARE = "import numpy, onnxruntime"
SERVE = "import functions.predict.handler"
FLOOR = "floor: JSON, graph, JSON"
NAIVE = "import fastapi, mangum, pandas, sklearn.ensemble, sklearn.pipeline, sklearn.compose"


def main() -> None:
    """Print the tables of docs/benchmarks.md."""
    console = Console(width=100)
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(limits=1):
        for model in MODELS:
            subjects = dict(_subjects(model, Path(folder, model)))
            with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
                times = medians(subjects, ROUNDS, CALLS)
            _print(console, model, times, unit=FLOOR)
        times = medians(dict(_imports(Path(folder, MODELS[0]))), 5, 1)
        _print(console, "imports, byte-compiled, in a new process", times, unit=next(iter(times)))


def _subjects(model: str, out: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    table = generate(rows=2000, seed=1)
    frame, target = table.drop(columns=["customerID", "Churn"]), table["Churn"]
    pipeline = build(model=model).fit(frame, target)
    package = export(pipeline, frame, out=out, name="churn", target="Churn")
    row = dict(package.signature.example)
    codec, session = Codec(package.signature), Session(package.model)
    X = codec.encode([row])
    predictor = Predictor(package)
    one = frame.head(1)
    event = _event(row)
    body = event["body"]
    plain, observed = _handler(out), _handler(out, METRICS_NAMESPACE="bench", CAPTURE="raw")
    yield "the graph alone", lambda: session.run(X)
    yield "codec and graph", lambda: predictor.score([row])
    yield FLOOR, lambda: _floor(body, session, X)
    yield "the floor and the codec", lambda: _coded_floor(body, predictor)
    yield "the Lambda handler, an API Gateway event", lambda: plain(event, None)
    yield "with logging, metrics and capture", lambda: observed(event, None)
    yield "scikit-learn, a frame of one row", lambda: pipeline.predict_proba(one)


def _floor(body: str, session: Session, X: FloatMatrix) -> str:
    """Parse, run, dump: the matrix is ready, as if the codec took no time."""
    json.loads(body)
    return json.dumps(session.run(X).tolist())


def _coded_floor(body: str, predictor: Predictor) -> str:
    scores = predictor.score(json.loads(body)["instances"])
    return json.dumps(np.asarray(scores).tolist())


def _event(row: dict[str, Any]) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((REPOSITORY / "events/predict.json").read_text())
    return event | {"body": json.dumps({"instances": [row]})}


def _handler(package: Path, **settings: str) -> Callable[[dict[str, Any], object], object]:
    os.environ |= {"MODEL_DIR": str(package), "METRICS_NAMESPACE": "", "CAPTURE": "off"} | settings
    sys.modules.pop("functions.predict.handler", None)
    handler: Callable[[dict[str, Any], object], object]
    handler = importlib.import_module("functions.predict.handler").handler
    return handler


def _imports(package: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    with_byte_code = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment = with_byte_code | {"MODEL_DIR": str(package)}
    for name, script in (
        ("numpy and onnxruntime alone", BARE),
        ("the handler, its model opened and its golden rows replayed", SERVE),
        ("FastAPI, Mangum, pandas and scikit-learn, no model", NAIVE),
    ):
        command = [sys.executable, "-W", "ignore", "-c", script]
        yield name, partial(subprocess.run, command, env=environment, check=True)


def _print(console: Console, title: str, times: dict[str, float], unit: str) -> None:
    console.print(f"\n| {title} | median | ratio |\n|---|---|---|")
    for name, seconds in times.items():
        shown = f"{seconds * 1e6:,.0f} µs" if seconds < 0.01 else f"{seconds:.2f} s"
        console.print(f"| {name} | {shown} | {seconds / times[unit]:.1f} |")
