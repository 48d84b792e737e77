"""Ids of predictions are drawn by the service, and say when they were."""

from datetime import UTC, datetime

import pytest

from sklambda.prediction_ids import draw_request_part, prediction_time, row_digest


def test_no_two_requests_draw_the_same() -> None:
    assert len({draw_request_part(0.0) for _ in range(1000)}) == 1000


@pytest.mark.parametrize("seconds", [0.0, 1795998600.123, 4e9, 253402300799.999])
def test_an_id_says_when_it_was_drawn(seconds: float) -> None:
    name = f"{draw_request_part(seconds)}-12"

    moment = prediction_time(name)

    assert moment is not None
    assert abs((moment - datetime.fromtimestamp(seconds, UTC)).total_seconds()) <= 0.001


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a-0",
        "c6af9ac6-6e0f-4b0a-a6c7-5a3e7f6e2a10-0",
        draw_request_part(),
        f"{draw_request_part()}-0\n",
        f"{draw_request_part()}-{'9' * 400}",
        f"{draw_request_part(253402300800)}-0",
        "ffffffff-ffff-7fff-bfff-ffffffffffff-0",
    ],
    ids=["empty", "short", "another version", "no row", "a line", "many digits", "10000", "last"],
)
def test_an_id_of_another_form_says_nothing(name: str) -> None:
    assert prediction_time(name) is None


def test_an_id_of_a_row_is_a_text_or_a_whole_number() -> None:
    assert row_digest(7) == row_digest("7") != row_digest("07")
    assert row_digest("ünï \ud800") is not None
    refused: list[object] = [None, True, 7.5, [], {}, "", "x" * 257, 10**400]
    assert [one for one in refused if row_digest(one) is not None] == []
