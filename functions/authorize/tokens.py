"""Whether a token is one that the issuer signed for this API; the issuer's keys are kept."""

from collections.abc import Callable
from typing import Any, Final

import jwt

type Fetch = Callable[[str], dict[str, Any]]
"""Gets the JSON object at an address."""

ALGORITHMS: Final = ("RS256", "ES256")
"""Signatures with a public key: a token cannot choose a secret, or none, instead."""

_LEEWAY: Final = 30
_SECONDS_BETWEEN_LOOKS: Final = 60


class TokenRefused(Exception):
    """A token that is not accepted; the message says why and quotes nothing of it."""


class Tokens:
    """Checks the tokens of one OpenID Connect issuer.

    Parameters
    ----------
    issuer : str
        What a token's ``iss`` must be; its keys are found below it.
    audience : str
        What ``aud`` must name, or ``client_id`` where it has none: Cognito's access tokens.
    fetch : Fetch
        Gets the issuer's documents.
    clock : Callable
        Seconds that pass; when the keys were last looked up.
    """

    def __init__(
        self, issuer: str, audience: str, fetch: Fetch, clock: Callable[[], float]
    ) -> None:
        self._issuer, self._audience, self._fetch, self._clock = issuer, audience, fetch, clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._looked_up: float | None = None

    def subject(self, token: str) -> str:
        """Give the claim ``sub`` of a token that holds.

        Raises
        ------
        TokenRefused
            It is none of the issuer's, not for this API, past its time or damaged.
        """
        try:
            claims = jwt.decode(
                token,
                self._key(token),
                algorithms=ALGORITHMS,
                issuer=self._issuer,
                leeway=_LEEWAY,
                # The audience is looked at below, for it has two places.
                options={"require": ["exp", "iss", "sub"], "verify_aud": False},
            )
        except jwt.PyJWTError as error:
            raise TokenRefused(type(error).__name__) from None
        if self._audience not in _audiences(claims):
            raise TokenRefused("InvalidAudience")
        return str(claims["sub"])

    def _key(self, token: str) -> jwt.PyJWK:
        header = jwt.get_unverified_header(token)
        name = str(header.get("kid"))
        if name not in self._keys and self._may_look():
            self._look_up()
        if name not in self._keys:
            raise TokenRefused("UnknownKey")
        return self._keys[name]

    def _may_look(self) -> bool:
        """Keep callers from making this function ask the issuer at their pace."""
        last = self._looked_up
        return last is None or self._clock() - last >= _SECONDS_BETWEEN_LOOKS

    def _look_up(self) -> None:
        about = self._fetch(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if about.get("issuer") != self._issuer:
            raise TokenRefused("IssuerMismatch")
        found = self._fetch(str(about["jwks_uri"]))["keys"]
        known = [key for key in found if key.get("use", "sig") == "sig" and "kid" in key]
        self._keys = {key["kid"]: jwt.PyJWK(key) for key in known if key["kty"] in ("RSA", "EC")}
        self._looked_up = self._clock()


def _audiences(claims: dict[str, Any]) -> list[str]:
    named = claims.get("aud", claims.get("client_id", []))
    return [named] if isinstance(named, str) else list(named)
