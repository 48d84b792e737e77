"""Explanations are bounded by the work of their rows, and a request that does not fit says so."""

from time import perf_counter, sleep
from types import SimpleNamespace
from typing import Any

import pytest

from functions.predict.http.exchange import Caller
from functions.predict.http.problems import ProblemRaised
from functions.predict.model import PredictionRequest, ServedModel
from functions.predict.service import Service, received
from sklambda.errors import OutOfTime
from sklambda.explain.kernel import coalitions, most_coalitions
from sklambda.predictor import Predictor


class Slow(Predictor):
    """Takes half a second a row, by its own account, and has no time for any."""

    done = 0

    @property
    def explainer(self) -> Any:
        return self

    @property
    def seconds(self) -> float:
        return 0.5

    def explain(self, X: Any, deadline: float = 0.0) -> Any:
        raise OutOfTime(self.done)


class Slower(Slow):
    """Gives up after three rows."""

    done = 3


@pytest.fixture
def slow(predictor: Predictor) -> ServedModel:
    return ServedModel(Slow(predictor.package))


@pytest.fixture
def row(predictor: Predictor) -> dict[str, Any]:
    return dict(predictor.package.signature.example)


def request(row: dict[str, Any], rows: int) -> PredictionRequest:
    return PredictionRequest([row] * rows, Caller("r"), explain=True)


@pytest.mark.parametrize(("seconds", "fit"), [(8, 16), (1, 2), (0.4, 0)])
def test_more_rows_than_there_is_time_for_are_refused_before_any_work(
    slow: ServedModel, row: dict[str, Any], seconds: float, fit: int
) -> None:
    service = Service(slow, explain_seconds=seconds)

    with pytest.raises(ProblemRaised) as raised:
        service.predict(request(row, fit + 1))

    assert (raised.value.status, raised.value.kind) == (413, "too-many-rows")
    assert raised.value.members == {"limit": fit}
    assert f"{fit or 'not one'} of the rows can be explained within" in raised.value.detail


def test_rows_that_take_longer_than_estimated_are_refused_with_the_number_that_was_done(
    predictor: Predictor, row: dict[str, Any]
) -> None:
    slower = ServedModel(Slower(predictor.package))

    with pytest.raises(ProblemRaised) as raised:
        Service(slower).predict(request(row, 5))

    assert (raised.value.status, raised.value.members) == (413, {"limit": 3})


def test_a_request_that_waited_too_long_is_to_come_again(
    slow: ServedModel, row: dict[str, Any]
) -> None:
    token = received.set(perf_counter() - 7.8)
    try:
        with pytest.raises(ProblemRaised) as raised:
            Service(slow).predict(request(row, 1))
    finally:
        received.reset(token)

    assert (raised.value.status, raised.value.kind) == (503, "busy")
    assert raised.value.headers == {"retry-after": "1"}


def test_a_cheap_model_explains_many_rows(predictor: Predictor, row: dict[str, Any]) -> None:
    response = Service(ServedModel(predictor)).predict(request(row, 200))

    assert len(response.explanations) == 200


def test_an_explanation_ends_at_the_deadline(predictor: Predictor, row: dict[str, Any]) -> None:
    X = predictor.encode([row])

    with pytest.raises(OutOfTime) as raised:
        predictor.explain(X, deadline=perf_counter())

    assert raised.value.done == 0
    assert len(predictor.explain(X, deadline=perf_counter() + 60)) == 1


@pytest.mark.parametrize("players", [2, 5, 9, 10, 20, 300, 1000])
def test_the_greatest_number_of_coalitions_is_known_in_advance(players: int) -> None:
    found, _ = coalitions(players, 512)

    assert len(found) <= most_coalitions(players, 512) <= max(512, 2 * players)


class Late(Slow):
    """Explains a row in `late` seconds, where half a second was measured, until the deadline."""

    late = 1.0
    clock: list[float]

    def explain(self, X: Any, deadline: float = 0.0) -> Any:
        for done in range(len(X)):
            self.clock[0] += self.late
            if self.clock[0] > deadline:
                raise OutOfTime(done)
        return [()] * len(X)


@pytest.fixture
def late(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> Any:
    clock = [100.0]
    for module in ("functions.predict.model", "functions.predict.service"):
        monkeypatch.setattr(f"{module}.perf_counter", lambda: clock[0])
    found = Late(predictor.package)
    found.clock = clock
    return found


def outcome(service: Service, row: dict[str, Any], rows: int) -> tuple[int, object]:
    try:
        service.predict(request(row, rows))
    except ProblemRaised as raised:
        return raised.status, raised.members.get("limit")
    return 200, None


def test_the_next_limit_is_what_was_seen_and_as_many_rows_are_answered(
    late: Any, row: dict[str, Any]
) -> None:
    service = Service(ServedModel(late))

    assert outcome(service, row, 16) == (413, 8)
    assert outcome(service, row, 9) == (413, 8)
    assert outcome(service, row, 8) == (200, None)
    late.late = 0.01
    assert outcome(service, row, 1) == (200, None)
    assert outcome(service, row, 17) == (413, 16)


@pytest.mark.parametrize("seconds", [1.1, 9.0, 300.0])
def test_a_limit_that_was_said_is_never_answered_with_a_limit_of_none(
    late: Any, row: dict[str, Any], seconds: float
) -> None:
    service, rows = Service(ServedModel(late)), 17
    late.late = seconds

    for _ in range(20):
        status, limit = outcome(service, row, rows)
        assert (status, limit == 0) in ((413, False), (200, False), (503, False))
        rows = limit if isinstance(limit, int) else rows
    late.late = 0.1
    assert outcome(service, row, 1) == (200, None)


def test_a_limit_of_none_says_how_long_a_row_takes(slow: ServedModel, row: dict[str, Any]) -> None:
    with pytest.raises(ProblemRaised, match=r"a row takes about 0\.5 s"):
        Service(slow, explain_seconds=0.4).predict(request(row, 1))


def test_one_row_ends_within_a_run_of_the_deadline(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row of KernelSHAP takes minutes here: 10 ms for each row that the model scores."""
    explainer = predictor.explainer
    run = explainer._session.run

    def slow_run(X: Any) -> Any:
        sleep(0.01 * len(X))
        return run(X)

    monkeypatch.setattr(explainer, "_shapley", None)
    monkeypatch.setattr(explainer, "_session", SimpleNamespace(run=slow_run))
    monkeypatch.setattr(explainer, "background", explainer.background[:5])
    assert explainer._exactly(explainer.background[:1], run(explainer.background[:1])) is None
    assert explainer.seconds > 5
    start = perf_counter()

    with pytest.raises(OutOfTime):
        explainer.explain(
            predictor.encode([dict(predictor.package.signature.example)]), 512, start + 1
        )

    assert 1 <= perf_counter() - start < 1.5
