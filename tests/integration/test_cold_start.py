"""What a cold start imports: each of these earns its place, and nothing else comes in unseen."""

import os
import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY, Trained

OURS = {"functions", "sklambda"}
ALLOWED = {
    "numpy",
    "onnxruntime",
    # JSON is read and written
    "pydantic_core",
    "typing_extensions",
}


def modules(script: str, **environment: str) -> set[str]:
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"{script}; import sys; print(*sys.modules)"],
        env=os.environ | environment,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(run.stdout.split())


@pytest.fixture(scope="module")
def imported(churn: Trained) -> set[str]:
    return modules("import functions.predict.handler", MODEL_DIR=str(churn.package))


def packages(names: set[str]) -> set[str]:
    found = {name.partition(".")[0] for name in names}
    return {name for name in found - sys.stdlib_module_names if not name.startswith("_")}


def test_the_predict_path_imports_these_packages_and_no_others(imported: set[str]) -> None:
    assert packages(imported) - OURS == ALLOWED


def test_a_prediction_by_the_short_way_imports_no_framework(churn: Trained) -> None:
    script = "from functions.predict import handler; handler._warm()"

    imported = packages(modules(script, MODEL_DIR=str(churn.package)))

    assert imported & {"fastapi", "starlette", "anyio", "uvicorn"} == set()


@pytest.mark.parametrize("name", ["asyncio", "email", "http.client", "ssl", "logging"])
def test_of_the_standard_library_what_takes_long_is_left_out(imported: set[str], name: str) -> None:
    assert name not in imported


def test_numpy_and_onnxruntime_bring_in_nothing_of_third_parties() -> None:
    assert packages(modules("import numpy, onnxruntime")) == {"numpy", "onnxruntime"}


@pytest.mark.parametrize(("event", "needs"), [("predict", False), ("predict-http-api", True)])
def test_an_event_by_the_short_way_does_without_mangum(
    churn: Trained, event: str, needs: bool
) -> None:
    script = (
        "import json; from functions.predict.handler import handler; "
        f"assert handler(json.load(open('events/{event}.json')), None)['statusCode'] == 200"
    )

    found = modules(script, MODEL_DIR=str(churn.package))

    assert ("mangum" in found, "asyncio" in found) == (needs, needs)
