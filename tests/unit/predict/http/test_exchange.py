"""HTTP that all dialects share."""

import pytest

from functions.predict.http.exchange import Caller, Request, negotiate_media_type
from functions.predict.http.problems import ProblemRaised

AVAILABLE = ("application/json", "text/csv")


def request(accept: str) -> Request:
    return Request({"accept": accept}, b"", {}, {}, Caller("name"))


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("Text/CSV; charset=utf-8", "text/csv"),
        ("text/*, application/json;q=0.5", "text/csv"),
        ("application/json;q=0, */*", "text/csv"),
        ("application/*;q=0.2, text/csv;q=0.1", "application/json"),
    ],
)
def test_the_closest_range_decides(accept: str, chosen: str) -> None:
    assert negotiate_media_type(request(accept), AVAILABLE) == chosen


@pytest.mark.parametrize("accept", ["image/png", "text/csv;q=0", "*/*;q=nonsense"])
def test_what_is_not_offered_is_not_acceptable(accept: str) -> None:
    with pytest.raises(ProblemRaised) as raised:
        negotiate_media_type(request(accept), AVAILABLE)

    assert raised.value.status == 406
