"""The issuer's keys: what cannot be used is skipped, and look-ups stay rare whatever happens."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from functions.authorize.tokens import IssuerKeys, IssuerUnavailable, TokenRefused, usable

ISSUER = "https://issuer.example"
KEYS_AT = "https://keys.example/jwks"


def rsa_key(bits: int = 2048, **members: Any) -> dict[str, Any]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return {**json.loads(RSAAlgorithm.to_jwk(key.public_key())), "kid": "bad", **members}


def ec_key(curve: ec.EllipticCurve, **members: Any) -> dict[str, Any]:
    key = ec.generate_private_key(curve)
    return {**json.loads(ECAlgorithm.to_jwk(key.public_key())), "kid": "bad", **members}


GOOD = rsa_key(kid="good")
EC = ec_key(ec.SECP256R1())
ED = json.loads(OKPAlgorithm.to_jwk(ed25519.Ed25519PrivateKey.generate().public_key()))
PRIVATE = json.loads(RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048)))


def without(key: dict[str, Any], member: str) -> dict[str, Any]:
    return {name: value for name, value in key.items() if name != member}


BAD: dict[str, Any] = {
    "null": None,
    "a text": "key",
    "a list": [],
    "an empty object": {},
    "no kid": without(GOOD, "kid"),
    "a kid that is a number": GOOD | {"kid": 7},
    "a kid that is a list": GOOD | {"kid": ["good"]},
    "no kty": without(GOOD, "kty") | {"kid": "bad"},
    "an unknown kty": GOOD | {"kid": "bad", "kty": "XYZ"},
    "a kty that is a list": GOOD | {"kid": "bad", "kty": ["RSA"]},
    "no n": without(GOOD, "n") | {"kid": "bad"},
    "no e": without(GOOD, "e") | {"kid": "bad"},
    "an n that is no base64": GOOD | {"kid": "bad", "n": "é*"},
    "an n that is null": GOOD | {"kid": "bad", "n": None},
    "an n that is a number": GOOD | {"kid": "bad", "n": 12},
    "an empty n": GOOD | {"kid": "bad", "n": ""},
    "an e of 1": GOOD | {"kid": "bad", "e": "AQ"},
    "an even e": GOOD | {"kid": "bad", "e": "Ag"},
    "1024 bits": rsa_key(1024),
    "40,000 bits": GOOD | {"kid": "bad", "n": "_" * 6667},
    "a private key": PRIVATE | {"kid": "bad"},
    "for encryption": GOOD | {"kid": "bad", "use": "enc"},
    "a use that is a list": GOOD | {"kid": "bad", "use": ["sig"]},
    "key_ops of encryption": GOOD | {"kid": "bad", "key_ops": ["encrypt"]},
    "key_ops that is null": GOOD | {"kid": "bad", "key_ops": None},
    "another algorithm": GOOD | {"kid": "bad", "alg": "RS512"},
    "an algorithm of encryption": GOOD | {"kid": "bad", "alg": "RSA-OAEP-256"},
    "an algorithm that is a list": GOOD | {"kid": "bad", "alg": ["RS256"]},
    "an algorithm of another type": EC | {"alg": "RS256"},
    "a shared secret": {"kty": "oct", "k": "c2VjcmV0", "kid": "bad", "alg": "HS256"},
    "P-384": ec_key(ec.SECP384R1()),
    "P-384 for ES256": ec_key(ec.SECP384R1(), alg="ES256"),
    "secp256k1": ec_key(ec.SECP256K1()),
    "an unknown curve": EC | {"crv": "BP-256"},
    "no curve": without(EC, "crv"),
    "no y": without(EC, "y"),
    "a point off the curve": EC | {"y": EC["x"]},
    "a short point": EC | {"x": "AA", "y": "AA"},
    "Ed25519": ED | {"kid": "bad"},
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)], ids=["first", "last"])
def test_a_key_that_cannot_be_used_is_skipped(bad: Any, order: slice) -> None:
    assert {kid: list(keys) for kid, keys in usable([bad, GOOD][order]).items()} == {
        "good": ["RS256"]
    }


def test_keys_of_two_types_may_share_an_id() -> None:
    issuer = Issuer([GOOD, EC | {"kid": "good"}])

    assert issuer.keys.find("good", "RS256").algorithm_name == "RS256"
    assert issuer.keys.find("good", "ES256").algorithm_name == "ES256"


class Issuer:
    """An issuer whose documents a test replaces, and whose requests it counts."""

    def __init__(self, keys: Any = None) -> None:
        self.requests, self.now = 0, 0.0
        self.configuration: Any = {"issuer": ISSUER, "jwks_uri": KEYS_AT}
        self.key_set: Any = {"keys": [GOOD] if keys is None else keys}
        self.error: Exception | None = None
        self.keys = IssuerKeys(ISSUER, self.fetch, lambda: self.now)

    def fetch(self, address: str) -> Any:
        self.requests += address != KEYS_AT
        if self.error is not None:
            raise self.error
        assert address.startswith("https://")  # raises, as the real one does, for what is no text
        return self.key_set if address == KEYS_AT else self.configuration


def down(issuer: Issuer) -> None:
    issuer.error = TimeoutError()


def without_keys(issuer: Issuer) -> None:
    issuer.key_set = {}


def with_keys_at(address: Any) -> Callable[[Issuer], None]:
    return lambda issuer: issuer.configuration.update(jwks_uri=address)


FAILURES: list[Callable[[Issuer], None]] = [
    down,
    without_keys,
    lambda issuer: setattr(issuer, "key_set", None),
    lambda issuer: setattr(issuer, "key_set", []),
    lambda issuer: setattr(issuer, "key_set", {"keys": None}),
    lambda issuer: setattr(issuer, "key_set", {"keys": {"a": GOOD}}),
    lambda issuer: setattr(issuer, "configuration", []),
    lambda issuer: setattr(issuer, "configuration", None),
    lambda issuer: setattr(issuer, "configuration", {"issuer": ISSUER}),
    lambda issuer: setattr(issuer, "configuration", {"issuer": "https://else.example"}),
    *map(with_keys_at, (5, None, [], {}, True)),
    lambda issuer: setattr(issuer, "error", ValueError()),
    lambda issuer: setattr(issuer, "error", RecursionError()),
]


@pytest.mark.parametrize("fail", FAILURES)
def test_an_issuer_that_fails_is_asked_once_a_minute(fail: Callable[[Issuer], None]) -> None:
    issuer = Issuer()
    fail(issuer)

    for second in range(300):
        issuer.now = float(second)
        with pytest.raises(IssuerUnavailable, match="IssuerUnavailable: "):
            issuer.keys.find("good", "RS256")

    assert issuer.requests == 5


def test_an_issuer_that_has_recovered_is_found_within_a_minute() -> None:
    issuer = Issuer()
    down(issuer)
    with pytest.raises(IssuerUnavailable):
        issuer.keys.find("good", "RS256")
    issuer.error, issuer.now = None, 60.0

    assert issuer.keys.find("good", "RS256").algorithm_name == "RS256"


@pytest.mark.parametrize("fail", FAILURES)
def test_known_keys_stay_while_the_issuer_fails(fail: Callable[[Issuer], None]) -> None:
    issuer = Issuer()
    issuer.keys.find("good", "RS256")
    fail(issuer)
    issuer.now = 60.0

    for _ in range(100):
        with pytest.raises(TokenRefused, match="UnknownKey"):
            issuer.keys.find("unknown", "RS256")
        assert issuer.keys.find("good", "RS256")

    assert issuer.requests == 2


@pytest.mark.parametrize("kid", [None, 7, ["good"], {"good": 1}, True])
def test_an_id_that_is_no_text_is_not_looked_up(kid: object) -> None:
    issuer = Issuer()

    with pytest.raises(TokenRefused, match="UnknownKey"):
        issuer.keys.find(kid, "RS256")

    assert issuer.requests == 0
