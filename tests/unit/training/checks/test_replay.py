"""A policy is tried on the reports of the past."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from functions.monitor.performance.measure import Performance
from functions.monitor.report import files
from functions.monitor.results import Window
from sklambda.policy.watching import RetrainingPolicy
from tests.support.runs import CONCEPT, good, results
from training.__main__ import app
from training.checks.replay import replay
from training.errors import DataError

START = datetime(2026, 11, 1, tzinfo=UTC)
POLICY = RetrainingPolicy()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Reports of six hourly runs a day over ten days; concept drift begins with the sixth."""
    for hours in range(0, 240, 4):
        write(tmp_path, hours, good(concept=CONCEPT) if hours >= 120 else good())
    return tmp_path


def write(folder: Path, hours: int, performance: Performance) -> None:
    stop = START + timedelta(hours=hours)
    window = Window((stop - timedelta(days=1)).isoformat(), stop.isoformat(), 900, 24)
    run = replace(results(), window=window, performance=[performance], made=stop.isoformat())
    for key, content in files.files(run).items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(content)


def stops(folder: Path, policy: RetrainingPolicy) -> list[datetime]:
    return [
        datetime.fromisoformat(step.signals.stop)
        for step in replay(folder, policy)
        if step.decision.retrain
    ]


def test_a_policy_fires_once_its_reason_has_stood(folder: Path) -> None:
    steps = replay(folder, POLICY)

    assert len(steps) == 60
    assert stops(folder, POLICY) == [START + timedelta(hours=144)]
    assert next(step for step in steps if step.reasons).decision.held


def test_another_policy_fires_at_another_time(folder: Path) -> None:
    hasty = RetrainingPolicy(windows=1, cooldown_hours=48)

    assert stops(folder, hasty) == [START + timedelta(hours=hours) for hours in (120, 168, 216)]


def test_models_are_told_apart(folder: Path) -> None:
    text = (folder / "reports/latest.json").read_text().replace("7b02a938", "another")
    (folder / "reports/another.json").write_text(text)

    steps = replay(folder, POLICY)

    assert {step.model_id for step in steps} == {"7b02a938", "another"}
    [alone] = [step for step in steps if step.model_id == "another"]
    assert alone.decision.held[0].startswith("1 of the last 3 windows have a reason")


def test_a_folder_without_reports_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no report of the monitor"):
        replay(tmp_path, POLICY)


@pytest.mark.parametrize("content", ["", "[]", "{}", json.dumps({"window": 1})])
def test_another_file_is_refused_by_name(tmp_path: Path, content: str) -> None:
    (tmp_path / "other.json").write_text(content)

    with pytest.raises(DataError, match=r"other\.json is not a report"):
        replay(tmp_path, POLICY)


def test_the_command_shows_when_it_fires_and_why_not(folder: Path) -> None:
    run = CliRunner().invoke(app, ["replay", str(folder)], env={"COLUMNS": "200"})

    assert run.exit_code == 0
    assert "60 windows, a reason in 30, retraining recommended in 1" in run.output
    assert "concept drift in Churn" in run.output
    assert "held: 1 of the last 3 windows have a reason" in run.output


def test_the_command_tries_another_policy(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "train.toml"
    path.write_text(
        'name = "a"\n[data]\ntarget = "b"\n[pipeline]\nbuild = "c:d"\n'
        "[monitor.retrain]\nwindows = 1\n"
    )
    overrides = ["--set", "monitor.retrain.cooldown_hours=48"]

    shown = CliRunner().invoke(app, ["replay", str(folder), "--policy", str(path), *overrides])
    default = CliRunner().invoke(app, ["replay", str(folder), *overrides])

    assert "retraining recommended in 3" in shown.output
    assert "retraining recommended in 2" in default.output
