"""A served model: prediction request in, prediction response out, in no dialect."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf
from time import perf_counter
from typing import TYPE_CHECKING, Final, Literal

from functions.predict.http.exchange import Caller
from sklambda.arrays import FloatMatrix
from sklambda.codec.codec import Row
from sklambda.codec.row_warnings import RowWarner, RowWarning
from sklambda.decision import Prediction, to_predictions
from sklambda.errors import OutOfTime
from sklambda.predictor import GoldenMismatch, Predictor
from sklambda.reading.records import Cell
from sklambda.signature import Signature

if TYPE_CHECKING:
    from sklambda.explain.explainer import Explanation


_TELLING: Final = 0.5
"""Seconds of explanations from which on they tell that rows are slow; shorter ones vary."""

type Role = Literal["champion", "challenger"]


@dataclass(slots=True)  # not frozen: made for each request, and in half the time
class PredictionRequest:
    """A request for predictions, whatever its dialect.

    Attributes
    ----------
    rows : sequence of Row
        Feature values by name.
    caller : Caller
        The caller.
    explain : bool
        Whether to explain each score.
    coerced : sequence of (int, str)
        Row and feature of each value whose type the dialect changed.
    model : ServedModel or None
        The model that the caller selected; None leaves the choice to the service.
    deadline : float
        When explanations must be done, by ``time.perf_counter``, in seconds.
    row_ids : sequence of object
        The client's own id of each row, None for a row without one; empty without any.
    """

    rows: Sequence[Row]
    caller: Caller
    explain: bool = False
    coerced: Sequence[tuple[int, str]] = ()
    model: "ServedModel | None" = None
    deadline: float = inf
    row_ids: Sequence[object] = ()


@dataclass(slots=True)
class PredictionResponse:
    """The predictions for a request.

    Attributes
    ----------
    model : ServedModel
        The model that made them.
    X : FloatMatrix
        Shape [N, K], float64: the encoded rows.
    scores : FloatMatrix
        Shape [N, C], float64.
    predictions : sequence of Prediction
        One per row.
    warnings : sequence of sequence of RowWarning
        One list per row.
    explanations : sequence of sequence of Explanation
        One list per row, if requested.
    """

    model: "ServedModel"
    X: FloatMatrix
    scores: FloatMatrix
    predictions: Sequence[Prediction]
    warnings: Sequence[Sequence[RowWarning]]
    explanations: Sequence[Sequence["Explanation"]] = ()


class ServedModel:
    """A model package that is served.

    Parameters
    ----------
    predictor : Predictor
        Its golden rows are replayed once, here: a model that does not match scikit-learn's
        predictions on this machine scores nothing.
    role : {"champion", "challenger"}
        Role of the model in this service.
    """

    def __init__(self, predictor: Predictor, role: Role = "champion") -> None:
        manifest = predictor.package.manifest
        self.predictor, self.name, self.id = predictor, manifest.name, manifest.id
        self.role: Role = role
        self.signature: Signature = predictor.package.signature
        self.version = self.id[:12]
        self.mismatch: GoldenMismatch | None = predictor.replay()
        self._warner = RowWarner(self.signature)
        self._seen = 0.0  # seconds of an explained row, in the last request that tells

    @cached_property
    def cell_parsers(self) -> Mapping[str, Callable[[Cell], object]]:
        """The functions from a cell of CSV to a value, by feature."""
        return self.signature.cell_parsers

    @property
    def explains(self) -> bool:
        """Whether it explains its scores."""
        return self.predictor.explains

    def explained_in(self, seconds: float) -> int:
        """Return about how many rows it explains in so many seconds, on this machine.

        A row takes what was measured at first, or what the last request took if that was longer. A
        row that would fit by the first measure is always tried: else one slow moment would last.
        """
        measured = self.predictor.explainer.seconds
        fit = int(seconds / max(measured, self._seen))
        return fit or min(1, int(seconds / measured))

    def _explain(self, X: FloatMatrix, deadline: float) -> Sequence[Sequence["Explanation"]]:
        """Explain rows, and note how long one took."""
        start, done = perf_counter(), len(X)
        try:
            return self.predictor.explain(X, deadline)
        except OutOfTime as over:
            done = over.done + 1  # the last one in part
            raise
        finally:
            seconds = perf_counter() - start
            own = seconds / max(1, done)
            self._seen = own if seconds >= _TELLING else min(self._seen, own)

    def predict(self, request: PredictionRequest) -> PredictionResponse:
        """Score the rows; raises `RowsInvalid` where one does not fit the signature."""
        X = self.predictor.encode(request.rows)
        scores = self.predictor.run(X)
        predictions = to_predictions(self.signature.target, scores)
        explanations = self._explain(X, request.deadline) if request.explain else ()
        warnings = self._warner.check(X, request.coerced)
        return PredictionResponse(self, X, scores, predictions, warnings, explanations)

    def score_shared(self, X: FloatMatrix) -> FloatMatrix | None:
        """Score rows, [N, K], as the champion encodes them: [N, C] in its order.

        None for a challenger that reads them in another way.
        """
        return self.predictor.run(X)
