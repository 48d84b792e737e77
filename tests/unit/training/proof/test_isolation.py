"""A conversion in a process of its own: the same package, or an end that says why."""

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import training
from training.errors import ConversionRefused, ParityFailed, TimeLimitExceeded
from training.frames import kinds_of
from training.proof.isolation import confined
from training.proof.prove import Job, convert_and_prove

FRAME = pd.DataFrame({"a": np.linspace(-1, 1, 40), "b": np.arange(40) % 7})
TARGET = FRAME["a"] > 0


def job(*steps: Any) -> Job:
    return Job(make_pipeline(*steps).fit(FRAME, TARGET), FRAME, kinds_of(FRAME))


def told_nobody(stage: str, done: int, total: int) -> None:
    """Tell nobody."""


class Ending:
    """What ends the process that loads it."""

    def __reduce__(self) -> tuple[Any, tuple[int]]:
        return os._exit, (3,)


def test_another_process_proves_the_same() -> None:
    scaled = job(StandardScaler(), LogisticRegression())

    assert confined(scaled, 60, told_nobody) == convert_and_prove(scaled, told_nobody)


def test_what_is_done_is_told_as_it_is_done() -> None:
    stages: list[str] = []

    confined(job(LogisticRegression()), 60, lambda stage, done, total: stages.append(stage))

    assert stages[0] == "convert"
    assert stages[-1] == "prove"


def test_a_time_that_is_up_ends_it_and_writes_nothing(tmp_path: Path) -> None:
    pipeline = job(LogisticRegression()).pipeline

    with pytest.raises(TimeLimitExceeded, match=r"not proven within 0\.001 s"):
        training.export(pipeline, FRAME, out=tmp_path / "p", name="signs", time_limit=0.001)

    assert not list(tmp_path.iterdir())


def test_a_step_that_cannot_be_handed_over_is_named() -> None:
    own = job(FunctionTransformer(lambda rows: rows * 2), LogisticRegression())

    with pytest.raises(ConversionRefused, match=r"^functiontransformer: .*func=<lambda>"):
        confined(own, 60, told_nobody)


def test_a_step_is_named_also_where_the_rows_are_more_than_a_pipe_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = ModuleType("module_of_this_process")
    exec("def doubled(rows): return rows * 2", module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    steps = make_pipeline(FunctionTransformer(module.doubled), LogisticRegression())
    rows = pd.concat([FRAME] * 2000, ignore_index=True)

    with pytest.raises(ConversionRefused, match=r"^functiontransformer: .*func=doubled"):
        confined(Job(steps.fit(FRAME, TARGET), rows, kinds_of(rows)), 60, told_nobody)


def test_a_refusal_comes_back_as_it_was_raised() -> None:
    own = job(FunctionTransformer(np.nan_to_num), LogisticRegression())

    with pytest.raises(ConversionRefused) as refused:
        confined(own, 60, told_nobody)

    assert refused.value.step == "functiontransformer"
    assert not isinstance(refused.value, ParityFailed)


def test_a_process_that_is_gone_is_no_package() -> None:
    with pytest.raises(ConversionRefused, match="is gone: it returned 3"):
        confined(Job(Ending(), FRAME, kinds_of(FRAME)), 60, told_nobody)
