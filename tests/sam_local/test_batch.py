"""The built batch function in a real Lambda container, through `sam local`, beside a real S3."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from tests.conftest import Trained
from tests.stack.emulator import Emulator, started
from tests.support.lambda_containers import REPOSITORY, docker, sam, tool_environment
from tests.support.sam_build import SamBuild
from training.examples.churn.sample import generate

pytestmark = pytest.mark.sam_local

EVENT = REPOSITORY / "events/batch-direct.json"
ROWS = 60


@pytest.fixture(scope="module")
def emulator(lambda_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An S3 where containers reach it."""
    with started(tmp_path_factory.mktemp("emulator")) as emulator:
        yield emulator


@pytest.fixture
def no_images_left() -> Iterator[None]:
    """Remove the image that SAM builds of the function's layers."""
    before = images()
    yield
    for image in images() - before:
        docker("image", "rm", "--force", image, check=False)


def images() -> set[str]:
    return set(docker("images", "--quiet", "--filter", "reference=samcli/*").split())


@pytest.fixture
def event() -> dict[str, Any]:
    asked: dict[str, Any] = json.loads(EVENT.read_text())
    return asked


@pytest.mark.usefixtures("no_images_left")
def test_event_of_a_caller_scores_a_file_with_sam_local_invoke(
    emulator: Emulator,
    sam_build: SamBuild,
    churn: Trained,
    event: dict[str, Any],
    tmp_path: Path,
) -> None:
    table = generate(rows=ROWS, seed=13)
    bucket, key = event["input"].removeprefix("s3://").split("/", 1)
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key=key, Body=table.to_csv(index=False).encode())

    answer = invoke(sam_build, churn.package, tmp_path, bucket, emulator)

    assert answer["rows"] == {"read": ROWS, "scored": ROWS, "rejected": 0}
    listed = s3.list_objects_v2(Bucket=bucket, Prefix="campaign/")["Contents"]
    [scored] = (one["Key"] for one in listed)
    s3.download_file(bucket, scored, str(tmp_path / "scored.parquet"))
    found = duckdb.read_parquet(str(tmp_path / "scored.parquet")).fetchnumpy()
    expected = churn.pipeline.predict_proba(table[churn.frame.columns])
    columns = [found[f"probability_{name}"] for name in churn.pipeline.classes_]
    assert np.abs(np.column_stack(columns) - expected).max() <= 1e-9
    assert found["customerID"].tolist() == table["customerID"].tolist()


def invoke(
    sam_build: SamBuild, package: Path, folder: Path, bucket: str, emulator: Emulator
) -> dict[str, Any]:
    """Invoke the function once; gives its answer."""
    template = speaking_to(sam_build.template(package), emulator)
    # `sam local` gives references as they are named in the template.
    told = {"Batch": {"BATCH_BUCKET": bucket, "BATCH_MACHINE": ""}}
    (folder / "variables.json").write_text(json.dumps(told))
    command = sam(
        "local", "invoke", "Batch", "--event", EVENT, "--template", template,
        "--skip-pull-image", "--env-vars", folder / "variables.json",
    )  # fmt: skip
    run = subprocess.run(
        command, env=tool_environment(), capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    answer: dict[str, Any] = json.loads(run.stdout)
    assert "errorType" not in answer, answer
    return answer


def speaking_to(template: Path, emulator: Emulator) -> Path:
    """Declare the emulator's address, for `--env-vars` sets no variable that is not declared."""
    built, mark = template.read_text(), "          BATCH_BUCKET:\n"
    assert built.count(mark) == 1
    path = template.with_stem(f"{template.stem}-s3")
    path.write_text(built.replace(mark, f"          AWS_ENDPOINT_URL: {emulator.endpoint}\n{mark}"))
    return path
