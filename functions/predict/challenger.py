"""A challenger: a second model that is compared with the champion, or that serves some callers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from functions.predict.model import PredictionRequest, PredictionResponse, ServedModel
from functions.predict.observe.capture import pack_lines, to_json
from functions.predict.observe.sampling import is_sampled
from sklambda.errors import PackageRefused, RowsInvalid
from sklambda.predictor import Predictor
from sklambda.signature import Feature, Signature, Target
from sklambda.telemetry import Log, Write, describe_exception

_FAILED: Final = "challenger failed"
_PURPOSE: Final = "challenger"


def open_challenger(path: Path, champion: ServedModel, log: Log) -> ServedModel | None:
    """Open the challenger's package; None, with the reason in the log, where it is refused.

    The package must be intact, accept the same rows, return the same kind of prediction, and match
    scikit-learn's predictions on its golden rows. The champion serves in any case.
    """
    try:
        challenger = ServedModel(Predictor.open(path), role="challenger")
    except PackageRefused as refused:
        log.error("challenger refused", extra={"reason": str(refused)})
        return None
    except Exception as error:
        log.error("challenger refused", extra=describe_exception(error))
        return None
    reason = incompatibility(champion, challenger)
    if reason is not None:
        log.error("challenger refused", extra={"challenger": challenger.id, "reason": reason})
        return None
    log.info("challenger admitted", extra={"challenger": challenger.id})
    return challenger


def incompatibility(champion: ServedModel, challenger: ServedModel) -> str | None:
    """Return why a challenger cannot replace the champion; None where it can."""
    if challenger.mismatch is not None:
        name = challenger.mismatch.name
        return f"the golden row {name!r} does not match scikit-learn's prediction"
    if _contract(champion.signature) != _contract(challenger.signature):
        return "its signature differs from the champion's"
    return None


def _contract(signature: Signature) -> object:
    """Return what clients rely on: no ranges, examples or thresholds of a training."""
    return (
        {feature.name: _feature_contract(feature) for feature in signature.features},
        _target_contract(signature.target),
        signature.row_id,
    )


def _feature_contract(feature: Feature) -> object:
    of_training: dict[str, Any] = {"range": None, "example": None, "vocabulary": ()}
    categories = None if feature.accepts_unseen else frozenset(feature.vocabulary)
    return feature.replace(**of_training), categories


def _target_contract(target: Target) -> object:
    parts = tuple(map(_target_contract, target.parts))
    return target.replace(threshold=None, parts=()), parts


@dataclass(frozen=True, slots=True)
class Split:
    """Serves a stable share of the callers with the challenger.

    Attributes
    ----------
    champion, challenger : ServedModel
        The two models.
    share : float
        Share of the callers that the challenger serves: by their identity, or by the id of the
        request of an anonymous caller.
    log : Log
        Log of the challenger's failures; the champion then serves the request.
    """

    champion: ServedModel
    challenger: ServedModel
    share: float
    log: Log

    def __call__(self, request: PredictionRequest) -> PredictionResponse:
        """Score the rows; raises `RowsInvalid` where one does not fit the signature."""
        caller = request.caller
        able = not request.explain or self.challenger.predictor.explains
        if not able or not is_sampled(caller.identity or caller.request_id, self.share, _PURPOSE):
            return self.champion.predict(request)
        try:
            return self.challenger.predict(request)
        except RowsInvalid:
            raise
        except Exception as error:
            context = {"request_id": caller.request_id, **describe_exception(error)}
            self.log.error(_FAILED, extra=context)
            return self.champion.predict(request)


@dataclass(frozen=True, slots=True)
class Shadow:
    """A listener that scores a share of the rows again and logs the differences of the scores.

    Attributes
    ----------
    challenger : ServedModel
        The model that scores again.
    share : float
        Share of the rows.
    log : Log
        Log of the challenger's failures.
    write : callable
        Writes a line.
    """

    challenger: ServedModel
    share: float
    log: Log
    write: Write

    def __call__(self, request: PredictionRequest, response: PredictionResponse) -> None:
        """Compare the models; an error here never changes the response."""
        try:
            self._compare(request, response)
        except Exception as error:
            context = {"request_id": request.caller.request_id, **describe_exception(error)}
            self.log.error(_FAILED, extra=context)

    def _compare(self, request: PredictionRequest, response: PredictionResponse) -> None:
        ids = list(map(request.caller.prediction_id, range(len(request.rows))))
        sampled = [k for k, name in enumerate(ids) if is_sampled(name, self.share, _PURPOSE)]
        if not sampled:
            return
        rows = [request.rows[k] for k in sampled]
        other = self.challenger.predict(PredictionRequest(rows, request.caller))
        with np.errstate(invalid="ignore"):
            differences = (other.scores - response.scores[sampled]).tolist()
        heading = {
            "kind": "shadow",
            "request_id": request.caller.request_id,
            "champion": response.model.id,
            "challenger": self.challenger.id,
        }
        comparisons = (
            to_json(
                {
                    "prediction_id": ids[k],
                    "differences": difference,
                    "same_label": _labels(prediction) == _labels(response.predictions[k]),
                }
            )
            for k, difference, prediction in zip(
                sampled, differences, other.predictions, strict=True
            )
        )
        for line in pack_lines(heading, comparisons):
            self.write(line)


def _labels(prediction: Any) -> object:
    targets = prediction.targets or {"": {"label": prediction.label}}
    return {name: members.get("label") for name, members in targets.items()}
