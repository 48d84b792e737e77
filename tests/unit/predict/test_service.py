"""Explanations are bounded by the work of their rows, and a request that does not fit says so."""

from time import perf_counter
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
