"""The limit of what Lambda returns, which counts a response as it is written into the result."""

from collections.abc import Callable
from typing import Final

from functions.predict.http import problems
from functions.predict.http.response import Response

MAX_BYTES: Final = 6_291_556
"""Limit of a result in bytes; API Gateway's caller would get a bare 502 above it."""

_OUTSIDE: Final = 2_000
"""Room for the headers that are added later."""
_SHARE: Final = 0.95
"""Rows differ: the others may have longer answers than the average one."""


def require_fit(response: Response, measure: Callable[[Response], int], accepts: str) -> None:
    """Raise the problem of a response that Lambda cannot return, with the rows that fit."""
    size = measure(response) + _OUTSIDE
    if size > MAX_BYTES:
        rows = fitting_rows(response.rows, size)
        raise problems.response_too_large(size, MAX_BYTES, response.rows, rows, bool(accepts))


def fitting_rows(rows: int, size: int) -> int:
    """Return how many of some rows fit, if their answers have so many bytes."""
    return int(rows * _SHARE * MAX_BYTES / size)
