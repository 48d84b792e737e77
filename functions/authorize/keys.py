"""The public keys of an OpenID Connect issuer: looked up, selected and cached."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from functions.authorize.errors import IssuerUnavailable, TokenRefused

type Fetch = Callable[[str], dict[str, Any]]
"""Returns the JSON object at an address; raises `OSError` or `ValueError` where there is none."""

ALGORITHMS: Final = ("RS256", "ES256")
"""Signatures with a public key: a token cannot choose a shared secret, or none, instead."""

_REFRESH_SECONDS: Final = 60
_RSA_BITS: Final = range(2048, 16385)  # a shorter key is insecure, a longer one takes seconds
_CURVE: Final = "secp256r1"


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
