"""A caller has one identity over requests and sessions, whatever door the request came through."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.predict.challengers.modes import SPLIT_KEY, identify
from functions.predict.http.exchange import identify_caller
from functions.predict.observe.sampling import is_sampled

type Context = dict[str, Any]

ROLE = "arn:aws:sts::123456789012:assumed-role/Checkout"
SUBJECT = "8d0e2d5c-5f0f-4f4e-9c39-b3b6a5b7c0a1"

KINDS: dict[str, Callable[[str], Context]] = {
    "API key": lambda name: {"identity": {"apiKeyId": name}},
    "IAM user (REST API)": lambda name: {
        "identity": {"userArn": f"arn:aws:iam::1:user/{name}", "caller": "AIDAX", "apiKeyId": None}
    },
    "IAM role (REST API)": lambda name: {
        "identity": {"userArn": f"arn:aws:sts::1:assumed-role/{name}/s", "caller": f"AROA{name}:s"}
    },
    "IAM role (HTTP API, Function URL)": lambda name: {
        "authorizer": {"iam": {"userArn": f"arn:aws:sts::1:assumed-role/{name}/session"}}
    },
    "VPC Lattice": lambda name: {"identity": {"principal": f"arn:aws:iam::1:user/{name}"}},
    "identity pool (REST API)": lambda name: {
        "identity": {"cognitoIdentityId": name, "userArn": f"{ROLE}/CognitoIdentityCredentials"}
    },
    "identity pool (HTTP API)": lambda name: {
        "authorizer": {"iam": {"userArn": f"{ROLE}/s", "cognitoIdentity": {"identityId": name}}}
    },
    "Cognito (REST API)": lambda name: {"authorizer": {"claims": {"sub": name, "aud": "x"}}},
    "JWT (HTTP API 1.0)": lambda name: {"authorizer": {"claims": {"sub": name}, "scopes": None}},
    "JWT (HTTP API 2.0)": lambda name: {"authorizer": {"jwt": {"claims": {"sub": name}}}},
    "Lambda authorizer": lambda name: {
        "authorizer": {"principalId": name, "integrationLatency": 5}
    },
    "context of a Lambda authorizer": lambda name: {
        "authorizer": {"principalId": "user", "sub": name}
    },
    "Lambda authorizer (HTTP API 2.0)": lambda name: {"authorizer": {"lambda": {"sub": name}}},
    "client certificate": lambda name: {"identity": {"clientCert": {"subjectDN": f"CN={name}"}}},
    "client certificate (HTTP API)": lambda name: {
        "authentication": {"clientCert": {"subjectDN": f"CN={name}"}}
    },
}
NAMES: dict[str, Callable[[int], str]] = {
    "sequential": str,
    "padded": "customer-{:08d}".format,
    "e-mail": "person.{}@example.org".format,
    "ids": lambda k: f"{k * 0x9E3779B97F4A7C15 % 2**128:032x}",
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_caller_has_an_identity_of_its_own(kind: str) -> None:
    found = [identify({}, KINDS[kind](f"n{k}")) for k in range(50)]

    assert None not in found
    assert len(set(found)) == 50


@pytest.mark.parametrize("kind", KINDS)
def test_an_identity_is_the_same_in_each_request(kind: str) -> None:
    callers = [identify_caller({}, KINDS[kind]("n") | {"requestId": f"r{k}"}) for k in range(3)]

    assert len({identify(caller.headers, caller.context) for caller in callers}) == 1


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_the_sessions_of_a_role_are_one_caller(partition: str) -> None:
    role = f"arn:{partition}:sts::123456789012:assumed-role/Checkout"
    sessions = ["botocore-session-1", "i-0abc", "person@example.org", ""]

    rest = {identify({}, {"identity": {"userArn": f"{role}/{name}"}}) for name in sessions}
    url = {
        identify({}, {"authorizer": {"iam": {"userArn": f"{role}/{name}"}}}) for name in sessions
    }
    ids = {identify({}, {"identity": {"caller": f"AROAX:{name}"}}) for name in sessions}

    assert rest == url == {role}
    assert ids == {"AROAX"}


def test_a_callers_own_key_comes_first() -> None:
    context = {"identity": {"apiKeyId": "k"}, "authorizer": {"claims": {"sub": SUBJECT}}}

    assert identify({SPLIT_KEY: " end-user-7 "}, context) == "end-user-7"
    assert identify({SPLIT_KEY: " "}, context) == SUBJECT


def test_a_person_comes_before_the_key_of_the_application() -> None:
    key, authorizer = {"apiKeyId": "k"}, {"principalId": "user"}

    assert identify({}, {"identity": key, "authorizer": {"claims": {"sub": "s"}}}) == "s"
    assert identify({}, {"identity": key, "authorizer": authorizer}) == "k"


def test_only_a_load_balancer_is_believed_its_header() -> None:
    headers = {"x-amzn-oidc-identity": SUBJECT}

    assert identify(headers, {"elb": {"targetGroupArn": "arn"}}) == SUBJECT
    assert identify(headers, {}) is None


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"identity": None, "authorizer": None},
        {"identity": {}, "authorizer": {}},
        {"identity": "x", "authorizer": ["y"], "authentication": 3},
        {"authorizer": {"claims": "sub=x", "jwt": {"claims": None}, "iam": [], "lambda": None}},
        {"identity": {"apiKeyId": "", "userArn": None, "caller": "", "clientCert": None}},
    ],
)
def test_without_an_identity_a_caller_is_anonymous(context: Context) -> None:
    assert identify({}, context) is None


@pytest.mark.parametrize("name", ["Zoë 東京", "\ud800", "x" * 100_000, "\0"])
def test_any_text_can_be_sampled(name: str) -> None:
    assert is_sampled(name, 0.5, "challenger") == is_sampled(name, 0.5, "challenger")


def share_of(found: list[str | None], share: float) -> float:
    return sum(is_sampled(str(name), share, "challenger") for name in found) / len(found)


# Of 2,000 fair draws of a half, 99.3 % are within 3 points.
@pytest.mark.parametrize("share", [0.0, 0.01, 0.05, 0.5, 1.0])
@pytest.mark.parametrize("kind", KINDS)
def test_the_share_of_two_thousand_callers_is_the_asked_one(kind: str, share: float) -> None:
    found = [identify({}, KINDS[kind](f"person.{k}@example.org")) for k in range(2000)]

    assert share_of(found, share) == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.05, 0.5, 1.0])
@pytest.mark.parametrize("names", NAMES)
def test_the_share_is_the_asked_one_whatever_keys_look_like(names: str, share: float) -> None:
    found = [identify({SPLIT_KEY: NAMES[names](k)}, {}) for k in range(2000)]

    assert share_of(found, share) == pytest.approx(share, abs=0.03)
