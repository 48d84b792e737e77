"""Shares of the CPU's time while a file is scored."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from time import process_time
from typing import Final

from functions.batch.formats.layout import Layout, OutputOptions, sniff
from functions.batch.formats.slices import Slice
from functions.batch.scoring.scorer import Scorer
from sklambda.predictor import Predictor
from sklambda.reading import records, sniffing

_PART: Final = 16 * 2**20


def shares(package: Path, table: Path) -> dict[str, float]:
    """Return the shares of the CPU's time, from CSV to CSV."""
    predictor = Predictor.open(package)
    with table.open("rb") as file:
        head = file.read(sniffing.HEAD)
    layout = sniff(head, "csv", None, predictor.package.signature)
    scorer = Scorer(predictor, layout, OutputOptions("csv"), table.parent)
    clock: dict[str, float] = defaultdict(float)
    parts = {
        "model": (predictor, "run"),
        "reading and encoding": (scorer._reader, "read"),
        "writing": (scorer._writer, "write"),
    }
    for name, (owner, method) in parts.items():
        setattr(owner, method, _timed(clock, name, getattr(owner, method)))
    started = process_time()
    for part in _slices(table, layout):
        scorer.score(part).output.unlink()
    whole = process_time() - started
    return {name: seconds / whole for name, seconds in clock.items()}


def _timed[**P, R](clock: dict[str, float], name: str, call: Callable[P, R]) -> Callable[P, R]:
    def timed(*args: P.args, **kwargs: P.kwargs) -> R:
        started = process_time()
        try:
            return call(*args, **kwargs)
        finally:
            clock[name] += process_time() - started

    return timed


def _slices(path: Path, layout: Layout) -> Iterator[Slice]:
    with path.open("rb") as file:
        file.seek(layout.start)
        rest, first = b"", 1
        while block := file.read(_PART):
            content = rest + block
            cut = records.cut(content, layout.dialect, len(block) < _PART)
            yield Slice(content[: cut.end], first=first, header=first == 1)
            rest, first = content[cut.end :], first + cut.records
