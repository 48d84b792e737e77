"""The modes of a challenger: it answers a stable share of the callers, or scores rows again.

A split assigns callers to models by an identity that stays the same over requests, sessions and
tokens. It is never written to a log. A shadow logs the differences of the scores.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from functions.predict.challengers.model import Challenger
from functions.predict.model import PredictionRequest, PredictionResponse, ServedModel
from functions.predict.observe import metrics
from functions.predict.observe.capture import pack_lines, to_json
from functions.predict.observe.sampling import is_sampled
from sklambda.arrays import FloatMatrix
from sklambda.codec.codec import Row
from sklambda.decision import Prediction
from sklambda.errors import OutOfTime, RowsInvalid
from sklambda.telemetry import Log, Write, describe_exception

if TYPE_CHECKING:
    from functions.predict.observe.disclosure import Disclosure

SPLIT_KEY: Final = "x-split-key"
"""The header in which a caller gives a stable key of its own, for example of its end user."""

type Members = Mapping[str, Any]

_FAILED: Final = "challenger failed"
_PURPOSE: Final = "challenger"
_OIDC_SUBJECT: Final = "x-amzn-oidc-identity"
_ASSUMED_ROLE: Final = ":assumed-role/"


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
        identity = identify(caller.headers, caller.context) or caller.request_id
        if not is_sampled(identity, self.share, _PURPOSE):
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
            self.log.error(_FAILED, extra=context)
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
            self.log.error(_FAILED, extra=context)

    def _compare(self, request: PredictionRequest, response: PredictionResponse) -> None:
        ids = list(map(request.caller.prediction_id, range(len(request.rows))))
        sampled = [k for k, name in enumerate(ids) if is_sampled(name, self.share, _PURPOSE)]
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


def identify(headers: Mapping[str, str], context: Members) -> str | None:
    """Return the stable identity of a caller; None for an anonymous one.

    The first of these that a request has: the caller's own key in ``X-Split-Key``; the subject of a
    token; the user of an identity pool; the API key; the principal of a Lambda authorizer; the IAM
    user, or the role without its session; the subject of a client certificate.

    Parameters
    ----------
    headers : mapping of str to str
        Headers by lower-case name.
    context : mapping of str to object
        The request context of the event: of a REST API, an HTTP API (payload 1.0 and 2.0), a
        Function URL, an Application Load Balancer or VPC Lattice; empty outside of Lambda.
    """
    return next(filter(None, _identities(headers, context)), None)


def _identities(headers: Members, context: Members) -> Iterator[str | None]:
    identity, authorizer = _members(context, "identity"), _members(context, "authorizer")
    of_lambda, iam = _members(authorizer, "lambda"), _members(authorizer, "iam")
    yield _text(headers, SPLIT_KEY)
    # A REST API has the claims of Cognito, an HTTP API those of a JWT (payload 1.0, 2.0); a Lambda
    # authorizer hands on what it likes, at the top (REST API) or below "lambda" (HTTP API).
    jwt = _members(_members(authorizer, "jwt"), "claims")
    for claims in (_members(authorizer, "claims"), jwt, of_lambda, authorizer):
        yield _text(claims, "sub")
    if "elb" in context:  # anybody else could send this header
        yield _text(headers, _OIDC_SUBJECT)
    # All users of an identity pool share one role.
    yield _text(identity, "cognitoIdentityId")
    yield _text(_members(iam, "cognitoIdentity"), "identityId")
    yield _text(identity, "apiKeyId")
    yield _text(authorizer, "principalId")
    yield _text(of_lambda, "principalId")
    for arn in (_text(identity, "userArn"), _text(iam, "userArn"), _text(identity, "principal")):
        yield arn and _without_session(arn)
    for caller in (_text(identity, "caller"), _text(iam, "callerId")):
        yield caller and caller.partition(":")[0]  # the id of a role, then its session
    for part in (identity, _members(context, "authentication")):
        yield _text(_members(part, "clientCert"), "subjectDN")


def _without_session(arn: str) -> str:
    """Return the ARN of a role without the name of its session, which each process chooses."""
    head, role, rest = arn.partition(_ASSUMED_ROLE)
    return f"{head}{role}{rest.partition('/')[0]}"


def _members(parent: Members, name: str) -> Members:
    """Return an object of an event; an empty one for null and for anything else."""
    found = parent.get(name)
    return found if isinstance(found, Mapping) else {}


def _text(parent: Members, name: str) -> str | None:
    found = parent.get(name)
    if isinstance(found, str):
        return found.strip() or None
    return str(found) if isinstance(found, int) else None
