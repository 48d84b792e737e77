"""Steps that are not exact are folded into the trees behind them: the graph compares raw inputs."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from tests.support.proof import classes, numbers, prove, values
from training.convert import convert
from training.convert.graph.folding import Chain, NotMonotone
from training.convert.graph.graph import Elementwise, Matrix, Origin
from training.frames import kinds_of
from training.proof.conversion import Conversion

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

BESIDE_FIVE = 5 + 4 * np.spacing(5.0)
INEXACT = {"Log", "Exp", "Pow", "Tanh", "Sin", "Cos", "Div"}


def positive(missing: bool = False) -> pd.DataFrame:
    frame = numbers(missing)[["skewed", "whole", "large"]]
    return frame.assign(large=frame["large"] / 1e6) + 0.25


def boosted() -> Any:
    return HistGradientBoostingClassifier(max_iter=8, random_state=0)


def fitted(*steps: Any, frame: pd.DataFrame, model: Any = None) -> Any:
    return make_pipeline(*steps, model or boosted()).fit(frame, classes(2))


def before_trees(pipeline: Any, width: int) -> set[str]:
    """Return the operators before the first trees."""
    nodes = onnx.load_from_string(convert(pipeline, [None] * width).model).graph.node
    kinds = [node.op_type for node in nodes]
    return set(kinds[: kinds.index("TreeEnsemble")])


@pytest.mark.parametrize(
    "function", [np.log1p, np.log, np.log2, np.log10, np.cbrt, np.tanh, np.exp, np.expm1, np.exp2]
)
def test_a_function_before_trees_is_exact_and_not_in_the_graph(function: Any) -> None:
    frame = positive(missing=True)
    pipeline = fitted(FunctionTransformer(function), frame=frame)

    prove(pipeline, frame)

    assert not before_trees(pipeline, 3) & INEXACT


CHAINS: dict[str, tuple[Any, ...]] = {
    "Yeo-Johnson": (PowerTransformer(),),
    "Yeo-Johnson of both signs": (StandardScaler(), PowerTransformer()),
    "of quantiles": (FunctionTransformer(np.log1p), QuantileTransformer(n_quantiles=50)),
    "clipped": (FunctionTransformer(np.clip, kw_args={"min": 0.5, "max": 9}), PowerTransformer()),
    "falling": (FunctionTransformer(np.log1p), FunctionTransformer(np.negative)),
    "falling first": (FunctionTransformer(np.negative), FunctionTransformer(np.exp)),
    "imputed before": (SimpleImputer(), FunctionTransformer(np.log1p), MinMaxScaler()),
    "turning": (FunctionTransformer(np.square), FunctionTransformer(np.log1p)),
    "of a sentinel": (SimpleImputer(missing_values=0.25), PowerTransformer()),
}


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_before_trees_is_exact_and_not_in_the_graph(name: str) -> None:
    frame = positive(missing=name not in ("of a sentinel", "of quantiles"))
    pipeline = fitted(*CHAINS[name], frame=frame)

    prove(pipeline, frame)

    assert not before_trees(pipeline, 3) & INEXACT


def test_columns_that_come_by_different_ways_are_folded_each_by_its_own() -> None:
    frame = positive(missing=True)
    logs = make_pipeline(FunctionTransformer(np.log1p), RobustScaler())
    columns = make_column_transformer(
        (make_union(logs, "passthrough"), ["whole", "large"]),
        (make_pipeline(PowerTransformer(), SimpleImputer(add_indicator=True)), ["large", "skewed"]),
        remainder="drop",
    )
    pipeline = fitted(columns, frame=frame)

    prove(pipeline, frame)

    assert not before_trees(pipeline, 3) & INEXACT


def own(frame: Any) -> Any:
    return frame.assign(
        skewed=np.log1p(frame["skewed"].fillna(0).clip(lower=0.5)) / 2,
        large=1 / np.exp(frame["large"]),
    )


def test_the_functions_in_the_users_own_code_are_folded() -> None:
    frame = positive(missing=True)
    pipeline = fitted(FunctionTransformer(own), frame=frame)

    prove(pipeline, frame)

    model, _ = Conversion(pipeline, frame, kinds_of(frame)).convert()
    nodes = [node.op_type for node in onnx.load_from_string(model).graph.node]
    assert not set(nodes) & (INEXACT - {"Div"})


def test_exact_steps_alone_stay_in_the_graph() -> None:
    frame = positive()

    assert "Div" in before_trees(fitted(StandardScaler(), frame=frame), 3)


def test_a_sine_stays_in_the_graph() -> None:
    frame = positive()[["whole"]]

    assert "Sin" in before_trees(fitted(FunctionTransformer(np.sin), frame=frame), 1)


def test_forests_compare_what_float32_rounds() -> None:
    frame = positive()
    steps = FunctionTransformer(np.cbrt), StandardScaler()
    pipeline = make_pipeline(*steps, RandomForestRegressor(5, random_state=0))

    report = prove(pipeline.fit(frame, values()), frame, full=True)

    assert report.max_difference == 0


def chain(apply: Any, turns: tuple[float, ...] | None = ()) -> Chain:
    step = Elementwise("a step", apply, exact=False, turns=turns)
    return Chain(Origin(Matrix("X", (None,)), 0, (step,)))


def test_pieces_end_where_a_step_turns() -> None:
    found = chain(np.square, turns=(0.0,)).pieces

    assert [(piece.low, piece.high) for piece in found] == [(np.inf, 0), (0, np.inf)]


@pytest.mark.parametrize(
    ("apply", "turns"),
    [(np.square, ()), (np.sin, None), (lambda x: np.where(x == BESIDE_FIVE, 0.0, x), ())],
    ids=["undeclared", "endless", "in the last bit"],
)
def test_what_turns_otherwise_than_declared_is_not_folded(apply: Any, turns: Any) -> None:
    def fold() -> None:
        found = chain(apply, turns)
        found.folded(found.pieces[0], np.array([1.0, 3.0, 5.0]), np.ones(3, dtype=bool))

    with pytest.raises(NotMonotone):
        fold()


ON_ANOTHER_PROCESSOR = """
import sys
import numpy as np
from sklambda.session import Session
with np.load(sys.argv[1]) as arrays:
    model, X = arrays["model"].tobytes(), arrays["X"]
np.savez(sys.argv[1], scores=Session(model).run(X))
"""


def test_scores_do_not_depend_on_the_vector_instructions_of_numpy(tmp_path: Path) -> None:
    frame = positive()
    forest = RandomForestRegressor(10, random_state=0)
    steps = FunctionTransformer(np.log1p), StandardScaler()
    pipeline = make_pipeline(*steps, forest).fit(frame, values())
    X = np.random.default_rng(0).lognormal(0, 2, (5000, 3))
    file = tmp_path / "arrays.npz"
    np.savez(file, model=np.void(convert(pipeline, [None] * 3).model), X=X)
    processor = import_module("numpy._core._multiarray_umath")
    disabled = [name for name in processor.__cpu_dispatch__ if processor.__cpu_features__[name]]

    subprocess.run(
        [sys.executable, "-c", ON_ANOTHER_PROCESSOR, str(file)],
        env=os.environ | {"NPY_DISABLE_CPU_FEATURES": " ".join(disabled)},
        check=True,
        timeout=60,
    )

    with np.load(file) as found:
        np.testing.assert_array_equal(
            found["scores"][:, 0], pipeline.predict(pd.DataFrame(X, columns=frame.columns))
        )
