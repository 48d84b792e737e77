"""Jobs in local folders, and a storage that fails on demand."""

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from functions.batch.jobs import opening
from functions.batch.jobs.context import Context
from functions.batch.jobs.job import Outline
from functions.batch.jobs.options import Options
from functions.batch.jobs.run import run
from sklambda.predictor import Predictor
from sklambda.storage import Directory, Piece, Storage, Stored
from sklambda.storage.objects import JSON

NOW = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)


class Killed(BaseException):
    """The process is killed."""


@dataclass
class FailingStorage:
    """A storage that fails at one of its operations, before it or after it.

    Attributes
    ----------
    storage : Storage
        Does the operations.
    fails_at : int
        The number of the operation, from 1; 0 for none.
    late : bool
        Whether it fails after the operation was done.
    error : callable
        Returns the error to raise.
    """

    storage: Storage
    fails_at: int = 0
    late: bool = False
    error: Callable[[], BaseException] = Killed
    operations: int = 0
    _lock: Lock = field(default_factory=Lock, repr=False)

    def _do[T](self, operation: Callable[[], T]) -> T:
        with self._lock:
            self.operations += 1
            fails = self.operations == self.fails_at
        if fails and not self.late:
            raise self.error()
        result = operation()
        if fails:
            raise self.error()
        return result

    def put(self, objects: Mapping[str, bytes], media_type: str = JSON) -> None:
        self._do(lambda: self.storage.put(objects, media_type))

    def find(self, key: str) -> Stored | None:
        return self._do(lambda: self.storage.find(key))

    def list(self, prefix: str) -> Iterator[Stored]:
        return self._do(lambda: self.storage.list(prefix))

    def read(self, stored: Stored, start: int = 0, stop: int | None = None) -> bytes:
        return self._do(lambda: self.storage.read(stored, start, stop))

    def stream(self, stored: Stored, start: int = 0) -> Iterator[bytes]:
        return self._do(lambda: self.storage.stream(stored, start))

    def create(self, key: str, content: bytes | Path, media_type: str = "") -> bool:
        return self._do(lambda: self.storage.create(key, content, media_type))

    def join(self, key: str, pieces: Sequence[Piece], media_type: str = "") -> bool:
        return self._do(lambda: self.storage.join(key, pieces, media_type))

    def remove(self, keys: Iterable[str]) -> None:
        self._do(lambda: self.storage.remove(keys))


@dataclass
class Laptop:
    """A context whose inputs and outputs are folders.

    Attributes
    ----------
    predictor : Predictor
        The model.
    root : Path
        Holds both folders, and one for scratch.
    bucket : str
        Precedes the names of inputs in addresses; if stated, inputs and outputs share a folder.
    """

    predictor: Predictor
    root: Path
    bucket: str = ""
    inputs: FailingStorage = field(init=False)
    outputs: FailingStorage = field(init=False)

    def __post_init__(self) -> None:
        for name in ("in", "out", "scratch"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        self.inputs = FailingStorage(Directory(self.root / "in"))
        self.outputs = self.inputs if self.bucket else FailingStorage(Directory(self.root / "out"))

    @property
    def context(self) -> Context:
        """The context."""
        return Context(
            self.predictor,
            self.outputs,
            lambda address: (self.inputs, address.removeprefix(self.bucket)),
            self.root / "scratch",
            sketches=Directory(self.root / "records"),
            now=lambda: NOW,
        )

    def drop(self, name: str, content: bytes) -> None:
        """Write an input."""
        path = self.root / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def outline(self, name: str, **options: Any) -> Outline:
        """Return the outline of a job of an input."""
        return opening.outline_job(self.context, name, Options.model_validate(options))

    def content(self, key: str) -> bytes:
        """Return a published object."""
        return (self.root / "out" / key).read_bytes()

    def published_objects(self) -> dict[str, bytes]:
        """Return all objects but the work in progress."""
        out = self.root / "out"
        files = (path for path in out.rglob("*") if path.is_file())
        named = {path.relative_to(out).as_posix(): path for path in files}
        return {
            key: path.read_bytes()
            for key, path in sorted(named.items())
            if not key.startswith("work/")
        }

    def receipt(self, outline: Outline) -> dict[str, Any]:
        """Return the receipt of a job."""
        receipt: dict[str, Any] = json.loads(self.content(outline.receipt))
        return receipt


PART = 4096
"""Bytes of a part, so that a small file has several."""


def undisturbed(make: Callable[[str], Laptop], name: str) -> tuple[dict[str, bytes], int]:
    """Run a job; return the published objects, and the number of operations."""
    laptop = make("undisturbed")
    outline = laptop.outline(name, part_bytes=PART // 2)
    laptop.outputs.operations = 0
    run(laptop.context, outline)
    return _without_times(laptop), laptop.outputs.operations


def killed_and_resumed(laptop: Laptop, name: str, step: int, late: bool) -> dict[str, bytes]:
    """Run a job that is killed at one operation and run again; return the published objects."""
    outline = laptop.outline(name, part_bytes=PART // 2)
    laptop.outputs.operations, laptop.outputs.fails_at, laptop.outputs.late = 0, step, late
    with contextlib.suppress(Killed):
        run(laptop.context, outline)
        raise AssertionError(f"the job has no step {step}")
    laptop.outputs.fails_at = 0
    run(laptop.context, outline)
    return _without_times(laptop)


def _without_times(laptop: Laptop) -> dict[str, bytes]:
    found = laptop.published_objects()
    for key in [key for key in found if key.startswith("jobs/")]:
        receipt = json.loads(found[key]) | {"seconds": 0}
        found[key] = json.dumps(receipt).encode()
    return found
