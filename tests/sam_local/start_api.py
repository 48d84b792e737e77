"""`sam local start-api`: the built template behind an HTTP server, in real Lambda containers."""

import contextlib
import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.background_process import free_port, running
from tests.support.evidence import wait_for
from tests.support.lambda_containers import (
    docker,
    images_of,
    remove_containers,
    sam,
    tool_environment,
)

# The first request also builds the image with the layers and starts the container.
_FIRST_ANSWER_SECONDS = 180


@dataclass(frozen=True)
class Answer:
    """What the API answered."""

    status: int
    content_type: str
    body: Any


@dataclass(frozen=True)
class LocalApi:
    """The API of `sam local start-api`."""

    port: int

    def get(self, path: str) -> Answer:
        return self._ask("GET", path, None)

    def post(self, path: str, body: object) -> Answer:
        return self._ask("POST", path, json.dumps(body))

    def _ask(self, method: str, path: str, body: str | None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, _FIRST_ANSWER_SECONDS)
        with contextlib.closing(connection):
            connection.request(method, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            content_type = response.headers.get_content_type()
            return Answer(response.status, content_type, json.loads(response.read()))


@contextlib.contextmanager
def start_api(template: Path, log: Path) -> Iterator[LocalApi]:
    """Serve the built template while the block runs."""
    api = LocalApi(free_port())
    command = sam(
        "local", "start-api", "--template", template, "--port", str(api.port),
        "--skip-pull-image", "--warm-containers", "LAZY",
    )  # fmt: skip
    with running(command, tool_environment(), log) as server:

        def first_answer() -> Answer:
            server.check_alive()
            return api.get("/health/live")

        wait_for(first_answer, _FIRST_ANSWER_SECONDS, f"sam local start-api (log: {log})")
        yield api


@contextlib.contextmanager
def cleaned_up(output: Path) -> Iterator[None]:
    """Remove what SAM leaves of a build's function: containers, and the images with its layers."""
    function = f"volume={output / 'Predict'}"
    try:
        yield
    finally:
        images = images_of(docker("ps", "--quiet", "--filter", function).split())
        remove_containers(function)
        for image in images:
            docker("image", "rm", "--force", image, check=False)
