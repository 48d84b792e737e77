"""The authorizer accepts valid tokens of the issuer, and refuses all others."""

import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from functions.authorize.settings import Settings
from functions.authorize.tokens import TokenRefused, TokenVerifier, from_event, policy

ISSUER = "https://issuer.example/pool"
AUDIENCE = "predictions"
KEYS_AT = "https://keys.example/jwks"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Issuer:
    """An issuer that counts the requests for its keys."""

    def __init__(self) -> None:
        self.requests = 0
        self.now = 0.0
        self.keys = [
            {**json.loads(RSAAlgorithm.to_jwk(RSA.public_key())), "kid": "rsa", "use": "sig"},
            {**json.loads(ECAlgorithm.to_jwk(EC.public_key())), "kid": "ec"},
            {"kty": "oct", "k": "c2VjcmV0", "kid": "oct"},
        ]

    def fetch(self, address: str) -> dict[str, Any]:
        if address == KEYS_AT:
            self.requests += 1
            return {"keys": self.keys}
        assert address == f"{ISSUER}/.well-known/openid-configuration"
        return {"issuer": ISSUER, "jwks_uri": KEYS_AT}


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def verifier(issuer: Issuer) -> TokenVerifier:
    return TokenVerifier(ISSUER, AUDIENCE, issuer.fetch, lambda: issuer.now)


def claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    whole = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": now + 300, "iat": now}
    return {name: value for name, value in (whole | changed).items() if value is not None}


def signed(key: Any = RSA, algorithm: str = "RS256", kid: str = "rsa", **changed: Any) -> str:
    return jwt.encode(claims(**changed), key, algorithm=algorithm, headers={"kid": kid})


def public_pem() -> bytes:
    return RSA.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@pytest.mark.parametrize(
    "token",
    [
        lambda: signed(),
        lambda: signed(EC, "ES256", "ec"),
        lambda: signed(aud=["else", AUDIENCE]),
        lambda: signed(aud=None, client_id=AUDIENCE),
    ],
    ids=["RS256", "ES256", "several audiences", "an access token of Cognito"],
)
def test_a_token_that_holds_gives_its_subject(
    verifier: TokenVerifier, token: Callable[[], str]
) -> None:
    assert verifier.subject(token()) == "ada"


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (lambda: signed(iss="https://else.example"), "InvalidIssuerError"),
        (lambda: signed(aud="else"), "InvalidAudience"),
        (lambda: signed(aud="else", client_id=AUDIENCE), "InvalidAudience"),
        (lambda: signed(aud=None), "InvalidAudience"),
        (lambda: signed(exp=int(time.time()) - 60), "ExpiredSignatureError"),
        (lambda: signed(nbf=int(time.time()) + 60), "ImmatureSignatureError"),
        (lambda: signed(exp=None), "MissingRequiredClaimError"),
        (lambda: signed(sub=None), "MissingRequiredClaimError"),
        (lambda: signed(OTHER_KEY), "InvalidSignatureError"),
        (lambda: signed(kid="unknown"), "UnknownKey"),
        (lambda: signed(RSA, "RS512"), "InvalidAlgorithmError"),
        (lambda: signed(b"c2VjcmV0" * 8, "HS256", "oct"), "UnknownKey"),
        (lambda: signed("", "none"), "InvalidAlgorithmError"),
        (lambda: signed()[:-4] + "AAAA", "InvalidSignatureError"),
        (lambda: "no.token.this", "DecodeError"),
        (lambda: "", "DecodeError"),
    ],
)
def test_an_invalid_token_is_refused_with_the_reason(
    verifier: TokenVerifier, token: Callable[[], str], reason: str
) -> None:
    with pytest.raises(TokenRefused) as refused:
        verifier.subject(token())

    assert str(refused.value) == reason


def test_a_public_key_is_no_secret_to_sign_with(verifier: TokenVerifier) -> None:
    _, payload, _ = signed().split(".")
    forged = jwt.utils.base64url_encode(b'{"alg":"HS256","kid":"rsa"}').decode()
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
        f"{forged}.{payload}".encode(), public_pem()
    )

    with pytest.raises(TokenRefused, match="InvalidAlgorithmError"):
        verifier.subject(f"{forged}.{payload}.{jwt.utils.base64url_encode(signature).decode()}")


def test_keys_are_looked_up_once(verifier: TokenVerifier, issuer: Issuer) -> None:
    for _ in range(3):
        verifier.subject(signed())

    assert issuer.requests == 1


def test_a_new_key_is_found_but_callers_do_not_set_the_pace(
    verifier: TokenVerifier, issuer: Issuer
) -> None:
    verifier.subject(signed())
    issuer.keys.append({**issuer.keys[0], "kid": "new"})
    with pytest.raises(TokenRefused, match="UnknownKey"):
        verifier.subject(signed(kid="new"))

    issuer.now += 60

    assert verifier.subject(signed(kid="new")) == "ada"
    assert issuer.requests == 2


def test_another_issuers_documents_are_refused() -> None:
    verifier = TokenVerifier(
        ISSUER, AUDIENCE, lambda _: {"issuer": "https://else.example"}, time.monotonic
    )

    with pytest.raises(TokenRefused, match="IssuerMismatch"):
        verifier.subject(signed())


@pytest.mark.parametrize(
    ("header", "token"), [("Bearer a.b.c", "a.b.c"), ("bearer a.b.c", "a.b.c"), ("Basic x", "")]
)
def test_the_token_follows_its_scheme(header: str, token: str) -> None:
    assert from_event({"authorizationToken": header}) == token


def test_a_caller_may_call_the_whole_stage_and_no_other() -> None:
    answer = policy("ada", "arn:aws:execute-api:eu-central-1:123456789012:api/v1/POST/predict")

    [statement] = answer["policyDocument"]["Statement"]
    assert answer["principalId"] == "ada"
    assert statement["Resource"] == "arn:aws:execute-api:eu-central-1:123456789012:api/v1/*"


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({}, "JWT_ISSUER"),
        ({"JWT_ISSUER": "http://issuer.example", "JWT_AUDIENCE": "a"}, "JWT_ISSUER"),
        ({"JWT_ISSUER": ISSUER}, "JWT_AUDIENCE"),
    ],
)
def test_an_authorizer_without_its_settings_does_not_start(
    environment: dict[str, str], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        Settings.from_environment(environment)
