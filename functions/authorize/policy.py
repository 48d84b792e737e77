"""What API Gateway is told about a caller."""

from collections.abc import Mapping
from typing import Any


def token_of(event: Mapping[str, Any]) -> str:
    """Take the token out of the event of a TOKEN authorizer, with or without its scheme."""
    scheme, _, token = str(event["authorizationToken"]).partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def allow(subject: str, method_arn: str) -> dict[str, Any]:
    """Let `subject` call the whole stage: API Gateway keeps the answer for all its methods."""
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
