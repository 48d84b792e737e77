"""A shadow: the challenger scores a share of the rows again, and the differences are logged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from functions.predict.challengers.model import Challenger
from functions.predict.challengers.split import FAILED, PURPOSE
from functions.predict.model import PredictionRequest, PredictionResponse
from functions.predict.observe import metrics
from functions.predict.observe.capture import pack_lines, to_json
from functions.predict.observe.sampling import is_sampled
from sklambda.arrays import FloatMatrix
from sklambda.codec.codec import Row
from sklambda.decision import Prediction
from sklambda.errors import RowsInvalid
from sklambda.telemetry import Log, Write, describe_exception

if TYPE_CHECKING:
    from functions.predict.observe.disclosure import Disclosure


@dataclass(frozen=True, slots=True)
class Shadow:
    """A listener that scores a share of the rows again and logs the differences of the scores.

    Attributes
    ----------
    challenger : Challenger
        The model that scores again.
    share : float
        Share of the rows.
    log : Log
        Log of the challenger's failures.
    write : callable
        Writes a line.
    disclosure : Disclosure or None
        What captures tell of scores, where they do not tell all: no more is compared.
    """

    challenger: Challenger
    share: float
    log: Log
    write: Write
    disclosure: "Disclosure | None" = None

    def __call__(self, request: PredictionRequest, response: PredictionResponse) -> None:
        """Compare the models; an error here never changes the response."""
        try:
            self._compare(request, response)
        except Exception as error:
            metrics.count(metrics.CHALLENGER_FAILURES)
            context = {"request_id": request.caller.request_id, **describe_exception(error)}
            self.log.error(FAILED, extra=context)

    def _compare(self, request: PredictionRequest, response: PredictionResponse) -> None:
        ids = list(map(request.caller.prediction_id, range(len(request.rows))))
        sampled = [k for k, name in enumerate(ids) if is_sampled(name, self.share, PURPOSE)]
        if not sampled:
            return
        heading = {
            "kind": "shadow",
            "request_id": request.caller.request_id,
            "champion": response.model.id,
            "challenger": self.challenger.id,
        }
        comparisons = (
            to_json({"prediction_id": ids[k], **members})
            for k, members in self._comparisons(request.rows, response, sampled)
        )
        for line in pack_lines(heading, comparisons):
            self.write(line)

    def _comparisons(
        self, rows: Sequence[Row], response: PredictionResponse, sampled: list[int]
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the position of each row with its differences, or why it has none."""
        refused = self._refused([rows[k] for k in sampled])
        accepted = [k for place, k in enumerate(sampled) if place not in refused]
        metrics.count(metrics.CHALLENGER_STAYED, len(refused))
        for place, faults in refused.items():
            if self.disclosure is None or not self.disclosure.hides(faults):
                yield sampled[place], {"refused": faults}
        if not accepted:
            return
        scores, predictions = self.challenger.score(
            self.challenger.encode([rows[k] for k in accepted])
        )
        if self.disclosure is not None:
            response = self.disclosure.of(response, accepted)
            X, warnings = response.X[accepted], [()] * len(accepted)
            other = PredictionResponse(self.challenger, X, scores, predictions, warnings)
            other = self.disclosure.of(other, range(len(accepted)))
            scores, predictions = other.scores, list(other.predictions)
        with np.errstate(invalid="ignore"):
            differences: FloatMatrix = scores - response.scores[accepted]
        for k, difference, prediction in zip(
            accepted, differences.tolist(), predictions, strict=True
        ):
            same = _labels(prediction) == _labels(response.predictions[k])
            yield k, {"differences": difference, "same_label": same}

    def _refused(self, rows: Sequence[Row]) -> dict[int, list[dict[str, str | None]]]:
        """Return the faults of the rows that the challenger refuses, by position."""
        faults: dict[int, list[dict[str, str | None]]] = {}
        try:
            self.challenger.encode(rows)
        except RowsInvalid as invalid:
            for fault in invalid.faults:
                members = {"feature": fault.feature, "code": fault.code.value}
                faults.setdefault(fault.row, []).append(members)
        return faults


def _labels(prediction: Prediction) -> object:
    targets = prediction.targets or {"": {"label": prediction.label}}
    return {name: members.get("label") for name, members in targets.items()}
