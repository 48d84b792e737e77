"""Structured logs of the functions. Never a payload: only places, codes, counts and ids."""

import sys
import traceback
from collections.abc import Callable
from typing import IO

from aws_lambda_powertools import Logger

from sklambda.settings import Settings


def logger(service: str, settings: Settings, stream: IO[str] | None = None) -> Logger:
    """Make the one logger of a function; its lines are JSON objects, on standard output."""
    return Logger(service=service, level=settings.log_level, utc=True, stream=stream)


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
