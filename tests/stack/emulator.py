"""The AWS emulator: started as a process of its own, spoken to over HTTP, gone afterwards."""

import contextlib
import ipaddress
import json
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.config import Config

from tests.support.background_process import free_port, running
from tests.support.evidence import wait_for
from tests.support.lambda_containers import (
    REPOSITORY,
    docker,
    remove_containers,
    tool,
    tool_environment,
)

REGION: Final = "us-east-1"

_START_SECONDS = 60
_SERVER = "tests.stack.ministack_server"


@dataclass(frozen=True)
class Emulator:
    """An emulator that answers.

    Attributes
    ----------
    endpoint : str
        Its address, for ``AWS_ENDPOINT_URL``.
    containers : str
        The filter by which Docker finds the containers that it started.
    trusted : Path
        A certificate that the authorizer trusts, if it is there when its container starts.
    """

    endpoint: str
    containers: str
    trusted: Path

    def client(self, service: str, credentials: Mapping[str, Any] | None = None) -> Any:
        """Make a client of one of its services, in the account that deploys or with a session."""
        if credentials is None:
            return _client(service, self.endpoint)
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
        return _client(service, self.endpoint, *(credentials[name] for name in names))

    def environment(self) -> dict[str, str]:
        """Give the environment in which tools speak to it."""
        return tool_environment(AWS_ENDPOINT_URL=self.endpoint, AWS_DEFAULT_REGION=REGION)


@cache
def _client(
    service: str,
    endpoint: str,
    key: str = "test",
    secret: str = "test",
    token: str | None = None,
) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}, read_timeout=120),
    )


@contextlib.contextmanager
def started(folder: Path) -> Iterator[Emulator]:
    """Run the emulator while the block runs; the folder takes its log and its other files."""
    address = _address_for_containers()
    port = free_port(address)
    name = f"{address}:{port}"
    emulator = Emulator(
        f"http://{name}", f"label=ministack.instance={name}", folder / "trusted.pem"
    )
    log = folder / "emulator.log"
    command = [tool(".venv-emulator", "python3.13"), "-m", _SERVER]
    with (
        running(command, _environment(address, port, emulator.trusted), log) as server,
        _without_containers(emulator),
    ):

        def healthy() -> bool:
            server.check_alive()
            with urllib.request.urlopen(f"{emulator.endpoint}/_ministack/health") as answer:
                return bool(json.load(answer)["services"])

        wait_for(healthy, _START_SECONDS, f"the AWS emulator (log: {log})")
        yield emulator


def _address_for_containers() -> str:
    """Find the address of this machine that containers reach and other machines do not.

    Where the engine runs in a virtual machine of its own, it forwards to the loopback address.
    """
    [network] = json.loads(docker("network", "inspect", "bridge"))
    addressing = network["IPAM"]["Config"][0]
    # The engine takes the network's first address when none was asked for.
    first = next(ipaddress.ip_network(addressing["Subnet"]).hosts())
    bridge = addressing.get("Gateway") or str(first)
    try:
        free_port(bridge)
    except OSError:
        return "127.0.0.1"
    return bridge


def _environment(address: str, port: int, trusted: Path) -> dict[str, str]:
    return tool_environment(
        PYTHONPATH=str(REPOSITORY),
        TRUSTED_CERTIFICATE=str(trusted),
        STATE_DIR=str(trusted.parent),
        BIND_HOST=address,
        GATEWAY_PORT=str(port),
        MINISTACK_HOST=address,
        MINISTACK_HOSTNAME=address,  # with the port, the label of its containers
        MINISTACK_REGION=REGION,
        AUTH="true",  # policies are enforced
        LAMBDA_EXECUTOR="docker",
        LAMBDA_STRICT="1",  # never in its own process instead
        IOT_MTLS_ENABLED="0",
    )


@contextlib.contextmanager
def _without_containers(emulator: Emulator) -> Iterator[None]:
    try:
        yield
    finally:
        remove_containers(emulator.containers)
