"""Whether a challenger is admitted, and where that is said: log, ``/model``, readiness, metric."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from functions.predict.challengers.compatibility import compare
from functions.predict.challengers.model import Challenger
from functions.predict.model import ServedModel
from sklambda.errors import PackageRefused
from sklambda.predictor import Predictor
from sklambda.telemetry import Log, describe_exception

_MOST_LINES: Final = 20


@dataclass(frozen=True, slots=True)
class Admission:
    """A challenger that is admitted, or the reasons why it is not.

    Attributes
    ----------
    challenger : Challenger or None
        The challenger; None where it is refused.
    id : str or None
        The id of its package, if that can be read.
    refusals : tuple of str
        The reasons, by feature and member where it is the signature.
    narrower : tuple of str
        Which rows only the champion accepts, of an admitted challenger.
    """

    challenger: Challenger | None
    id: str | None
    refusals: tuple[str, ...] = ()
    narrower: tuple[str, ...] = ()

    @property
    def card(self) -> dict[str, Any]:
        """The members that ``/model`` and the details of readiness show."""
        if self.challenger is None:
            return {"status": "refused", "id": self.id, "reasons": _first(self.refusals)}
        narrower = {"narrower": _first(self.narrower)} if self.narrower else {}
        return {"status": "admitted", "id": self.id, "name": self.challenger.name, **narrower}


def admit(path: Path, champion: ServedModel, log: Log) -> Admission:
    """Open the challenger's package and compare it with the champion; the log has the outcome.

    The package must be intact, accept rows such as the champion was trained on, return the
    same members, and match scikit-learn's predictions on its golden rows. The champion serves in
    any case.
    """
    admission = _admit(path, champion, log)
    card = admission.card
    if admission.challenger is None:
        log.error(
            "challenger refused",
            extra={"challenger": admission.id, "reason": "; ".join(card["reasons"])},
        )
    else:
        log.info("challenger admitted", extra={"challenger": admission.id} | _narrower(card))
    return admission


def _admit(path: Path, champion: ServedModel, log: Log) -> Admission:
    try:
        predictor = Predictor.open(path)
    except PackageRefused as refused:
        return Admission(None, None, (str(refused).replace(str(path), "the package"),))
    except Exception as error:
        return _failed(None, error, log)
    name = predictor.package.manifest.id
    try:
        return admission(predictor, champion)
    except Exception as error:
        return _failed(name, error, log)


def admission(predictor: Predictor, champion: ServedModel) -> Admission:
    """Return whether an open package can answer for the champion."""
    package = predictor.package
    comparison = compare(champion.signature, package.signature)
    if comparison.refusals:
        return Admission(None, package.manifest.id, comparison.refusals)
    challenger = Challenger(predictor, champion)
    if challenger.mismatch is not None:
        row = challenger.mismatch.name
        reason = f"golden row {row!r}: it does not match scikit-learn's prediction"
        return Admission(None, challenger.id, (reason,))
    return Admission(challenger, challenger.id, narrower=comparison.narrower)


def _failed(name: str | None, error: Exception, log: Log) -> Admission:
    """Return the refusal of a package that raises; the log has the place of the error."""
    described = describe_exception(error)
    log.error("challenger failed to open", extra=described)
    return Admission(None, name, (f"the package cannot be opened: {described['error']}",))


def _narrower(card: dict[str, Any]) -> dict[str, Any]:
    return {"narrower": "; ".join(card["narrower"])} if "narrower" in card else {}


def _first(lines: Sequence[str]) -> list[str]:
    more = [f"and {len(lines) - _MOST_LINES} more"] if len(lines) > _MOST_LINES else []
    return [*lines[:_MOST_LINES], *more]
