"""The bucket of a deployed batch function: what is dropped there, and what becomes of it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tests.conftest import REPOSITORY
from tests.stack.deployment import Stack
from tests.support.evidence import wait_for

SECONDS: Final = 120
"""How long a file may wait: containers start as there are jobs, on however many processors."""

type Json = dict[str, Any]


@dataclass(frozen=True)
class BatchBucket:
    """The bucket of a stack's batch function.

    Attributes
    ----------
    stack : Stack
        The stack.
    """

    stack: Stack

    @property
    def name(self) -> str:
        """The bucket's name."""
        return self.stack.outputs["Data"]

    @property
    def _s3(self) -> Any:
        return self.stack.client("s3")

    def address(self, key: str) -> str:
        """Give the address of a key."""
        return f"s3://{self.name}/{key}"

    def drop(self, key: str, content: bytes) -> str:
        """Write an object; gives its address."""
        self._s3.put_object(Bucket=self.name, Key=key, Body=content)
        return self.address(key)

    def content(self, key: str) -> bytes:
        """Read an object."""
        return bytes(self._s3.get_object(Bucket=self.name, Key=key)["Body"].read())

    def described(self, prefix: str = "") -> dict[str, Json]:
        """Give what S3 says of the objects below a prefix, by key."""
        listed = self._s3.list_objects_v2(Bucket=self.name, Prefix=prefix).get("Contents", [])
        return {one["Key"]: one for one in listed}

    def receipts(self, address: str) -> list[Json]:
        """Give the receipts of the jobs about an input."""
        found = (json.loads(self.content(key)) for key in self.described("jobs/"))
        return [receipt for receipt in found if receipt["input"]["address"] == address]

    def receipt(self, address: str) -> Json:
        """Wait for the first receipt about an input."""
        return wait_for(lambda: self.receipts(address), SECONDS, f"a receipt for {address}")[0]

    def copied(self, receipt: Json, folder: Path) -> Path:
        """Copy a receipt and what it names, as `aws s3 cp` would; gives the receipt's path."""
        path = folder / f"jobs/{receipt['job']}.json"
        files = [one["key"] for one in (receipt["scored"], receipt["rejects"]) if one]
        for key in [path.relative_to(folder).as_posix(), *files]:
            (folder / key).parent.mkdir(parents=True, exist_ok=True)
            (folder / key).write_bytes(self.content(key))
        return path

    def call(self, event: Json) -> Json:
        """Call the function and wait for its answer."""
        function = self.stack.outputs["BatchFunction"]
        called = self.stack.client("lambda").invoke(
            FunctionName=function, Payload=json.dumps(event)
        )
        answer: Json = json.loads(called["Payload"].read())
        assert "FunctionError" not in called, answer
        return answer

    def logged(self) -> Iterator[Json]:
        """Give the lines of the function's log that are JSON."""
        group = self.stack.resource("BatchLog")
        found = self.stack.client("logs").filter_log_events(logGroupName=group)["events"]
        lines = [line for one in found for line in one["message"].splitlines()]
        yield from (json.loads(line) for line in lines if line.startswith("{"))

    def event(self, name: str) -> Json:
        """Read one of the events of the repository, about this bucket."""
        text = (REPOSITORY / "events" / name).read_text()
        event: Json = json.loads(text.replace("sklambda-data", self.name))
        return event


def scores(content: bytes, classes: NDArray[Any]) -> NDArray[np.float64]:
    """Give the probabilities that a scored CSV file has, in the order of the classes."""
    table = pd.read_csv(BytesIO(content))
    columns = [f"probability_{name}" for name in classes]
    return table[columns].to_numpy(dtype=np.float64)
