"""The application, deployed to the emulator by the unmodified `sam deploy`."""

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.stack.emulator import Emulator
from tests.support.lambda_containers import sam


class Answer(NamedTuple):
    """What the API says."""

    status: int
    media_type: str
    content: bytes


@dataclass(frozen=True)
class Stack:
    """A deployed stack.

    Attributes
    ----------
    name : str
        Its name in CloudFormation.
    outputs : dict
        The outputs of the template, by name.
    """

    emulator: Emulator
    name: str
    outputs: dict[str, str]

    def client(self, service: str) -> Any:
        """Make a client of one of the services that the stack uses."""
        return self.emulator.client(service)

    def role_client(self, role: str, service: str) -> Any:
        """Make a client that may do what one of the template's roles may."""
        arn = self.client("iam").get_role(RoleName=self.resource(role))["Role"]["Arn"]
        session = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")
        return self.emulator.client(service, session["Credentials"])

    def resource(self, logical_id: str) -> str:
        """Give the physical id of one of the template's resources."""
        found = self.client("cloudformation").describe_stack_resource(
            StackName=self.name, LogicalResourceId=logical_id
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    @property
    def stage_url(self) -> str:
        """The deployed stage's address; a real one's host would not lead to the emulator."""
        address = urlsplit(self.outputs["ApiUrl"])
        api = str(address.hostname).partition(".")[0]
        return f"{self.emulator.endpoint}/_aws/execute-api/{api}{address.path}"

    @property
    def api_key(self) -> str:
        """The value of the API key."""
        found = self.client("apigateway").get_api_key(
            apiKey=self.outputs["ApiKeyId"], includeValue=True
        )
        return str(found["value"])

    def request(self, path: str, body: object = None, key: str | None = None) -> tuple[int, Any]:
        """Ask the deployed API; give the status and the body of its answer."""
        answer = self.ask(path, body, {"x-api-key": key} if key else {})
        return answer.status, json.loads(answer.content)

    def ask(self, path: str, body: object, headers: Mapping[str, str]) -> Answer:
        """Ask the deployed API, with further headers."""
        data = None if body is None else json.dumps(body).encode()
        whole = {"Content-Type": "application/json", **headers}
        request = urllib.request.Request(self.stage_url + path, data, whole)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, answer.headers["Content-Type"], answer.read())
        except urllib.error.HTTPError as refusal:
            with refusal:
                return Answer(refusal.code, str(refusal.headers["Content-Type"]), refusal.read())


def deploy(name: str, template: Path, emulator: Emulator, **parameters: str) -> Stack:
    """Deploy a built template as the stack `name`."""
    command = sam(
        "deploy", "--template-file", template, "--stack-name", name, "--resolve-s3",
        "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-progressbar",
        **parameters,
    )  # fmt: skip
    result = subprocess.run(
        command,
        cwd=template.parent,
        env=emulator.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        pytest.fail(f"sam deploy failed:\n{result.stdout}\n{result.stderr}", pytrace=False)
    return deployed(name, emulator)


def deployed(name: str, emulator: Emulator) -> Stack:
    """Give a stack that is deployed."""
    stacks = emulator.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    return Stack(
        emulator, name, {out["OutputKey"]: out["OutputValue"] for out in stacks[0]["Outputs"]}
    )
