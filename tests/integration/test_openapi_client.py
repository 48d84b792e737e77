"""A client is written from the OpenAPI document, and calls every route of every kind of package."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import IsolationForest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import training
from tests.conftest import REPOSITORY
from tests.support.background_process import free_port, running
from tests.support.evidence import wait_for

BIN = REPOSITORY / ".venv-openapi/bin"
SCRIPT = Path(__file__).with_name("openapi_client.py")
ROWS = 500
WRITES = {"application/json", "application/octet-stream"}
ODD_NAMES = [
    *["total charges", 'it\'s "quoted"', "größe", "日本", "x" * 300, "class", "1", "d", "%", "$"],
    *["A_b", "a b", "a-b", "a.b", "prediction_id", "to_dict", "\\", "{x}", "^a$", "title"],
]

pytestmark = pytest.mark.skipif(not BIN.exists(), reason="run `make tools` for .venv-openapi")


@dataclass
class Case:
    """A pipeline with the frame that it was fitted on."""

    pipeline: Any
    frame: pd.DataFrame


def numbers(names: list[str] | None = None) -> pd.DataFrame:
    names = names or ["age", "income"]
    values = np.random.default_rng(7).normal(size=(ROWS, len(names)))
    return pd.DataFrame(values.round(6), columns=names)


def labels(*names: object) -> Any:
    return np.array(names)[np.arange(ROWS) % len(names)]


def binary() -> Case:
    frame = numbers()
    return Case(LogisticRegression().fit(frame, labels("<=50K", ">50K")), frame)


def multiclass() -> Case:
    frame = numbers(ODD_NAMES)
    classes = labels("a b", "a-b", "d", 'é"q"', "", "日本")
    return Case(make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, classes), frame)


def regression() -> Case:
    frame = numbers()
    return Case(Ridge().fit(frame, frame.sum(axis=1)), frame)


def several_outputs() -> Case:
    frame = numbers()
    return Case(Ridge().fit(frame, frame @ np.ones((2, 3))), frame)


def several_targets() -> Case:
    frame = numbers()
    targets = np.column_stack([labels(0, 1), labels(0, 1, 2)])
    return Case(MultiOutputClassifier(LogisticRegression()).fit(frame, targets), frame)


def anomaly() -> Case:
    frame = numbers()
    return Case(IsolationForest(n_estimators=5, random_state=0).fit(frame), frame)


def text_and_time() -> Case:
    frame = numbers(["amount"]).assign(
        words=labels("red car", "blue bike", "green bus"),
        when=pd.date_range("2024-01-01", periods=ROWS).astype("datetime64[s]"),
        flag=np.arange(ROWS) % 2 == 0,
        kind=pd.Series(labels("gas", "oil")).where(np.arange(ROWS) % 5 > 0),
        size=labels("S", "M", "s"),
    )
    columns = make_column_transformer(
        (CountVectorizer(), "words"),
        (StandardScaler(), ["when"]),
        (OneHotEncoder(handle_unknown="ignore"), ["kind"]),
        (OneHotEncoder(), ["size"]),
        ("passthrough", ["amount", "flag"]),
    )
    return Case(make_pipeline(columns, LogisticRegression()).fit(frame, labels(False, True)), frame)


CASES: list[Callable[[], Case]] = [
    binary,
    multiclass,
    regression,
    several_outputs,
    several_targets,
    anomaly,
    text_and_time,
]


@pytest.fixture(params=CASES, ids=lambda case: case.__name__)
def case(request: pytest.FixtureRequest) -> Case:
    made: Case = request.param()
    return made


@pytest.fixture
def package(case: Case, tmp_path: Path) -> Path:
    training.export(
        case.pipeline, case.frame, out=tmp_path / "package", name="a-model", target="paid"
    )
    return tmp_path / "package"


@contextmanager
def served(package: Path, folder: Path) -> Iterator[str]:
    (folder / "feedback").mkdir()
    port = free_port()
    command = [sys.executable, "-m", "functions.predict", "--port", str(port)]
    settings = {"MODEL_DIR": str(package), "FEEDBACK_STORE": str(folder / "feedback")}
    with running(command, os.environ | settings, folder / "log") as process:

        def ready() -> bool:
            process.check_alive()
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready") as answer:
                return bool(answer.status == 200)

        wait_for(ready, 30, "the service")
        yield f"http://127.0.0.1:{port}"


def read_document(address: str, query: str = "") -> dict[str, Any]:
    with urllib.request.urlopen(f"{address}/openapi.json{query}") as answer:
        document: dict[str, Any] = json.load(answer)
    return document


def generate(document: dict[str, Any], folder: Path, *options: str) -> str:
    """Write the client of a document; return what the generator says."""
    path = folder.with_suffix(".json")
    path.write_text(json.dumps(document))
    command = [str(BIN / "openapi-python-client"), "generate", "--path", str(path)]
    run = subprocess.run(
        [*command, "--output-path", str(folder), *options],
        env=os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    said: str = run.stdout + run.stderr
    return said


def call(document: dict[str, Any], folder: Path, address: str, rows: Any) -> dict[str, Any]:
    asked = {
        "document": document,
        "folder": str(folder),
        "address": address,
        "bodies": {
            "predict": {"instances": rows},
            "invocations": {"dataframe_records": rows},
        },
    }
    run = subprocess.run(
        [BIN / "python3.13", SCRIPT],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    answers: dict[str, Any] = json.loads(run.stdout)
    return answers


def test_a_generated_client_calls_every_route(case: Case, package: Path, tmp_path: Path) -> None:
    rows = json.loads(case.frame.to_json(orient="records", date_format="iso", double_precision=15))
    for row in rows:
        row.update({"when": row["when"][:19]} if "when" in row else {})

    with served(package, tmp_path) as address:
        document, whole = read_document(address, "?media=json"), read_document(address)
        generate(document, tmp_path / "client", "--fail-on-warning")
        said = generate(whole, tmp_path / "whole")
        answers = call(document, tmp_path / "client", address, rows)

    reasons = {line for line in said.splitlines() if "nsupported" in line or "omitted" in line}
    bodies = [
        operation["requestBody"]["content"]
        for operations in whole["paths"].values()
        for operation in operations.values()
        if "requestBody" in operation
    ]
    others = {media_type for content in bodies for media_type in content} - WRITES
    assert reasons == {f"Unsupported content type {media_type}" for media_type in others}
    assert answers.keys() >= {"predict", "feedback", "invocations", "v2_models_model_infer"}
    expected = case.pipeline.predict(case.frame).tolist()
    assert len(answers["predict"]["predictions"]) == ROWS
    predicted = answers["invocations"]["predictions"]
    if isinstance(expected[0], float):
        assert predicted == pytest.approx(expected, abs=1e-9, rel=1e-12)
    elif "label" in answers["predict"]["predictions"][0]:
        assert [each["label"] for each in answers["predict"]["predictions"]] == expected
        assert predicted == expected
    else:
        assert np.asarray(predicted) == pytest.approx(np.asarray(expected), abs=1e-9, rel=1e-12)
