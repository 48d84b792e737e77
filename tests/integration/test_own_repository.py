"""A repository of a user's own: made, trained, built, run and upgraded with the wheel alone."""

import json
import os
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sklambda.package import ModelPackage
from tests.conftest import REPOSITORY
from tests.support.installed import Installed, build_wheel, variables
from tests.support.numeric_model import train_numeric
from tests.support.own_repository import (
    EARLIER,
    export_commit,
    make_repository,
    require_sam,
    run_built,
)

CALL = """
import importlib, json, sys
class Context:
    function_name, memory_limit_in_mb, aws_request_id = "one", 1769, "one"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:one"
    def get_remaining_time_in_millis(self):
        return 60_000
handler = importlib.import_module("functions.{function}.handler").handler
try:
    print("ANSWER", json.dumps(handler(json.loads({event!r}), Context())))
except Exception as error:
    print("ANSWER", json.dumps(str(error)))
"""
OLD_EXPORT = """
import pandas as pd
import training
from sklearn.linear_model import LogisticRegression

frame = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0] * 10})
fitted = LogisticRegression().fit(frame, ["n", "n", "y", "y"] * 10)
training.export(fitted, frame, out="models/old/package", name="old", target="y")
"""


@pytest.fixture(scope="module")
def mine(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """A repository with two models, both built."""
    require_sam()
    mine = make_repository(environment, tmp_path_factory.mktemp("outside"))
    for name, rows in (("first", 400), ("second", 500)):
        train_numeric(mine.folder / "models" / name / "package", rows)
        mine.sklambda("build", name)
    return mine


def call(mine: Installed, model: str, function: str, event: object, **variables: str) -> Any:
    """Call the handler of a built function."""
    program = CALL.format(function=function, event=json.dumps(event))
    written = run_built(mine, model, function.title(), program, **variables)
    return json.loads(written.rpartition("ANSWER ")[2])


def event(name: str) -> Any:
    return json.loads((REPOSITORY / "events" / name).read_text())


@pytest.mark.parametrize("name", ["first", "second"])
def test_predict_answers_from_the_built_layers(mine: Installed, name: str) -> None:
    package = ModelPackage.open(mine.folder / "models" / name / "package")
    body = json.dumps({"instances": [package.signature.example]})

    answer = call(mine, name, "predict", event("predict.json") | {"body": body})

    assert answer["statusCode"] == 200, answer
    assert json.loads(answer["body"])["model"]["id"] == package.manifest.id


@pytest.fixture
def emulated(s3: Any) -> dict[str, str]:
    """What leads a handler to an S3 that is empty."""
    s3.create_bucket(Bucket="own-repository")
    return {
        "AWS_ENDPOINT_URL": s3.meta.endpoint_url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "BATCH_BUCKET": "own-repository",
        "MONITOR_STORE": "s3://own-repository",
    }


def test_the_other_handlers_answer_from_the_built_layers(
    mine: Installed, emulated: dict[str, str], s3: Any
) -> None:
    package = ModelPackage.open(mine.folder / "models/first/package")
    row = dict(package.signature.example)
    lines = [",".join(row), ",".join("" if value is None else str(value) for value in row.values())]
    s3.put_object(Bucket="own-repository", Key="inbox/one.csv", Body="\n".join(lines).encode())
    issuer = {"JWT_ISSUER": "https://issuer.invalid", "JWT_AUDIENCE": "mine"}
    token = {"authorizationToken": "Bearer forged", "methodArn": "arn:aws:execute-api:::a/b"}

    receipt = call(
        mine, "first", "batch", {"input": "s3://own-repository/inbox/one.csv"}, **emulated
    )
    judged = call(mine, "first", "monitor", event("monitor-window.json"), **emulated)
    refused = call(mine, "first", "authorize", token, **issuer)

    assert (receipt["status"], receipt["rows"]["scored"]) == ("scored", 1), receipt
    assert judged["state"] == "no_data", judged
    assert refused == "Unauthorized"


def test_models_share_the_layers_of_third_party_packages(mine: Installed) -> None:
    built = [
        (mine.folder / f".aws-sam/{name}/build/template.yaml").read_text()
        for name in ("first", "second")
    ]

    shared = [set(re.findall(r"ContentUri: (.*/[.]sklambda/layers/.*)", text)) for text in built]

    assert shared[0] == shared[1]
    assert len(shared[0]) == 3
    assert list((mine.folder / ".aws-sam").rglob("onnxruntime")) == []


def test_an_edit_below_sklambda_stops_a_build_and_stays(mine: Installed) -> None:
    handler = mine.folder / ".sklambda/second/functions/predict/handler.py"
    ours = handler.read_text()
    handler.write_text("mine")

    run = mine.finish(*mine.command, "build", "second")

    assert run.returncode == 2
    assert "functions/predict/handler.py" in run.stderr
    assert handler.read_text() == "mine"
    handler.write_text(ours)


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """The checkout of an earlier commit, of a version before this one."""
    folder = tmp_path / "before"
    if not export_commit(REPOSITORY, EARLIER, folder):
        pytest.skip(f"this clone is too shallow to have {EARLIER}")
    project = folder / "pyproject.toml"
    text = re.sub(r'^version = ".*"$', 'version = "0.0.9"', project.read_text(), flags=re.M)
    project.write_text(text)
    return folder


def test_a_repository_of_an_earlier_version_is_upgraded(
    before: Path, environment: Path, tmp_path: Path
) -> None:
    wheel = build_wheel(before, tmp_path / "dist")
    mine = make_repository(environment, tmp_path)
    (mine.folder / "models/old").mkdir()
    requirements = mine.folder / "requirements.txt"
    current = requirements.read_text()
    requirements.write_text(re.sub("==.*", "==0.0.9", current))
    old = variables(PYTHONPATH=os.pathsep.join([str(before), str(before / "layers/shared")]))
    replace(mine, variables=old).run(sys.executable, "-P", "-c", OLD_EXPORT)

    refused = mine.finish(*mine.command, "build", "old")
    shown = mine.sklambda("upgrade", "--from", wheel).splitlines()

    assert refused.returncode == 2
    assert "requirements.txt has sklambda 0.0.9" in refused.stderr
    assert "carries no application" in shown[0]
    assert shown[1] == "models/old/package is verified"
    assert shown[-1].endswith(", had 0.0.9")
    assert requirements.read_text() == current
