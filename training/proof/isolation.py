"""A conversion and its proof in a process of their own, with a time limit.

The processes exchange pickles through the child's standard streams: scikit-learn's settings and the
job in, then messages of progress out, and at last the result.
"""

import importlib.machinery
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

import cloudpickle
from sklearn import get_config, set_config

from training.errors import ConversionRefused, TimeLimitExceeded, TrainingError
from training.proof.prove import ExportJob, Progress, ProvenModel, convert_and_prove

_SERVE: Final = """
import sys
sys.path[:0] = sys.argv[1:]
from training.proof.isolation import serve
serve()
"""


@dataclass(frozen=True, slots=True)
class _Progress:
    """A message: so much of a stage is done."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class _Unloadable:
    """A result: the job holds an object that another process cannot load."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Crash:
    """A result: the child raised an unexpected error."""

    trace: str


def run_isolated(job: ExportJob, time_limit: float, progress: Progress) -> ProvenModel:
    """Convert and prove in another process.

    Parameters
    ----------
    job : ExportJob
        The pipeline to convert; it is pickled.
    time_limit : float
        Seconds after which the process is killed.
    progress : callable
        Called with the stage, how much of it is done, and the total.

    Raises
    ------
    TimeLimitExceeded
        The time limit is exceeded.
    TrainingError
        The error that `convert_and_prove` raised there.
    """
    with _child() as child, _time_limit(time_limit, child) as expired:
        try:
            result = _exchange(job, child, progress)
        except (BrokenPipeError, EOFError):
            if expired.is_set():
                raise TimeLimitExceeded("", f"not proven within {time_limit:g} s") from None
            code = child.wait()
            reason = "out of memory?" if code == -9 else f"exit code {code}"
            raise ConversionRefused("", f"the converting process ended early: {reason}") from None
    if isinstance(result, _Unloadable):
        _refuse(job, result.reason)
    if isinstance(result, ProvenModel):
        return result
    raise result if isinstance(result, TrainingError) else RuntimeError(result.trace)


def _exchange(
    job: ExportJob, child: subprocess.Popen[bytes], progress: Progress
) -> ProvenModel | TrainingError | _Unloadable | _Crash:
    """Send the job, report progress, and return the result."""
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        # A child that cannot load the job sends its result before it has read the whole job.
        with suppress(BrokenPipeError), _by_value():
            cloudpickle.dump((get_config(), job), child.stdin, pickle.HIGHEST_PROTOCOL)
            child.stdin.flush()
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        return _Unloadable(type(error).__name__)
    while isinstance(message := pickle.load(child.stdout), _Progress):
        progress(message.stage, message.done, message.total)
    return message  # type: ignore[no-any-return]  # a pickle has no type


@contextmanager
def _by_value() -> Iterator[None]:
    """Send the functions and classes of modules that the child cannot import along with the job.

    Those of `__main__`, and lambdas, are sent so anyway.
    """
    private = [
        module
        for name, module in [*sys.modules.items()]
        if "." not in name
        and name != "__main__"
        and name not in sys.builtin_module_names
        and getattr(module, "__name__", "") == name  # compiled modules have aliases there
        and not _can_be_found(name)
    ]
    for module in private:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in private:
            cloudpickle.unregister_pickle_by_value(module)


def _can_be_found(name: str) -> bool:
    finders = importlib.machinery.FrozenImporter, importlib.machinery.PathFinder
    return any(finder.find_spec(name) is not None for finder in finders)


def _refuse(job: ExportJob, reason: str) -> NoReturn:
    """Refuse the step that another process cannot load: its conversion names it."""
    job.conversion.convert(job.targets, job.row_id)
    raise ConversionRefused(
        "",
        f"another process cannot load the pipeline ({reason}); time_limit=None converts it in this "
        "process",
    )


@contextmanager
def _child() -> Iterator[subprocess.Popen[bytes]]:
    """Start the child process, and kill it at the end."""
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
    """Close a pipe of an ended process, unread bytes included."""
    try:
        stream.close()
    except BrokenPipeError:
        return


@contextmanager
def _time_limit(seconds: float, child: subprocess.Popen[bytes]) -> Iterator[Event]:
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
    """Run the job of standard input, and write its result to standard output."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as channel:
        # A library's output must not mix with the pickles.
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        _send(channel, _result(sys.stdin.buffer, channel))


def _result(source: BinaryIO, channel: BinaryIO) -> object:
    try:
        settings, job = pickle.load(source)
    except (AttributeError, ImportError) as error:
        return _Unloadable(str(error))
    set_config(**settings)
    try:
        return convert_and_prove(job, lambda *state: _send(channel, _Progress(*state)))
    except TrainingError as error:
        return error
    except Exception:  # any other error is raised in the parent process
        return _Crash(traceback.format_exc())


def _send(channel: BinaryIO, message: object) -> None:
    pickle.dump(message, channel, pickle.HIGHEST_PROTOCOL)
    channel.flush()
