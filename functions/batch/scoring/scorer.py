"""Scores the slices of one input: each record is scored or rejected, and counted."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

import numpy as np

from functions.batch.formats.layout import Layout, OutputOptions
from functions.batch.formats.readers import open_reader
from functions.batch.formats.slices import EncodedSlice, Reject, Slice
from functions.batch.scoring.columns import (
    OutputColumn,
    explanation_columns,
    json_explanation_column,
    prediction_columns,
    warning_column,
)
from functions.batch.scoring.trials import Trial, Trials
from functions.batch.scoring.writer import Writer
from sklambda.arrays import Flags, FloatMatrix
from sklambda.codec.row_warnings import CheckedRows, RowWarner, RowWarning
from sklambda.errors import RowsInvalid
from sklambda.predictor import Predictor

type Observer = Callable[[FloatMatrix, FloatMatrix, Sequence[tuple[int, str]]], None]


@dataclass(frozen=True, slots=True)
class ScoredSlice:
    """The result of a slice: each record is scored or rejected.

    Attributes
    ----------
    output : Path
        The scored records, a piece of the scored file.
    rejects : bytes
        The rejects as JSON Lines.
    read : int
        Number of records in the slice.
    rejected : int
        Number of rejected records.
    warnings : mapping of RowWarning to int
        Number of scored records with each warning.
    trials : sequence of Trial
        Of values that training did not have, of features with more than a few of them.
    """

    output: Path
    rejects: bytes
    read: int
    rejected: int
    warnings: Mapping[RowWarning, int]
    trials: Sequence[Trial]


class Scorer:
    """Scores the slices of one input.

    Parameters
    ----------
    predictor : Predictor
        Scores encoded rows.
    layout : Layout
        How the input is laid out.
    options : OutputOptions
        What the scored file holds.
    folder : Path
        For scratch files; only the output of a slice stays.
    observe : callable, optional
        Called with the matrix, the scores and the coerced values of the rows of each slice.

    Raises
    ------
    InputRefused
        The scored file cannot have the columns requested.
    """

    def __init__(
        self,
        predictor: Predictor,
        layout: Layout,
        options: OutputOptions,
        folder: Path,
        observe: Observer = lambda X, scores, coerced: None,
    ) -> None:
        self._observe = observe
        signature = predictor.package.signature
        self._predictor, self._options, self._folder = predictor, options, folder
        self._warner = RowWarner(signature)
        self._trials = Trials(signature, layout.format)
        self._reader = open_reader(layout, signature, folder)
        nothing = np.empty((0, signature.width))
        checked = self._warner.check_many(nothing)
        empty = [*self._columns(nothing, self._run(nothing), checked)]
        self._writer = Writer(layout, options, signature, empty)

    def score(self, part: Slice) -> ScoredSlice:
        """Score a slice; the caller removes the output file.

        Raises
        ------
        RuntimeError
            A record was neither scored nor rejected.
        """
        try:
            return self._score(self._reader.read(part), part)
        finally:
            self._reader.clear()

    def _score(self, encoded: EncodedSlice, part: Slice) -> ScoredSlice:
        good = ~np.isin(encoded.places, [reject.place for reject in encoded.rejects])
        X = encoded.X if good.all() else encoded.X[good]
        try:
            scores = self._run(X)
        except RowsInvalid as invalid:
            _reject(invalid, encoded, good)
            X = encoded.X[good]
            scores = self._run(X)
        coerced = _coerced(encoded, good)
        if len(X):
            self._observe(X, scores, coerced)
        checked = self._warner.check_many(X, coerced)
        trials = self._trials.of(encoded, good, X, checked.counts)
        rejected = {reject.place for reject in encoded.rejects}
        path = self._folder / f"scored-{part.first}"
        columns = [*self._columns(X, scores, checked)]
        scored = self._writer.write(encoded.con, good, columns, path, part.header, encoded.lines)
        if scored + len(rejected) != encoded.read:
            path.unlink()
            raise RuntimeError(
                f"of {encoded.read} records {scored} were scored and {len(rejected)} rejected"
            )
        lines = rejects_to_json_lines(encoded.rejects, part.first, self._options.show_values)
        return ScoredSlice(
            path, lines, encoded.read, len(rejected), warnings=checked.counts, trials=trials
        )

    def _run(self, X: FloatMatrix) -> FloatMatrix:
        width = self._predictor.package.signature.target.width
        return self._predictor.run(X) if len(X) else np.empty((0, width))

    def _columns(
        self, X: FloatMatrix, scores: FloatMatrix, checked: CheckedRows
    ) -> Iterator[OutputColumn]:
        as_json = self._options.format == "json_lines"
        signature = self._predictor.package.signature
        yield from prediction_columns(signature.target, scores)
        yield warning_column(checked, as_json=as_json)
        if not self._options.explain:
            return
        each = (self._predictor.explain(X[row : row + 1])[0] for row in range(len(X)))
        if as_json:
            yield json_explanation_column(each)
        else:
            yield from explanation_columns(signature, len(X), each)


def _coerced(encoded: EncodedSlice, good: Flags) -> list[tuple[int, str]]:
    """Return the coerced values of the `good` rows, [n], by their row among these."""
    if good.all():
        return encoded.coerced
    places = np.cumsum(good) - 1
    return [(int(places[row]), name) for row, name in encoded.coerced if good[row]]


def _reject(invalid: RowsInvalid, encoded: EncodedSlice, good: Flags) -> None:
    """Make rejects of the `good` records, [N], that have no score."""
    rows = np.flatnonzero(good)
    for fault in invalid.faults:
        row = rows[fault.row]
        encoded.rejects.append(Reject(int(encoded.places[row]), None, fault.code, fault.detail))
        good[row] = False


def rejects_to_json_lines(rejects: Iterable[Reject], first: int, show_values: bool) -> bytes:
    """Return the rejects of a slice as JSON Lines, in the order of their records.

    Parameters
    ----------
    rejects : iterable of Reject
        All faults of all records of the slice.
    first : int
        The number of the slice's first record in the whole input.
    show_values : bool
        Whether each holds the refused value.
    """
    ordered = sorted(rejects, key=attrgetter("place"))
    return "".join(_json_line(reject, first, show_values) for reject in ordered).encode()


def _json_line(reject: Reject, first: int, show_values: bool) -> str:
    members = {
        "row": first + reject.place,
        "column": reject.column,
        "code": reject.code,
        "detail": reject.detail,
    }
    value = {"value": reject.value} if show_values else {}
    return json.dumps(members | value, ensure_ascii=False) + "\n"
