"""JSON Web Tokens of one issuer: from the event to the subject, and from there to a policy."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote

import jwt

from functions.authorize.errors import TokenRefused
from functions.authorize.keys import ALGORITHMS, Fetch, IssuerKeys

_LEEWAY: Final = 30
_MAX_TOKEN: Final = 16_384  # API Gateway's limit of all headers is 10,240 bytes
_MAX_PRINCIPAL: Final = 256
_PLAIN: Final = "|@:+=,;!*()/ "
"""Characters of subjects that need no escaping inside a string of JSON, besides letters, digits
and ``-_.~``."""


def from_event(event: Mapping[str, Any]) -> str:
    """Return the bearer token of a TOKEN authorizer's event; empty where there is none."""
    scheme, _, token = str(event.get("authorizationToken")).partition(" ")
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
        "principalId": principal(subject),
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    }


def principal(subject: str) -> str:
    """Return the id of a subject for API Gateway, which writes it into its log without escaping.

    Different subjects have different ids. Characters that could end a string of JSON, and those
    outside of ASCII, are percent-encoded; of a long subject the id is a digest.
    """
    encoded = quote(subject, safe=_PLAIN, errors="surrogatepass")
    if len(encoded) <= _MAX_PRINCIPAL:
        return encoded
    digest = sha256(subject.encode(errors="surrogatepass")).hexdigest()
    return f"%sha256-{digest}"  # no subject is encoded so: a % has two digits after it


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
        Monotonic seconds, for the time between two look-ups of the keys.
    """

    def __init__(
        self, issuer: str, audience: str, fetch: Fetch, clock: Callable[[], float]
    ) -> None:
        self._issuer, self._audience = issuer, audience
        self._keys = IssuerKeys(issuer, fetch, clock)

    def subject(self, token: str) -> str:
        """Return the claim ``sub`` of a valid token.

        Raises
        ------
        TokenRefused
            The token is of another issuer or audience, expired or damaged.
        """
        if len(token) > _MAX_TOKEN:
            raise TokenRefused("TokenTooLong")
        try:
            header = jwt.get_unverified_header(token)
            claims = jwt.decode(
                token,
                self._keys.find(header.get("kid"), header.get("alg")),
                algorithms=ALGORITHMS,
                issuer=self._issuer,
                leeway=_LEEWAY,
                # The audience is verified below, as it has two places.
                options={"require": ["exp", "iss", "sub"], "verify_aud": False},
            )
        # PyJWT's own, and those of times past any calendar and of surrogates in the text.
        except (jwt.PyJWTError, OverflowError, ValueError, TypeError) as error:
            raise TokenRefused(type(error).__name__) from None
        if self._audience not in _audiences(claims):
            raise TokenRefused("InvalidAudience")
        if not claims["sub"]:
            raise TokenRefused("InvalidSubjectError")
        return str(claims["sub"])


def _audiences(claims: dict[str, Any]) -> list[Any]:
    audiences = claims.get("aud", claims.get("client_id", []))
    return audiences if isinstance(audiences, list) else [audiences]
