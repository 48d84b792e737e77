"""A split: the challenger answers a stable share of the callers."""

from dataclasses import dataclass
from math import inf
from time import perf_counter
from typing import Final

from functions.predict.challengers.model import Challenger
from functions.predict.model import PredictionRequest, PredictionResponse, ServedModel
from functions.predict.observe import metrics
from functions.predict.observe.sampling import is_sampled
from sklambda.errors import OutOfTime, RowsInvalid
from sklambda.telemetry import Log, describe_exception

FAILED: Final = "challenger failed"
PURPOSE: Final = "challenger"


@dataclass(frozen=True, slots=True)
class Split:
    """Serves a stable share of the callers with the challenger.

    A request of which the challenger refuses a row stays with the champion as a whole, since a
    response names one model.

    Attributes
    ----------
    champion : ServedModel
        Serves the others.
    challenger : Challenger
        Serves the share.
    share : float
        Share of the callers that the challenger serves: by their identity, or by the id of the
        request of an anonymous caller.
    log : Log
        Log of the challenger's failures; the champion then serves the request.
    """

    champion: ServedModel
    challenger: Challenger
    share: float
    log: Log

    def __call__(self, request: PredictionRequest) -> PredictionResponse:
        """Score the rows; raises `RowsInvalid` where one does not fit the champion's signature."""
        caller = request.caller
        if not is_sampled(caller.identity or caller.request_id, self.share, PURPOSE):
            return self.champion.predict(request)
        try:
            if not request.explain or self._explains(request):
                return self.challenger.predict(request)
        except RowsInvalid:
            pass
        except OutOfTime:
            raise  # there is no time for the champion either
        except Exception as error:
            metrics.count(metrics.CHALLENGER_FAILURES)
            context = {"request_id": caller.request_id, **describe_exception(error)}
            self.log.error(FAILED, extra=context)
            return self.champion.predict(request)
        return self._stay(request)

    def _explains(self, request: PredictionRequest) -> bool:
        """Return whether the challenger explains, and explains these rows in time."""
        left = request.deadline - perf_counter()
        rows = len(request.rows)
        return self.challenger.explains and (
            left == inf or self.challenger.explained_in(left) >= rows
        )

    def _stay(self, request: PredictionRequest) -> PredictionResponse:
        response = self.champion.predict(request)
        metrics.count(metrics.CHALLENGER_STAYED, len(response.predictions))
        return response
