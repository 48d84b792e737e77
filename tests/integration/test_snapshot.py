"""SnapStart: what is done before Lambda keeps the process."""

import importlib
import sys
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace

import pytest

from functions.predict import snapshot
from functions.predict.model import Model
from sklambda.predictor import Predictor
from tests.conftest import Trained

HANDLER = "functions.predict.handler"
HOOKS = "snapshot_restore_py"
type Warm = Callable[[], None]


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> list[Warm]:
    """What Lambda's runtime has been told to call; the runtime's module in its place."""
    told: list[Warm] = []
    module = ModuleType(HOOKS)
    vars(module)["register_before_snapshot"] = told.append
    monkeypatch.setitem(sys.modules, HOOKS, module)
    return told


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


def test_the_function_rehearses_before_a_snapshot_and_leaves_no_trace(
    handler: ModuleType, hooks: list[Warm], capsys: pytest.CaptureFixture[str]
) -> None:
    [warm] = hooks

    warm()

    assert capsys.readouterr().out == ""


def test_outside_lambda_nothing_is_registered() -> None:
    assert HOOKS not in sys.modules

    snapshot.register(lambda: pytest.fail("nobody takes a snapshot here"))


def test_a_model_that_does_not_answer_its_own_example_is_not_kept(predictor: Predictor) -> None:
    model = Model(predictor)

    with pytest.raises(RuntimeError, match="answered with 503"):
        snapshot.warm(lambda event, context: {"statusCode": 503}, model)


def test_the_rehearsal_asks_for_the_models_own_example(predictor: Predictor) -> None:
    asked = []

    def handler(event: dict[str, object], context: object) -> dict[str, int]:
        asked.append(SimpleNamespace(**event))
        return {"statusCode": 200}

    snapshot.warm(handler, Model(predictor))

    assert {event.path for event in asked} == {"/predict"}
