"""The identity of a caller that stays the same over requests, sessions and tokens.

A split assigns callers to models by it. It is never written to a log.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

SPLIT_KEY: Final = "x-split-key"
"""The header in which a caller gives a stable key of its own, for example of its end user."""

type Members = Mapping[str, Any]

_OIDC_SUBJECT: Final = "x-amzn-oidc-identity"
_ASSUMED_ROLE: Final = ":assumed-role/"


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
