import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

REPOSITORY = Path(__file__).parents[2]
CHURN = REPOSITORY / "training/examples/churn"
QUICK = ["data.sample_rows=300", "evaluation.bootstrap=20", "gates.roc_auc=0.6"]
CUSTOM_STEP = """
import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

def centred(X):
    return X - X.mean()

def build():
    columns = ColumnTransformer([("log", FunctionTransformer(centred), ["tenure"])])
    return Pipeline([("columns", columns), ("model", LogisticRegression())])
"""

type Train = Callable[..., subprocess.CompletedProcess[str]]


def _training(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "training", *map(str, arguments)],
        cwd=REPOSITORY,
        # Threads that wait for each other are slow where other tests share the processors.
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out" / "package"


@pytest.fixture
def train(out: Path) -> Train:
    def train(
        *arguments: object, config: Path = CHURN / "train.toml"
    ) -> subprocess.CompletedProcess[str]:
        quick = [part for override in QUICK for part in ("--set", override)]
        return _training("run", config, "--out", out, *quick, *arguments)

    return train


def _manifest(package: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((package / "manifest.json").read_text())
    return manifest


def _assert_refused(
    finished: subprocess.CompletedProcess[str], code: int, sentence: str, out: Path
) -> None:
    assert finished.returncode == code, finished.stderr
    assert sentence in finished.stderr
    assert "Traceback" not in finished.stderr
    assert not out.parent.exists() or not any(out.parent.iterdir())


def test_a_run_on_the_sample_ends_with_a_package_and_a_table(train: Train, out: Path) -> None:
    finished = train()

    assert finished.returncode == 0, finished.stderr
    manifest = _manifest(out)
    assert manifest["name"] == "churn"
    assert manifest["gates"] == {"roc_auc": 0.6}
    for shown in ("240 trained on, 60 held out", f"{manifest['metrics']['roc_auc']['value']:.4f}"):
        assert shown in finished.stdout


def test_each_stage_is_told(train: Train) -> None:
    told = [line.split()[0] for line in train().stderr.splitlines()]

    assert told == ["Reading", "Fitting", "Evaluating", "Converting", "Proving", "Writing"]


def test_the_same_inputs_give_the_same_package_id(train: Train, out: Path) -> None:
    ids = []
    for seed in (1, 1, 2):
        assert train("--set", f"seed={seed}").returncode == 0
        ids.append(_manifest(out)["id"])

    assert ids[0] == ids[1] != ids[2]


def test_the_sample_as_a_file_gives_the_package_of_the_sample(
    train: Train, out: Path, tmp_path: Path
) -> None:
    rows = tmp_path / "rows.csv"
    sampled = _training("sample", CHURN / "train.toml", "--rows", 300, "--out", rows)

    from_sample, manifest = train(), _manifest(out)
    from_file = train("--data", rows)

    assert (sampled.returncode, from_sample.returncode, from_file.returncode) == (0, 0, 0)
    assert _manifest(out)["id"] == manifest["id"]


def test_logistic_regression_is_one_override_away(train: Train, out: Path) -> None:
    finished = train("--set", "pipeline.options.model=logistic_regression")

    assert finished.returncode == 0, finished.stderr
    assert b"Gemm" in (out / "model.onnx").read_bytes()


def test_a_path_in_the_configuration_is_beside_it(train: Train, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(CHURN, project)
    _training("sample", project / "train.toml", "--rows", 200, "--out", project / "rows.csv")

    finished = train("--set", "data.path=rows.csv", config=project / "train.toml")

    assert "160 trained on, 40 held out" in finished.stdout


def test_a_wrong_key_ends_with_2(train: Train, out: Path) -> None:
    _assert_refused(train("--set", "nam=x"), 2, "did you mean `name`?", out)


def test_a_wrong_option_of_the_pipeline_ends_with_2(train: Train, out: Path) -> None:
    finished = train("--set", "pipeline.options.model=random_forest")

    _assert_refused(finished, 2, "hist_gradient_boosting, logistic_regression", out)


def test_no_data_at_all_ends_with_2(train: Train, out: Path) -> None:
    _assert_refused(train("--set", "data.sample="), 2, "no data source", out)


def test_a_wrong_pipeline_is_told_before_missing_data(train: Train, out: Path) -> None:
    finished = train("--data", "nowhere.csv", "--set", "pipeline.build=pipeline:biuld")

    _assert_refused(finished, 2, "did you mean `build`?", out)


def test_a_folder_that_is_no_package_stays_as_it_is(train: Train, out: Path) -> None:
    out.mkdir(parents=True)
    (out / "thesis.txt").write_text("the only copy")

    finished = train()

    assert (finished.returncode, "--out" in finished.stderr) == (2, True), finished.stderr
    assert [file.name for file in out.iterdir()] == ["thesis.txt"]


def test_a_missing_file_ends_with_3(train: Train, out: Path) -> None:
    _assert_refused(train("--data", "nowhere.csv"), 3, "nowhere.csv: No such file", out)


def test_a_missing_target_column_ends_with_3(train: Train, out: Path) -> None:
    _assert_refused(train("--set", "data.target=Chrun"), 3, "did you mean `Churn`?", out)


def test_a_group_that_is_no_feature_ends_with_3(train: Train, out: Path) -> None:
    finished = train("--set", 'monitor.groups=["gendre"]')

    _assert_refused(finished, 3, "did you mean `gender`?", out)


def test_rows_that_the_pipeline_cannot_learn_from_end_with_3(
    train: Train, out: Path, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    shutil.copytree(CHURN, project)
    (project / "pipeline.py").write_text(
        "from sklearn.linear_model import LogisticRegression\n"
        "from sklearn.pipeline import make_pipeline\n"
        "def build(**options): return make_pipeline(LogisticRegression())\n"
    )

    finished = train(config=project / "train.toml")

    _assert_refused(finished, 3, "the pipeline cannot be fitted: could not convert", out)
    assert "Female" not in finished.stderr


def test_a_custom_python_function_ends_with_4_and_the_name_of_its_step(
    train: Train, out: Path, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    shutil.copytree(CHURN, project)
    (project / "pipeline.py").write_text(CUSTOM_STEP)

    finished = train("--set", "pipeline.options=", config=project / "train.toml")

    _assert_refused(finished, 4, "columns > log", out)


def test_a_gate_that_is_missed_ends_with_5_and_both_numbers(train: Train, out: Path) -> None:
    _assert_refused(train("--set", "gates.roc_auc=0.999"), 5, "must be at least 0.999", out)


def test_a_refused_run_leaves_the_package_that_was_there(train: Train, out: Path) -> None:
    assert train().returncode == 0
    before = {file.name: file.read_bytes() for file in out.iterdir()}

    refused = train("--set", "gates.roc_auc=0.999")

    assert refused.returncode == 5
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before
    assert list(out.parent.iterdir()) == [out]


def test_a_sample_is_written_as_csv(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"

    finished = _training("sample", CHURN / "train.toml", "--rows", 70, "--out", file)

    assert finished.returncode == 0, finished.stderr
    assert pd.read_csv(file).shape == (70, 21)


def test_help_names_the_exit_codes() -> None:
    finished = _training("--help")

    assert all(f"{code}: " in finished.stdout for code in (0, 2, 3, 4, 5))
