"""Structured logs of the functions: places, codes, counts and ids, never a payload."""

import sys
import traceback
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import IO, TYPE_CHECKING

from sklambda.settings import LogLevel

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger


class Log:
    """The log of a function: JSON lines on standard output.

    Powertools is imported with the first line, since most starts write none.

    Parameters
    ----------
    service : str
        The name of the function.
    level : {"DEBUG", "INFO", "WARNING", "ERROR"}
        The least severe level that is written.
    stream : file, optional
        Written to instead of standard output.
    """

    def __init__(self, service: str, level: LogLevel, stream: IO[str] | None = None) -> None:
        self._service, self._level, self._stream = service, level, stream

    def info(self, message: str, extra: Mapping[str, object] | None = None) -> None:
        """Write a line of level INFO."""
        self._logger.info(message, extra=extra)

    def warning(self, message: str, extra: Mapping[str, object] | None = None) -> None:
        """Write a line of level WARNING."""
        self._logger.warning(message, extra=extra)

    def error(self, message: str, extra: Mapping[str, object] | None = None) -> None:
        """Write a line of level ERROR."""
        self._logger.error(message, extra=extra)

    @cached_property
    def _logger(self) -> "Logger":
        from aws_lambda_powertools import Logger

        return Logger(service=self._service, level=self._level, utc=True, stream=self._stream)


type Write = Callable[[bytes], None]
"""Writes a line."""


def write_line(line: bytes) -> None:
    """Write a JSON line to standard output: in Lambda, to the log of the function.

    The logger takes seven times as long, and nests members that CloudWatch expects at the top.
    """
    sys.stdout.write(line.decode() + "\n")
    sys.stdout.flush()


def describe_exception(error: BaseException) -> dict[str, object]:
    """Return the class of an error and where it arose; its message may quote a client's value.

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
