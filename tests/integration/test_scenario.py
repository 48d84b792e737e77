"""The shipped scenario goes through the real service, and comes back as a report."""

from itertools import islice
from pathlib import Path

import pytest

from functions.monitor.__main__ import LocalMonitor, read_report
from sklambda.storage import Directory
from tests.conftest import Trained
from training.checks.scenario import START, Hour, date_outcomes, hours, replay, run_service

HOURS = 25


@pytest.fixture(scope="module")
def replayed() -> list[Hour]:
    return list(islice(hours(seed=1), HOURS))


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory, churn: Trained, replayed: list[Hour]) -> Path:
    folder = tmp_path_factory.mktemp("records")
    with run_service(churn.package, folder) as service:
        for hour in replayed:
            replay(service, Directory(folder), hour)
    date_outcomes(folder)
    return folder


@pytest.fixture(scope="module")
def monitor(churn: Trained, records: Path) -> LocalMonitor:
    return LocalMonitor(records, churn.package)


def test_the_windows_hold_all_captures(monitor: LocalMonitor) -> None:
    ends = [(end - START).total_seconds() / 3600 for end in monitor.windows()]

    assert ends == [24, 48]


def test_each_prediction_is_judged_in_its_hour(monitor: LocalMonitor, replayed: list[Hour]) -> None:
    first, *_ = monitor.windows()

    found = read_report(monitor.run(first))

    assert found["window"]["rows"] == sum(len(hour.rows) for hour in replayed[:24])
    assert found["window"]["hours"] == 24


def test_only_outcomes_that_are_known_by_then_count(
    monitor: LocalMonitor, replayed: list[Hour]
) -> None:
    first, *_ = monitor.windows()

    found = read_report(monitor.run(first))

    known = sum(
        int((hour.labelled & (hour.late + place < 24)).sum())
        for place, hour in enumerate(replayed[:24])
    )
    assert abs(found["performance"][0]["labelled"] - known) <= len(replayed[23].rows)
    assert known > 0


def test_an_empty_folder_has_no_window(churn: Trained, tmp_path: Path) -> None:
    assert list(LocalMonitor(tmp_path, churn.package).windows()) == []
