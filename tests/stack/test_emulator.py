"""The emulator stands for AWS where the other tests rely on it."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.lambda_containers import docker
from tests.stack.deployment import Stack
from tests.stack.emulator import REGION, Emulator

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def container(stack: Stack) -> dict[str, Any]:
    """The container in which the deployed function has answered."""
    status, body = stack.request("/health/live", key=stack.api_key)
    assert status == 200, body
    running = docker("ps", "--quiet", "--filter", stack.emulator.containers).split()
    function = f"AWS_LAMBDA_FUNCTION_NAME={stack.outputs['PredictFunction']}"
    [description] = [
        container
        for container in json.loads(docker("inspect", *running))
        if function in container["Config"]["Env"]
    ]
    return dict(description)


def test_container_has_the_memory_and_processor_of_its_function(
    stack: Stack, container: dict[str, Any]
) -> None:
    configuration = stack.client("lambda").get_function_configuration(
        FunctionName=stack.outputs["PredictFunction"]
    )

    limits = container["HostConfig"]

    megabytes = configuration["MemorySize"]
    assert limits["Memory"] == limits["MemorySwap"] == megabytes * 2**20
    assert limits["CpuQuota"] / limits["CpuPeriod"] == pytest.approx(megabytes / 1769)


def test_container_runs_as_lambdas_user_without_privileges(container: dict[str, Any]) -> None:
    assert container["Config"]["User"] == "993:990"
    assert container["HostConfig"]["CapDrop"] == ["ALL"]


def test_code_is_mounted_and_read_only(container: dict[str, Any]) -> None:
    [mount] = container["Mounts"]

    assert (mount["Destination"], mount["RW"]) == ("/var/task", False)


def test_methods_for_any_verb_are_there(stack: Stack) -> None:
    resources = stack.client("apigateway").get_resources(
        restApiId=stack.resource("Api"), embed=["methods"]
    )["items"]

    methods = {
        resource["path"]: list(resource.get("resourceMethods", {})) for resource in resources
    }

    assert methods == {"/": ["ANY"], "/{proxy+}": ["ANY"]}


def test_policies_are_enforced(emulator: Emulator) -> None:
    iam = emulator.client("iam")
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    nobody = boto3.client(
        "s3",
        endpoint_url=emulator.endpoint,
        region_name=REGION,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )

    with pytest.raises(ClientError, match="AccessDenied"):
        nobody.list_buckets()
