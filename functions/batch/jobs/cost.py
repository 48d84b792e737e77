"""Estimates the cost of a job on AWS; docs/batch.md has the arithmetic."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sklambda.storage.receipt import Cost

# US dollars in us-east-1, as AWS listed them in November 2026.
_GIGABYTE_SECOND: Final = {"x86_64": 0.0000166667, "arm64": 0.0000133334}
_INVOCATION: Final = 0.20 / 1e6
_WRITE: Final = 0.005 / 1e3
_READ: Final = 0.0004 / 1e3
_TRANSITION: Final = 0.025 / 1e3
_CHILD: Final = 1.00 / 1e6

_WRITES_OF_A_PART: Final = 4  # scored rows, rejects, result, and one copy
_READS_OF_A_PART: Final = 3
_WRITES_OF_A_JOB: Final = 6
_READS_OF_A_JOB: Final = 8
_TRANSITIONS_OF_A_JOB: Final = 6


@dataclass(frozen=True, slots=True)
class Rates:
    """What determines the price of a second of the function.

    Attributes
    ----------
    architecture : {"x86_64", "arm64"}
        Its processor.
    megabytes : int
        Its memory.
    """

    architecture: str
    megabytes: int

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Rates":
        """Read the function's memory from the environment that Lambda sets."""
        megabytes = int(environment.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769"))
        return cls("arm64" if platform.machine() == "aarch64" else "x86_64", megabytes)

    def cost(self, seconds: float, parts: int, distributed: bool) -> Cost:
        """Estimate the cost of a job from the total seconds of its parts."""
        gigabytes = self.megabytes / 1024
        compute = seconds * gigabytes * _GIGABYTE_SECOND[self.architecture] + _INVOCATION
        requests = _WRITE * (_WRITES_OF_A_JOB + _WRITES_OF_A_PART * parts)
        requests += _READ * (_READS_OF_A_JOB + _READS_OF_A_PART * parts)
        orchestration = 0.0
        if distributed:
            compute += parts * _INVOCATION
            orchestration = _TRANSITION * (_TRANSITIONS_OF_A_JOB + parts) + _CHILD * parts
        return Cost(
            compute=round(compute, 8),
            requests=round(requests, 8),
            orchestration=round(orchestration, 8),
            total=round(compute + requests + orchestration, 8),
        )
