"""The one place where tests wait: for evidence, with a bound, never for time to pass."""

import time
from collections.abc import Callable

_PAUSE_SECONDS = 0.1


def wait_for[T](evidence: Callable[[], T | None], seconds: float, what: str) -> T:
    """Ask for evidence until there is some, and give it; fail when the time is over.

    Parameters
    ----------
    evidence : callable
        Gives something true once it has happened. It may raise before.
    seconds : float
        How long to ask.
    what : str
        What is waited for, for the message.
    """
    __tracebackhide__ = True  # a failure shows the line that waits
    end = time.monotonic() + seconds
    last: object = "nothing was there"
    while time.monotonic() < end:
        try:
            if found := evidence():
                return found
        except Exception as error:  # what is not there yet fails in its own ways
            last = error
        time.sleep(_PAUSE_SECONDS)
    raise AssertionError(f"{what}: not within {seconds:g} s; last: {last!r}")
