"""A conversion and its proof in a process of their own, which is ended when its time is up.

The two processes talk in pickles through the child's standard streams: one job in; then what is
done so far, again and again, and at last what came of it.
"""

import os
import pickle
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Timer
from typing import Any, BinaryIO, Final, NoReturn

from training.errors import ConversionRefused, TimeLimitExceeded, TrainingError
from training.proof.prove import Job, Progress, Proven, convert_and_prove

_SERVE: Final = """
import sys
sys.path[:0] = sys.argv[1:]
from training.proof.isolation import serve
serve()
"""


@dataclass(frozen=True, slots=True)
class _Told:
    """How much of a stage is done."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class _Foreign:
    """The job holds something that cannot be loaded elsewhere."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Broken:
    """The child failed as nobody expected."""

    trace: str


def confined(job: Job, time_limit: float, progress: Progress) -> Proven:
    """Convert and prove in another process.

    Parameters
    ----------
    job : Job
        What is to be converted; it is pickled.
    time_limit : float
        Seconds after which the process is ended.
    progress : callable
        Told what is done.

    Raises
    ------
    TimeLimitExceeded
        It took longer.
    TrainingError
        What `convert_and_prove` raises there.
    """
    with _child() as child, _ended_after(time_limit, child) as expired:
        try:
            heard = _hand_over(job, child, progress)
        except (BrokenPipeError, EOFError):
            if expired.is_set():
                raise TimeLimitExceeded("", f"not proven within {time_limit:g} s") from None
            code = child.wait()
            reason = "was it out of memory?" if code == -9 else f"it returned {code}"
            raise ConversionRefused("", f"the process that converts is gone: {reason}") from None
    if isinstance(heard, _Foreign):
        _refuse(job, heard.reason)
    if isinstance(heard, Proven):
        return heard
    raise heard if isinstance(heard, TrainingError) else RuntimeError(heard.trace)


def _hand_over(
    job: Job, child: subprocess.Popen[bytes], progress: Progress
) -> Proven | TrainingError | _Foreign | _Broken:
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        # A child that cannot load the job answers before it has read all of it.
        with suppress(BrokenPipeError):
            pickle.dump(job, child.stdin, pickle.HIGHEST_PROTOCOL)
            child.stdin.flush()
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        return _Foreign(type(error).__name__)
    while isinstance(heard := pickle.load(child.stdout), _Told):
        progress(heard.stage, heard.done, heard.total)
    return heard  # type: ignore[no-any-return]  # a pickle has no type


def _refuse(job: Job, reason: str) -> NoReturn:
    """Name the step that no other process can load: converted here, it is refused."""
    job.draft.convert(job.targets, job.row_id)
    raise ConversionRefused(
        "", f"another process cannot load it ({reason}); time_limit=None converts it in this one"
    )


@contextmanager
def _child() -> Iterator[subprocess.Popen[bytes]]:
    """Start the other process, and leave none behind."""
    child = subprocess.Popen(
        [sys.executable, "-c", _SERVE, *filter(None, sys.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl+C is for this process, which then ends the other
    )
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout):
            assert stream is not None
            _close(stream)


def _close(stream: Any) -> None:
    """Close a pipe, whatever is still in it: nobody reads it any more."""
    try:
        stream.close()
    except BrokenPipeError:
        return


@contextmanager
def _ended_after(seconds: float, child: subprocess.Popen[bytes]) -> Iterator[Event]:
    expired = Event()

    def end() -> None:
        expired.set()
        child.kill()

    timer = Timer(seconds, end)
    timer.start()
    try:
        yield expired
    finally:
        timer.cancel()


def serve() -> None:
    """Do the job that comes on standard input, and say on standard output what came of it."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as channel:
        # Whatever a library prints must not stand between the pickles.
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        _send(channel, _outcome(sys.stdin.buffer, channel))


def _outcome(source: BinaryIO, channel: BinaryIO) -> object:
    try:
        job = pickle.load(source)
    except (AttributeError, ImportError) as error:
        return _Foreign(str(error))
    try:
        return convert_and_prove(job, lambda *told: _send(channel, _Told(*told)))
    except TrainingError as error:
        return error
    except Exception:  # whatever it is, the other side has to hear of it
        return _Broken(traceback.format_exc())


def _send(channel: BinaryIO, message: object) -> None:
    pickle.dump(message, channel, pickle.HIGHEST_PROTOCOL)
    channel.flush()
