"""A second model beside the one that is served: compared in the shadow, or answering a share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from functions.predict.model import Model, Question, Reply
from functions.predict.observe.capture import lines, record
from functions.predict.observe.sampling import chosen
from sklambda.errors import PackageRefused, RowsInvalid
from sklambda.predictor import Predictor
from sklambda.signature import Feature, Signature, Target
from sklambda.telemetry import Log, Write, anatomy

_FAILED: Final = "challenger failed"


def admitted(path: Path, champion: Model, log: Log) -> Model | None:
    """Open a challenger; None, and the reason in the log, where it cannot take the place.

    It must be whole, take the same rows, give the same kind of answer, and get scikit-learn's
    answers on its golden rows. What is wrong with it never keeps the champion from serving.
    """
    try:
        challenger = Model(Predictor.open(path), role="challenger")
    except PackageRefused as refused:
        log.error("challenger refused", extra={"reason": str(refused)})
        return None
    except Exception as error:
        log.error("challenger refused", extra=anatomy(error))
        return None
    reason = objection(champion, challenger)
    if reason is not None:
        log.error("challenger refused", extra={"challenger": challenger.id, "reason": reason})
        return None
    log.info("challenger admitted", extra={"challenger": challenger.id})
    return challenger


def objection(champion: Model, challenger: Model) -> str | None:
    """Tell why a model cannot stand in for the champion; None where it can."""
    if challenger.mismatch is not None:
        return f"the golden row {challenger.mismatch.name!r} does not get scikit-learn's answer"
    if _terms(champion.signature) != _terms(challenger.signature):
        return "its signature differs from the champion's"
    return None


def _terms(signature: Signature) -> object:
    """Give what clients rely on: not the ranges, the examples and the threshold of a training."""
    return (
        {feature.name: _admits(feature) for feature in signature.features},
        _answers(signature.target),
        signature.row_id,
    )


def _admits(feature: Feature) -> object:
    seen_in_training: dict[str, Any] = {"range": None, "example": None, "vocabulary": ()}
    known = None if feature.accepts_unseen else frozenset(feature.vocabulary)
    return feature.replace(**seen_in_training), known


def _answers(target: Target) -> object:
    parts = tuple(map(_answers, target.parts))
    return target.replace(threshold=None, parts=()), parts


@dataclass(frozen=True, slots=True)
class Split:
    """Answers a stable share of the callers with the challenger.

    Attributes
    ----------
    champion, challenger : Model
        The two models.
    share : float
        The share of the callers that the challenger answers: by the id of the key, and of the
        request where there is none.
    log : Log
        Where it is said that the challenger failed; the champion answers then.
    """

    champion: Model
    challenger: Model
    share: float
    log: Log

    def __call__(self, question: Question) -> Reply:
        """Answer; raises `RowsInvalid` where some row does not fit the signature."""
        caller = question.caller
        able = not question.explain or self.challenger.predictor.explains
        if not able or not chosen(caller.key_id or caller.request_id, self.share, "challenger"):
            return self.champion.reply(question)
        try:
            return self.challenger.reply(question)
        except RowsInvalid:
            raise
        except Exception as error:
            where = {"request_id": caller.request_id, **anatomy(error)}
            self.log.error(_FAILED, extra=where)
            return self.champion.reply(question)


@dataclass(frozen=True, slots=True)
class Shadow:
    """A listener that scores a share of the rows again and writes down how far the scores are off.

    Attributes
    ----------
    challenger : Model
        What scores again.
    share : float
        The share of the rows.
    log : Log
        Where it is said that the challenger failed.
    write : callable
        Writes a line.
    """

    challenger: Model
    share: float
    log: Log
    write: Write

    def __call__(self, question: Question, reply: Reply) -> None:
        """Compare; whatever goes wrong here is no concern of the answer."""
        try:
            self._compare(question, reply)
        except Exception as error:
            where = {"request_id": question.caller.request_id, **anatomy(error)}
            self.log.error(_FAILED, extra=where)

    def _compare(self, question: Question, reply: Reply) -> None:
        names = list(map(question.caller.prediction_id, range(len(question.rows))))
        places = [k for k, name in enumerate(names) if chosen(name, self.share, "challenger")]
        if not places:
            return
        rows = [question.rows[place] for place in places]
        other = self.challenger.reply(Question(rows, question.caller))
        with np.errstate(invalid="ignore"):
            differences = (other.scores - reply.scores[places]).tolist()
        heading = {
            "kind": "shadow",
            "request_id": question.caller.request_id,
            "champion": reply.model.id,
            "challenger": self.challenger.id,
        }
        records = (
            record(
                {
                    "prediction_id": names[place],
                    "differences": difference,
                    "same_label": _labels(again) == _labels(reply.predictions[place]),
                }
            )
            for place, difference, again in zip(places, differences, other.predictions, strict=True)
        )
        for line in lines(heading, records):
            self.write(line)


def _labels(prediction: Any) -> object:
    targets = prediction.targets or {"": {"label": prediction.label}}
    return {name: members.get("label") for name, members in targets.items()}
