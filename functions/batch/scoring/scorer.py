"""Scores the slices of one input: each record is scored or rejected, and counted."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from functions.batch.formats.layout import Answering, Layout
from functions.batch.formats.readers import reader
from functions.batch.formats.reading import Reader, Reading, Slice
from functions.batch.scoring import rejects
from functions.batch.scoring.columns import Column, decided, explained, explained_as_json, warned
from functions.batch.scoring.writer import Writer
from sklambda.arrays import Flags, FloatMatrix
from sklambda.predictor import Predictor
from sklambda.row_warnings import Lookout

type Look = Callable[[FloatMatrix, FloatMatrix, Sequence[tuple[int, str]]], None]


def _unseen(X: FloatMatrix, scores: FloatMatrix, coerced: Sequence[tuple[int, str]]) -> None:
    """Show nothing to anybody."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What became of a slice: each record is scored or rejected.

    Attributes
    ----------
    output : Path
        The scored records, as a piece of the scored file.
    rejects : bytes
        What was wrong, a JSON object a line.
    read : int
        How many records there were.
    rejected : int
        How many of them were rejected.
    """

    output: Path
    rejects: bytes
    read: int
    rejected: int

    @property
    def scored(self) -> int:
        """How many records were scored."""
        return self.read - self.rejected


class Scorer:
    """Scores the slices of one input.

    Parameters
    ----------
    predictor : Predictor
        What scores.
    layout : Layout
        How the input is written.
    answering : Answering
        What the scored file is to hold.
    folder : Path
        For what is written; what is not handed on is removed.
    look : callable, optional
        Shown the matrix, the scores and what was coerced of the rows of each slice.

    Raises
    ------
    InputRefused
        The scored file cannot hold what it is to hold.
    """

    def __init__(
        self,
        predictor: Predictor,
        layout: Layout,
        answering: Answering,
        folder: Path,
        look: Look = _unseen,
    ) -> None:
        self._look = look
        signature = predictor.package.signature
        self._predictor, self._answering, self._folder = predictor, answering, folder
        self._lookout = Lookout(signature)
        self._reader: Reader = reader(layout, signature, folder)
        nothing = [*self._columns(np.empty((0, signature.width)), [])]
        self._writer = Writer(layout, answering, signature, nothing)

    def score(self, part: Slice) -> Scored:
        """Score a slice; what becomes of it is the caller's, the file too.

        Raises
        ------
        RuntimeError
            Some record was neither scored nor rejected.
        """
        try:
            return self._scored(self._reader.read(part), part)
        finally:
            self._reader.clear()

    def _scored(self, reading: Reading, part: Slice) -> Scored:
        refused = {reject.place for reject in reading.rejects}
        good = ~np.isin(reading.places, [*refused])
        path = self._folder / f"scored-{part.first}"
        written = self._write(reading, good, path, part.header)
        if written + len(refused) != reading.read:
            path.unlink()
            raise RuntimeError(
                f"of {reading.read} records {written} were scored and {len(refused)} rejected"
            )
        lines = rejects.write(reading.rejects, part.first, show=self._answering.show)
        return Scored(path, lines, reading.read, len(refused))

    def _write(self, reading: Reading, good: Flags, path: Path, header: bool) -> int:
        X, coerced = reading.X, reading.coerced
        if not good.all():
            places = np.cumsum(good) - 1
            coerced = [(int(places[row]), name) for row, name in coerced if good[row]]
            X = X[good]
        columns = [*self._columns(X, coerced)]
        return self._writer.write(reading.con, good, columns, path, header, reading.lines)

    def _columns(self, X: FloatMatrix, coerced: list[tuple[int, str]]) -> Iterator[Column]:
        as_json = self._answering.format == "json_lines"
        signature = self._predictor.package.signature
        scores = self._predictor.run(X) if len(X) else np.empty((0, signature.target.width))
        if len(X):
            self._look(X, scores, coerced)
        yield from decided(signature.target, scores)
        yield warned(self._lookout, X, coerced, as_json=as_json)
        if not self._answering.explain:
            return
        each = (self._predictor.explain(X[row : row + 1])[0] for row in range(len(X)))
        if as_json:
            yield explained_as_json(each)
        else:
            yield from explained(signature, len(X), each)
