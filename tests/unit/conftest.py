"""Unit tests convert in their own process: starting another takes longer than most conversions."""

from collections.abc import Iterator

import pytest

from training import exporter
from training.proof.prove import ExportJob, Progress, ProvenModel, convert_and_prove


@pytest.fixture(scope="module", autouse=True)
def _without_isolation(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave out the process of each conversion, but where it is what is tested."""
    with pytest.MonkeyPatch.context() as patch:
        if request.path.name != "test_isolation.py":
            patch.setattr(exporter, "run_isolated", _here)
        yield


def _here(job: ExportJob, time_limit: float, progress: Progress) -> ProvenModel:
    return convert_and_prove(job, progress)
