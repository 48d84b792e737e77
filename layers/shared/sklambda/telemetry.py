"""Structured logs of the functions. Never a payload: only places, codes, counts and ids."""

import sys
import traceback
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import IO, TYPE_CHECKING

from sklambda.settings import LogLevel

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger


class Log:
    """The one log of a function; its lines are JSON objects, on standard output.

    Powertools is imported with the first line: most starts write none.

    Parameters
    ----------
    service : str
        The function.
    level : {"DEBUG", "INFO", "WARNING", "ERROR"}
        The least severe line that is written.
    stream : file, optional
        Where the lines go instead.
    """

    def __init__(self, service: str, level: LogLevel, stream: IO[str] | None = None) -> None:
        self._service, self._level, self._stream = service, level, stream

    def info(self, message: str, extra: Mapping[str, object] | None = None) -> None:
        """Write what happened."""
        self._logger.info(message, extra=extra)

    def warning(self, message: str, extra: Mapping[str, object] | None = None) -> None:
        """Write what somebody should know of."""
        self._logger.warning(message, extra=extra)

    def error(self, message: str, extra: Mapping[str, object] | None = None) -> None:
        """Write what went wrong."""
        self._logger.error(message, extra=extra)

    @cached_property
    def _logger(self) -> "Logger":
        from aws_lambda_powertools import Logger

        return Logger(service=self._service, level=self._level, utc=True, stream=self._stream)


type Write = Callable[[bytes], None]
"""Writes one line."""


def write_line(line: bytes) -> None:
    """Write a line that is JSON already to standard output: in Lambda, to the function's log.

    The logger takes seven times as long, and wraps what CloudWatch must find at the top.
    """
    sys.stdout.write(line.decode() + "\n")
    sys.stdout.flush()


def anatomy(error: BaseException) -> dict[str, object]:
    """Tell where an error arose, without its message: that may quote what a client sent.

    Returns
    -------
    dict
        ``error``: the class; ``frames``: ``file:line function``, the innermost last.
    """
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "error": type(error).__qualname__,
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
