"""The state of a model is stored from run to run."""

from pathlib import Path

import pytest

from functions.monitor.state import Deployment, State, claim, release
from sklambda.policy.retraining import Signals
from sklambda.policy.watching import RetrainingPolicy
from sklambda.storage import Directory

POLICY = RetrainingPolicy()
NEW = State(told={})


@pytest.fixture
def storage(tmp_path: Path) -> Directory:
    return Directory(tmp_path)


def signals(hour: int) -> Signals:
    return Signals(
        start=f"2026-11-21T{hour:02}:00:00Z",
        stop=f"2026-11-22T{hour:02}:00:00Z",
        estimated={"accuracy of Churn": 0.1},
    )


def deployment(version: int) -> Deployment:
    return Deployment(version=str(version), modified="2026-11-22T09:50:00Z", settings={"A": "b"})


def test_a_new_model_has_an_empty_state(storage: Directory) -> None:
    assert State.read(storage, "new") == NEW


def test_a_stored_state_is_read(storage: Directory) -> None:
    state = State(told={"drift: a": "2026-11-22T10:00:00Z"}, called="2026-11-22T10:00:00Z")
    state = state.with_window(signals(10), POLICY).with_deployment(deployment(3))

    state.write(storage, "m")

    assert State.read(storage, "m") == state


def test_models_have_separate_states(storage: Directory) -> None:
    State(told={"drift: a": "2026-11-22T10:00:00Z"}).write(storage, "m")

    assert State.read(storage, "n") == NEW


def test_a_repeated_window_is_stored_once() -> None:
    state = NEW.with_window(signals(9), POLICY).with_window(signals(10), POLICY)

    assert state.with_window(signals(10), POLICY) == state
    assert state.signals_before(signals(10).stop) == [signals(9)]


def test_a_window_before_the_last_one_is_past() -> None:
    state = NEW.with_window(signals(10), POLICY)

    assert state.is_past(signals(9).stop)
    assert not state.is_past(signals(10).stop)


def test_versions_are_stored_when_they_change() -> None:
    state = NEW
    for version in (1, 1, 2, *range(2, 30)):
        state = state.with_deployment(deployment(version))

    assert [one.version for one in state.deployments] == [str(n) for n in range(20, 30)]
    assert state.with_deployment(None) == state


def test_one_of_two_claims_holds_until_it_is_released(storage: Directory) -> None:
    first, second = (claim(storage, "m", "window-1") for _ in range(2))

    assert first is not None
    assert second is None
    release(storage, [first])
    assert claim(storage, "m", "window-1") == first


def test_a_finding_that_has_not_shown_for_three_windows_may_be_reported_again() -> None:
    state = State(told={"drift: a": "2026-11-19T09:00:00Z", "drift: b": "2026-11-19T10:00:00Z"})

    assert state.reported(signals(10)).keys() == {"drift: b"}
