"""The deployed API: the same numbers as scikit-learn, and closed to callers without a key."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Train, Trained
from tests.stack.conftest import StackFactory
from tests.stack.deployment import Stack
from tests.support.predict_bodies import instances, probabilities

pytestmark = pytest.mark.stack


def test_deployed_api_gives_scikit_learns_own_probabilities(stack: Stack, churn: Trained) -> None:
    rows = churn.frame.head(100)

    status, body = stack.request("/predict", {"instances": instances(rows)}, key=stack.api_key)

    assert status == 200, body
    expected = churn.pipeline.predict_proba(rows)
    assert np.abs(probabilities(body, churn.pipeline.classes_) - expected).max() <= 1e-9


def test_real_customers_get_scikit_learns_own_probabilities_from_either_model(
    model: str, telco: Path, trained: Train, stack_factory: StackFactory
) -> None:
    real = trained(model, telco)
    rows = real.frame.sample(500, random_state=1)
    stack = stack_factory(f"sklambda-{model.replace('_', '-')}", real.package)

    status, body = stack.request("/predict", {"instances": instances(rows)}, key=stack.api_key)

    assert status == 200, body
    expected = real.pipeline.predict_proba(rows)
    assert np.abs(probabilities(body, real.pipeline.classes_) - expected).max() <= 1e-9


def test_a_fault_is_a_problem_in_plain_text(stack: Stack) -> None:
    status, body = stack.request("/predict", {"instances": [{}]}, key=stack.api_key)

    assert (status, body["type"]) == (422, "urn:sklambda:problem:rows-invalid")


def test_deployed_function_is_ready(stack: Stack) -> None:
    status, body = stack.request("/health/ready", key=stack.api_key)

    assert status == 200, body


@pytest.mark.parametrize("key", [None, "not-a-key"])
def test_request_without_a_valid_key_is_refused(stack: Stack, key: str | None) -> None:
    answer = stack.ask("/health/live", None, {"x-api-key": key} if key else {})

    assert (answer.status, answer.media_type) == (403, "application/problem+json")
    assert json.loads(answer.content)["type"] == "urn:sklambda:problem:api-key-invalid"


def test_key_has_a_usage_plan_for_the_deployed_stage(stack: Stack) -> None:
    gateway = stack.client("apigateway")

    plan = gateway.get_usage_plan(usagePlanId=stack.outputs["UsagePlanId"])
    keys = gateway.get_usage_plan_keys(usagePlanId=plan["id"])["items"]

    [stage] = plan["apiStages"]
    assert (stage["apiId"], stage["stage"]) == (stack.resource("Api"), "v1")
    assert [key["id"] for key in keys] == [stack.outputs["ApiKeyId"]]
    assert (plan["throttle"], plan["quota"]) == (
        {"rateLimit": 50, "burstLimit": 100},
        {"limit": 100_000, "period": "DAY"},
    )


def test_every_method_asks_for_a_key(stack: Stack) -> None:
    gateway, api = stack.client("apigateway"), stack.resource("Api")

    resources = gateway.get_resources(restApiId=api, embed=["methods"])["items"]

    methods = [
        gateway.get_method(restApiId=api, resourceId=resource["id"], httpMethod=method)
        for resource in resources
        for method in resource.get("resourceMethods", {})
    ]
    assert [method["apiKeyRequired"] for method in methods] == [True, True]


def test_function_may_write_logs_and_traces_and_nothing_else(stack: Stack) -> None:
    iam, role = stack.client("iam"), stack.resource("PredictRole")

    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    inline = iam.list_role_policies(RoleName=role)["PolicyNames"]

    assert {policy["PolicyName"] for policy in attached} == {
        "AWSLambdaBasicExecutionRole",
        "AWSXrayWriteOnlyAccess",
    }
    assert inline == []


def test_log_group_keeps_its_lines_for_30_days(stack: Stack) -> None:
    name = stack.outputs["PredictLog"]

    groups = stack.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]

    assert [(group["logGroupName"], group["retentionInDays"]) for group in groups] == [(name, 30)]
