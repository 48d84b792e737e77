"""The authorizer accepts valid tokens of the issuer, and refuses all others."""

import json
import re
import time
from collections.abc import Callable
from random import Random
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from functions.authorize.settings import Settings
from functions.authorize.tokens import TokenRefused, TokenVerifier, from_event, policy, principal
from tests.conftest import REPOSITORY

TEMPLATE = REPOSITORY / "template.yaml"
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


def forged(header: dict[str, Any] | str, payload: dict[str, Any] | str) -> str:
    """Return a token with any header and payload, signed by the issuer's key."""
    parts = [each if isinstance(each, str) else json.dumps(each) for each in (header, payload)]
    signed = b".".join(jwt.utils.base64url_encode(part.encode()) for part in parts)
    signature = RSAAlgorithm(RSAAlgorithm.SHA256).sign(signed, RSA)
    return f"{signed.decode()}.{jwt.utils.base64url_encode(signature).decode()}"


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


HEADER = {"alg": "RS256", "kid": "rsa"}


@pytest.mark.parametrize(
    "token",
    [
        lambda: forged({**HEADER, "crit": ["exp"]}, claims()),
        lambda: forged({**HEADER, "crit": ["b64"], "b64": False}, claims()),
        lambda: forged({**HEADER, "alg": ["RS256"]}, claims()),
        lambda: forged({**HEADER, "alg": None}, claims()),
        lambda: forged({"alg": "RS256"}, claims()),
        lambda: forged({**HEADER, "kid": ["rsa"]}, claims()),
        lambda: forged({**HEADER, "kid": {"a": 1}}, claims()),
        lambda: forged({**HEADER, "kid": 7}, claims()),
        lambda: forged({**HEADER, "kid": "ec"}, claims()),
        lambda: forged({**HEADER, "jwk": {"kty": "oct", "k": "AA"}, "kid": "else"}, claims()),
        lambda: forged("[" * 3000, claims()),
        lambda: forged(HEADER, "[" * 3000),
        lambda: forged(HEADER, "[]"),
        lambda: forged(HEADER, claims(exp="tomorrow")),
        lambda: forged(HEADER, json.dumps(claims()).replace('"exp": ', '"exp": 1e999, "x": ')),
        lambda: forged(HEADER, json.dumps(claims()).replace('"exp": ', '"exp": NaN, "x": ')),
        lambda: forged(HEADER, claims(exp=[1])),
        lambda: forged(HEADER, claims(exp={"a": 1})),
        lambda: forged(HEADER, claims(nbf="x")),
        lambda: forged(HEADER, claims(iss=[ISSUER])),
        lambda: forged(HEADER, claims(iss={"a": ISSUER})),
        lambda: forged(HEADER, claims(aud={AUDIENCE: 1})),
        lambda: forged(HEADER, claims(aud=7)),
        lambda: forged(HEADER, claims(aud=[[AUDIENCE]])),
        lambda: forged(HEADER, claims(aud=AUDIENCE.upper())),
        lambda: forged(HEADER, claims(sub=7)),
        lambda: forged(HEADER, claims(sub="")),
        lambda: forged(HEADER, claims(sub=["ada"])),
        lambda: forged(HEADER, claims(filler="x" * 20_000)),
        lambda: "\ud800.a.b",
        lambda: "é.ü.ñ",
        lambda: signed() + ".",
        lambda: "." + signed(),
        lambda: signed().replace(".", "..", 1),
    ],
)
def test_whatever_a_token_holds_it_is_accepted_or_refused(
    verifier: TokenVerifier, token: Callable[[], str]
) -> None:
    with pytest.raises(TokenRefused):
        verifier.subject(token())


@pytest.mark.parametrize("seed", range(20))
def test_a_token_with_a_changed_character_is_refused(verifier: TokenVerifier, seed: int) -> None:
    token = signed()
    place = Random(seed).randrange(len(token) - 1)  # the last one has bits that are not read
    changed = "A" if token[place] != "A" else "B"

    with pytest.raises(TokenRefused):
        verifier.subject(token[:place] + changed + token[place + 1 :])


SUBJECTS = [
    "ada",
    "auth0|5f7c8ec7c33c6c004bbafe82",
    "ada@example.org",
    "spiffe://example.org/ns/default",
    'a", "status": "200',
    "a\\",
    "a\nb",
    "a\r\nb\x00\x1b[31m\x7f",
    "a\u2028b",
    "Zoë",
    "$context.requestId",
    "100%",
    "%22",
    '"',
    "\ud800",
    "x" * 10_000,
    "x" * 9_999 + "y",
    "é" * 10_000,
    "%sha256-" + "0" * 64,
]


def test_a_subject_cannot_leave_its_place_in_the_access_log() -> None:
    [format_] = re.findall(r"Format: >-\n((?: {10}.*\n)+)", TEMPLATE.read_text())
    for subject in SUBJECTS:
        caller = policy(subject, "arn:aws:execute-api:eu-central-1:1:api/v1/GET/")["principalId"]
        line = format_.replace("$context.authorizer.principalId", caller)

        assert json.loads(line)["principal"] == caller
        assert json.loads(line)["status"] == "$context.status"
        assert caller.isascii()
        assert 0 < len(caller) <= 256


def test_subjects_are_told_apart_and_usual_ones_stay_as_they_are() -> None:
    assert len(set(map(principal, SUBJECTS))) == len(SUBJECTS)
    assert list(map(principal, SUBJECTS[:4])) == SUBJECTS[:4]


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
        *[
            ({"JWT_ISSUER": issuer, "JWT_AUDIENCE": "a"}, "JWT_ISSUER must be the https:// address")
            for issuer in (
                "http://issuer.example",
                "issuer.example",
                "https://",
                "https:///pool",
                "https://issuer.example/?a=b",
                "https://issuer.example/#a",
                "https://issuer.example:port",
                "https://issuer.example:99999",
                "https://ada:secret@issuer.example",
                "https://issuer example",
                "https://issuer.example/pool ",
                "https://issuer.example/pool\n",
                "https://[issuer",
                "https://issuer.example/.well-known/openid-configuration",
            )
        ],
        ({"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": " "}, "JWT_AUDIENCE"),
        ({"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": "a "}, "JWT_AUDIENCE"),
        ({"JWT_ISSUER": ISSUER}, "JWT_AUDIENCE"),
    ],
)
def test_an_authorizer_without_its_settings_does_not_start(
    environment: dict[str, str], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        Settings.from_environment(environment)


@pytest.mark.parametrize(
    "issuer",
    [
        "https://issuer.example",
        "https://issuer.example/",
        "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_a1B2c3",
        "https://issuer.example:8443/realms/a%20b",
        "https://[::1]:8443",
    ],
)
def test_an_issuers_address_is_used_as_it_is(issuer: str) -> None:
    settings = Settings.from_environment({"JWT_ISSUER": issuer, "JWT_AUDIENCE": AUDIENCE})

    assert (settings.jwt_issuer, settings.jwt_audience) == (issuer, AUDIENCE)
