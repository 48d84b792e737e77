"""Judges tables with Evidently's defaults; runs in .venv-evidently, told their folders."""

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset


def table(columns: Any, definition: DataDefinition) -> Dataset:
    """Read the columns of an archive."""
    frame = pd.DataFrame({name: columns[name] for name in columns.files})
    return Dataset.from_pandas(frame, data_definition=definition)


def judge(folder: Path) -> None:
    """Write, for each column, the method, the score and the verdict."""
    kinds = json.loads((folder / "kinds.json").read_text())
    definition = DataDefinition(
        numerical_columns=[name for name, number in kinds.items() if number],
        categorical_columns=[name for name, number in kinds.items() if not number],
    )
    with np.load(folder / "reference.npz") as then, np.load(folder / "current.npz") as now:
        report = Report([DataDriftPreset()], include_tests=True)
        snapshot = report.run(table(now, definition), table(then, definition))
    found = json.loads(snapshot.json())
    (folder / "verdicts.json").write_text(json.dumps(verdicts(found)))


def verdicts(found: dict[str, Any]) -> dict[str, Any]:
    """Take out of a snapshot what it says of each column."""
    told = {}
    for metric in found["metrics"]:
        if metric["config"]["type"].endswith("ValueDrift"):
            told[metric["config"]["column"]] = {
                "method": metric["config"]["method"],
                "score": metric["value"],
            }
    for test in found["tests"]:
        column = test["metric_config"]["params"].get("column")
        if column:
            told[column]["drifted"] = test["status"] == "FAIL"
    return told


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for argument in sys.argv[1:]:
        judge(Path(argument))
