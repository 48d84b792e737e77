"""A conversion in a process of its own: the same package, or a refusal with its reason."""

import os
import sys
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import training
from training.errors import ConversionRefused, ParityFailed, TimeLimitExceeded
from training.frames import kinds_of
from training.proof.isolation import run_isolated
from training.proof.prove import ExportJob, convert_and_prove

FRAME = pd.DataFrame({"a": np.linspace(-1, 1, 40), "b": np.arange(40) % 7})
TARGET = FRAME["a"] > 0


def job(*steps: Any) -> ExportJob:
    return ExportJob(make_pipeline(*steps).fit(FRAME, TARGET), FRAME, kinds_of(FRAME))


def no_progress(stage: str, done: int, total: int) -> None:
    """Ignore the progress."""


class Ending:
    """An object that ends the process that loads it."""

    def __reduce__(self) -> tuple[Any, tuple[int]]:
        return os._exit, (3,)


def test_another_process_proves_the_same() -> None:
    scaled = job(StandardScaler(), LogisticRegression())

    assert run_isolated(scaled, 60, no_progress) == convert_and_prove(scaled, no_progress)


def test_progress_is_reported_as_it_is_made() -> None:
    stages: list[str] = []

    run_isolated(job(LogisticRegression()), 60, lambda stage, done, total: stages.append(stage))

    assert stages[0] == "convert"
    assert stages[-1] == "prove"


def test_a_time_that_is_up_ends_it_and_writes_nothing(tmp_path: Path) -> None:
    pipeline = job(LogisticRegression()).pipeline

    with pytest.raises(TimeLimitExceeded, match=r"not proven within 0\.001 s"):
        training.export(pipeline, FRAME, out=tmp_path / "p", name="signs", time_limit=0.001)

    assert not list(tmp_path.iterdir())


def test_functions_that_no_other_process_can_import_are_handed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = ModuleType("module_of_this_process")
    exec("def doubled(rows): return rows * 2", module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    lambdas = FunctionTransformer(lambda rows: rows + 1)
    own = job(make_pipeline(lambdas, FunctionTransformer(module.doubled)), LogisticRegression())

    proven = run_isolated(own, 60, no_progress)

    assert proven.parity.max_difference < 1e-9


def test_settings_of_scikit_learn_hold_in_the_other_process() -> None:
    scale = ColumnTransformer([("s", StandardScaler(), ["a"])], remainder="passthrough")
    with sklearn.config_context(transform_output="pandas"):
        proven = run_isolated(job(SimpleImputer(), scale, LogisticRegression()), 60, no_progress)

    assert proven.parity.rows["data"] == len(FRAME)


def test_what_cannot_be_handed_over_is_refused_with_a_remedy() -> None:
    lock = Lock()
    own = job(FunctionTransformer(lambda rows: rows * (1 + lock.locked())), LogisticRegression())

    with pytest.raises(ConversionRefused, match=r"another process cannot .*; time_limit=None"):
        run_isolated(own, 60, no_progress)


def test_a_refusal_comes_back_as_it_was_raised() -> None:
    own = job(FunctionTransformer(np.cumsum, kw_args={"axis": 0}), LogisticRegression())

    with pytest.raises(ConversionRefused) as refused:
        run_isolated(own, 60, no_progress)

    assert refused.value.step == "functiontransformer"
    assert not isinstance(refused.value, ParityFailed)


def test_a_process_that_is_gone_is_no_package() -> None:
    with pytest.raises(ConversionRefused, match="ended early: exit code 3"):
        run_isolated(ExportJob(Ending(), FRAME, kinds_of(FRAME)), 60, no_progress)
