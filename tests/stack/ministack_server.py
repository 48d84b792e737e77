"""Starts ministack 1.5.33 with what it lacks; runs in .venv-emulator, configured by variables.

Each addition has its reason here and its test in ``test_emulator.py``. They reach into the
packages, so that the version is pinned and checked.
"""

import json
import os
import sys
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from typing import Any

import docker.models.containers as containers
from ministack import app
from ministack.services import apigateway_v1, iam, lambda_svc
from ministack.services.cloudformation import provisioners

from tests.stack.ministack_captures import (
    deliver_subscriptions_to_firehose,
    read_logs_to_their_end,
    unwrap_in_firehose,
)
from tests.stack.ministack_monitoring import (
    count_what_functions_log,
    name_the_time_in_what_schedules_send,
    tell_eventbridge_of_alarms,
)

VERSION = "1.5.33"
_MEGABYTES_PER_CPU = 1769
_LAMBDA_USER = "993:990"
_ANY_VERB = "x-amazon-apigateway-any-method"
_REFUSALS = "x-amazon-apigateway-gateway-responses"
_BINARY = "x-amazon-apigateway-binary-media-types"
_BUNDLE = "/etc/test-issuer.pem"


def hold_containers_to_lambdas_limits() -> None:
    """Give each container the memory, processor share and user that Lambda gives the function.

    Without it a function that outgrows its memory, or writes where it must not, passes here and
    fails in AWS.
    """
    create = containers.ContainerCollection.create

    def create_limited(self: Any, image: str, command: Any = None, **options: Any) -> Any:
        return create(self, image, command, **options | _limits(options.get("environment", {})))

    containers.ContainerCollection.create = create_limited


def _limits(environment: dict[str, str]) -> dict[str, Any]:
    megabytes = int(environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"])
    return {
        "mem_limit": f"{megabytes}m",
        "memswap_limit": f"{megabytes}m",
        "cpu_period": 100_000,
        "cpu_quota": 100_000 * megabytes // _MEGABYTES_PER_CPU,
        "user": _LAMBDA_USER,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
    }


def mount_code_from_this_machine() -> None:
    """Stop it from taking a machine for a container because a file /.dockerenv is there.

    It would copy the code instead of mounting it read-only, as Lambda does.
    """
    lambda_svc._running_in_container = lambda: False


def trust_the_tests_issuer() -> None:
    """Let the authorizer trust the certificate of an issuer that the tests serve.

    Lambda's image trusts public authorities alone, and no test is one.
    """
    create = containers.ContainerCollection.create

    def create_trusting(self: Any, image: str, command: Any = None, **options: Any) -> Any:
        certificate, environment = Path(os.environ["TRUSTED_CERTIFICATE"]), options["environment"]
        if certificate.exists() and "-Authorize-" in environment["AWS_LAMBDA_FUNCTION_NAME"]:
            environment["SSL_CERT_FILE"] = _BUNDLE
            mount = {str(certificate): {"bind": _BUNDLE, "mode": "ro"}}
            options["volumes"] = options.get("volumes", {}) | mount
        return create(self, image, command, **options)

    containers.ContainerCollection.create = create_trusting


def read_refusals() -> None:
    """Import the gateway's own answers from an API's OpenAPI body too; they are lost without it."""
    import_api = apigateway_v1._import_rest_api

    def import_with_refusals(spec: dict[str, Any], base: Any = None) -> str:
        api = str(import_api(spec, base))
        for kind, response in spec.get(_REFUSALS, {}).items():
            apigateway_v1._put_gateway_response(api, kind, response)
        return api

    apigateway_v1._import_rest_api = import_with_refusals


def pass_bytes_as_they_are() -> None:
    """Import the binary media types from an API's OpenAPI body too; they are lost without it.

    A request that names no media type counts as JSON, as API Gateway documents its default.
    """
    import_api, matches = apigateway_v1._import_rest_api, apigateway_v1._media_type_matches

    def import_with_binary_types(spec: dict[str, Any], base: Any = None) -> str:
        return str(import_api(spec, (base or {}) | {"binaryMediaTypes": spec.get(_BINARY, [])}))

    apigateway_v1._import_rest_api = import_with_binary_types
    apigateway_v1._media_type_matches = lambda media_type, binary: matches(
        media_type or "application/json", binary
    )


def attach_policies_to_roles() -> None:
    """Know AWS::IAM::RolePolicy, which the function's own policies in this template are."""

    def put(_: str, properties: dict[str, Any], *__: Any) -> tuple[str, dict[str, Any]]:
        names = {name: properties[name] for name in ("RoleName", "PolicyName")}
        document = json.dumps(properties["PolicyDocument"])
        status, _, answer = iam._put_role_policy(names | {"PolicyDocument": document})
        if status >= HTTPStatus.BAD_REQUEST:
            raise ValueError(f"AWS::IAM::RolePolicy: {answer!r}")
        return "|".join(names.values()), {}

    provisioners._RESOURCE_HANDLERS["AWS::IAM::RolePolicy"] = {
        "create": put,
        "update": lambda name, _, properties, *__: put(name, properties),
        "delete": lambda _, properties: iam._delete_role_policy(properties),
    }


def keep_dead_letter_queues() -> None:
    """Keep the queue that a function of the template has for what it could not do."""
    functions = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    create = functions["create"]

    def create_with_queue(logical_id: str, properties: dict[str, Any], *rest: Any) -> Any:
        made = create(logical_id, properties, *rest)
        if queue := properties.get("DeadLetterConfig"):
            lambda_svc._functions[made[0]]["config"]["DeadLetterConfig"] = queue
        return made

    functions["create"] = create_with_queue


def take_what_comes_as_encrypted() -> None:
    """Let a bucket that is closed to plain HTTP be used, for the emulator speaks nothing else."""
    pin = app.pin_request_origin
    app.pin_request_origin = lambda address, _: pin(address, True)


def read_methods_for_any_verb() -> None:
    """Import ANY methods from an API's OpenAPI body too; they are lost without it."""
    import_operation = apigateway_v1._import_operation

    def import_any_verb(api: str, resource: str, verb: str, *rest: Any) -> None:
        import_operation(api, resource, "ANY" if verb == _ANY_VERB.upper() else verb, *rest)

    apigateway_v1._OPENAPI_HTTP_METHODS.add(_ANY_VERB)
    apigateway_v1._import_operation = import_any_verb


if __name__ == "__main__":
    if version("ministack") != VERSION:
        sys.exit(f"The additions are for ministack {VERSION}, not {version('ministack')}.")
    hold_containers_to_lambdas_limits()
    mount_code_from_this_machine()
    trust_the_tests_issuer()
    attach_policies_to_roles()
    keep_dead_letter_queues()
    take_what_comes_as_encrypted()
    read_methods_for_any_verb()
    read_refusals()
    pass_bytes_as_they_are()
    read_logs_to_their_end()
    deliver_subscriptions_to_firehose()
    unwrap_in_firehose()
    name_the_time_in_what_schedules_send()
    tell_eventbridge_of_alarms()
    count_what_functions_log()
    sys.argv = ["ministack"]
    app.main()
