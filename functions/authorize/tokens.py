"""JSON Web Tokens of one issuer: from the event to the subject, and from there to a policy."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import jwt

type Fetch = Callable[[str], dict[str, Any]]
"""Returns the JSON object at an address."""

ALGORITHMS: Final = ("RS256", "ES256")
"""Signatures with a public key: a token cannot choose a shared secret, or none, instead."""

_LEEWAY: Final = 30
_REFRESH_SECONDS: Final = 60


class TokenRefused(Exception):
    """A token that is refused; the message names the reason and quotes nothing of the token."""


def from_event(event: Mapping[str, Any]) -> str:
    """Return the bearer token of a TOKEN authorizer's event; empty where there is none."""
    scheme, _, token = str(event["authorizationToken"]).partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def policy(subject: str, method_arn: str) -> dict[str, Any]:
    """Return a policy that allows the whole stage, as API Gateway caches it for all methods."""
    api_and_stage = "/".join(method_arn.split("/")[:2])
    statement = {
        "Action": "execute-api:Invoke",
        "Effect": "Allow",
        "Resource": f"{api_and_stage}/*",
    }
    return {
        "principalId": subject,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    }


class TokenVerifier:
    """Verifies the tokens of one OpenID Connect issuer, whose keys it caches.

    Parameters
    ----------
    issuer : str
        Required value of the claim ``iss``; the keys are discovered below this address.
    audience : str
        Required value in ``aud``, or in ``client_id`` without an ``aud``: Cognito's access tokens.
    fetch : Fetch
        Returns the issuer's documents.
    clock : Callable
        Monotonic seconds, for the time between two refreshes of the keys.
    """

    def __init__(
        self, issuer: str, audience: str, fetch: Fetch, clock: Callable[[], float]
    ) -> None:
        self._issuer, self._audience, self._fetch, self._clock = issuer, audience, fetch, clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._refresh_time: float | None = None

    def subject(self, token: str) -> str:
        """Return the claim ``sub`` of a valid token.

        Raises
        ------
        TokenRefused
            The token is of another issuer or audience, expired or damaged.
        """
        try:
            claims = jwt.decode(
                token,
                self._key(token),
                algorithms=ALGORITHMS,
                issuer=self._issuer,
                leeway=_LEEWAY,
                # The audience is verified below, as it has two places.
                options={"require": ["exp", "iss", "sub"], "verify_aud": False},
            )
        except jwt.PyJWTError as error:
            raise TokenRefused(type(error).__name__) from None
        if self._audience not in _audiences(claims):
            raise TokenRefused("InvalidAudience")
        return str(claims["sub"])

    def _key(self, token: str) -> jwt.PyJWK:
        header = jwt.get_unverified_header(token)
        key_id = str(header.get("kid"))
        if key_id not in self._keys and self._may_refresh():
            self._refresh()
        if key_id not in self._keys:
            raise TokenRefused("UnknownKey")
        return self._keys[key_id]

    def _may_refresh(self) -> bool:
        """Limit the requests to the issuer, whose rate callers could set otherwise."""
        last = self._refresh_time
        return last is None or self._clock() - last >= _REFRESH_SECONDS

    def _refresh(self) -> None:
        document = self._fetch(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if document.get("issuer") != self._issuer:
            raise TokenRefused("IssuerMismatch")
        keys = self._fetch(str(document["jwks_uri"]))["keys"]
        usable = [key for key in keys if key.get("use", "sig") == "sig" and "kid" in key]
        self._keys = {key["kid"]: jwt.PyJWK(key) for key in usable if key["kty"] in ("RSA", "EC")}
        self._refresh_time = self._clock()


def _audiences(claims: dict[str, Any]) -> list[str]:
    audiences = claims.get("aud", claims.get("client_id", []))
    return [audiences] if isinstance(audiences, str) else list(audiences)
