"""Starts ministack 1.5.33 with what it lacks; runs in .venv-emulator, configured by variables.

Each addition has its reason here and its test in ``test_emulator.py``. They reach into the
packages, so that the version is pinned and checked.
"""

import sys
from importlib.metadata import version
from typing import Any

import docker.models.containers as containers
from ministack.app import main
from ministack.services import apigateway_v1, lambda_svc

VERSION = "1.5.33"
_MEGABYTES_PER_CPU = 1769
_LAMBDA_USER = "993:990"
_ANY_VERB = "x-amazon-apigateway-any-method"


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
    read_methods_for_any_verb()
    sys.argv = ["ministack"]
    main()
