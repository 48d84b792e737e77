"""JSON Web Tokens of one issuer: its keys, from the event to the subject, and to a policy."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

type Fetch = Callable[[str], dict[str, Any]]
"""Returns the JSON object at an address; raises `OSError` or `ValueError` where there is none."""

ALGORITHMS: Final = ("RS256", "ES256")
"""Signatures with a public key: a token cannot choose a shared secret, or none, instead."""

_REFRESH_SECONDS: Final = 60
_RSA_BITS: Final = range(2048, 16385)  # a shorter key is insecure, a longer one takes seconds
_CURVE: Final = "secp256r1"
_LEEWAY: Final = 30
_MAX_TOKEN: Final = 16_384  # API Gateway's limit of all headers is 10,240 bytes
_MAX_PRINCIPAL: Final = 256
_PLAIN: Final = "|@:+=,;!*()/ "
"""Characters of subjects that need no escaping inside a string of JSON, besides letters, digits
and ``-_.~``."""


class TokenRefused(Exception):
    """A token that is refused: API Gateway answers with 401. The message quotes nothing of it."""


class IssuerUnavailable(TokenRefused):
    """A token that cannot be checked: the issuer's keys were never read; answered with 500."""


class IssuerMismatch(ValueError):
    """A document that names another issuer."""


class IssuerKeys:
    """The keys of an issuer by their id, looked up at most once a minute.

    Parameters
    ----------
    issuer : str
        Address below which the keys are discovered.
    fetch : Fetch
        Returns the issuer's documents.
    clock : Callable
        Monotonic seconds, for the time between two look-ups.
    """

    def __init__(self, issuer: str, fetch: Fetch, clock: Callable[[], float]) -> None:
        self._issuer, self._fetch, self._clock = issuer, fetch, clock
        self._keys: Mapping[str, Mapping[str, jwt.PyJWK]] = {}
        self._refresh_time: float | None = None
        self._failure: str | None = "NotRead"  # until the keys were read once

    def find(self, key_id: object, algorithm: object) -> jwt.PyJWK:
        """Return the key with an id: of keys that share it, the one for the algorithm.

        Raises
        ------
        TokenRefused
            The issuer has no usable key with this id.
        IssuerUnavailable
            The keys were never read, and the last attempt failed.
        """
        if not isinstance(key_id, str):
            raise TokenRefused("UnknownKey")
        if key_id not in self._keys and self._may_refresh():
            self._refresh()
        if key_id not in self._keys:
            if self._failure is not None:
                raise IssuerUnavailable(f"IssuerUnavailable: {self._failure}")
            raise TokenRefused("UnknownKey")
        keys = self._keys[key_id]
        first = next(iter(keys.values()))
        return next((key for name, key in keys.items() if name == algorithm), first)

    def _may_refresh(self) -> bool:
        """Limit the requests to the issuer, whose rate callers could set otherwise."""
        last = self._refresh_time
        return last is None or self._clock() - last >= _REFRESH_SECONDS

    def _refresh(self) -> None:
        """Read the keys; those of before stay where the issuer does not return any."""
        self._refresh_time = self._clock()  # also of an attempt that fails: callers would repeat it
        try:
            self._keys, self._failure = usable(self._key_set()["keys"]), None
        # A document that is not the protocol's fails in as many ways as JSON has types.
        except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
            if self._failure is not None:
                self._failure = type(error).__name__

    def _key_set(self) -> dict[str, Any]:
        document = self._fetch(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if document["issuer"] != self._issuer:
            raise IssuerMismatch
        if not isinstance(address := document["jwks_uri"], str):
            raise TypeError("jwks_uri must be a text")
        return self._fetch(address)


def usable(keys: object) -> dict[str, dict[str, jwt.PyJWK]]:
    """Return the keys of a set that can check a signature, by id and algorithm.

    Any other key is skipped: of another use, type, curve or algorithm, too short, private, or
    unreadable. An issuer may have keys for purposes that are not ours.
    Raises `TypeError` where it is no list.
    """
    found: dict[str, dict[str, jwt.PyJWK]] = {}
    if not isinstance(keys, list):
        raise TypeError("keys must be a list")
    for document in keys:
        key = _read(document)
        if key is not None:
            found.setdefault(document["kid"], {}).setdefault(key.algorithm_name, key)
    return found


def _read(document: Any) -> jwt.PyJWK | None:
    if not isinstance(document, dict) or not isinstance(document.get("kid"), str):
        return None
    operations = document.get("key_ops", ["verify"])
    verifies = isinstance(operations, list) and "verify" in operations
    if document.get("use", "sig") != "sig" or not verifies or "d" in document:
        return None
    try:
        key = jwt.PyJWK(document)
    except Exception:  # the libraries' errors at an unreadable key have no common base
        return None
    return key if key.algorithm_name in ALGORITHMS and _is_strong(key.key) else None


def _is_strong(key: object) -> bool:
    if isinstance(key, RSAPublicKey):
        return key.key_size in _RSA_BITS
    return isinstance(key, EllipticCurvePublicKey) and key.curve.name == _CURVE


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
