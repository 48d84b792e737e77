"""SnapStart: what is done before Lambda keeps the process."""

import importlib
import sys
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace

import pytest

from functions.predict.app.gateway import register_snapshot, warm
from functions.predict.model import ServedModel
from sklambda.predictor import Predictor
from tests.conftest import Trained

HANDLER = "functions.predict.handler"
HOOKS = "snapshot_restore_py"
type Warm = Callable[[], None]


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> list[Warm]:
    """The functions registered with Lambda's runtime, whose module is replaced here."""
    registered: list[Warm] = []
    module = ModuleType(HOOKS)
    vars(module)["register_before_snapshot"] = registered.append
    monkeypatch.setitem(sys.modules, HOOKS, module)
    return registered


@pytest.fixture
def handler(
    churn: Trained, monkeypatch: pytest.MonkeyPatch, hooks: list[Warm]
) -> Iterator[ModuleType]:
    monkeypatch.setenv("MODEL_DIR", str(churn.package))
    monkeypatch.setenv("METRICS_NAMESPACE", "test")
    monkeypatch.setenv("CAPTURE", "raw")
    monkeypatch.delitem(sys.modules, HANDLER, raising=False)
    yield importlib.import_module(HANDLER)
    sys.modules.pop(HANDLER, None)


def test_the_function_is_warmed_before_a_snapshot_and_leaves_no_trace(
    handler: ModuleType, hooks: list[Warm], capsys: pytest.CaptureFixture[str]
) -> None:
    [warm] = hooks

    warm()

    assert capsys.readouterr().out == ""


def test_outside_lambda_nothing_is_registered() -> None:
    assert HOOKS not in sys.modules

    register_snapshot(lambda: pytest.fail("there is no snapshot here"))


def test_a_model_that_fails_its_own_example_has_no_snapshot(predictor: Predictor) -> None:
    model = ServedModel(predictor)

    with pytest.raises(RuntimeError, match="must be scored, got status 503"):
        warm(lambda event, context: {"statusCode": 503}, model)


def test_the_models_own_example_is_scored(predictor: Predictor) -> None:
    events = []

    def handler(event: dict[str, object], context: object) -> dict[str, int]:
        events.append(SimpleNamespace(**event))
        return {"statusCode": 200}

    warm(handler, ServedModel(predictor))

    assert {event.path for event in events} == {"/predict"}
