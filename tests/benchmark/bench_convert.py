"""Our graphs beside those of the standard converter: one row, and many."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
import pandas as pd
from rich.console import Console
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from sklambda.session import InferenceSession, Session, SessionOptions
from tests.benchmark.clock import medians
from training.convert import convert

COLUMNS: Final = 20
LEARNT: Final = 10_000
MANY: Final = 100_000
MODELS: Final[dict[str, Callable[[], Any]]] = {
    "LogisticRegression": lambda: LogisticRegression(max_iter=500),
    "MLPClassifier, 100 units": lambda: MLPClassifier(max_iter=20, random_state=0),
    "HistGradientBoosting, 100 trees": lambda: HistGradientBoostingClassifier(random_state=0),
    "GradientBoosting, 100 trees": lambda: GradientBoostingClassifier(random_state=0),
    "RandomForest, 200 trees, depth 12": lambda: RandomForestClassifier(
        200, max_depth=12, random_state=0
    ),
    "RandomForestRegressor, 100 trees, depth 12": lambda: RandomForestRegressor(
        100, max_depth=12, random_state=0
    ),
}


def main() -> None:
    """Print the table of docs/benchmarks.md."""
    console = Console(width=120)
    console.print("\n| one thread | skl2onnx, 1 row | skl2onnx, 100,000 | scikit-learn, 100,000 |")
    console.print("|---|---|---|---|")
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, make in MODELS.items():
            console.print(f"| {name} | " + " | ".join(_ratios(make())) + " |")


def _ratios(estimator: Any) -> Iterator[str]:
    generator = np.random.default_rng(0)
    X = generator.normal(size=(LEARNT, COLUMNS))
    signal = X[:, 0] * X[:, 1] + X[:, 2] + generator.normal(size=LEARNT)
    frame = pd.DataFrame(X, columns=[f"f{place}" for place in range(COLUMNS)])
    regressor = not hasattr(estimator, "predict_proba")
    estimator.fit(frame, signal if regressor else signal > 0)
    ours = Session(convert(estimator, [None] * COLUMNS).model)
    stock = _stock(estimator)
    rows = generator.normal(size=(256, 1, COLUMNS))
    many = generator.normal(size=(MANY, COLUMNS))
    one = medians(
        {
            "ours": lambda: [ours.run(row) for row in rows],
            "stock": lambda: [stock(row) for row in rows.astype(np.float32)],
        },
        rounds=9,
        calls=1,
    )
    yield f"{one['ours'] / one['stock']:.2f}"
    single, table = many.astype(np.float32), pd.DataFrame(many, columns=frame.columns)
    answer = estimator.predict if regressor else estimator.predict_proba
    bulk = medians(
        {
            "ours": lambda: ours.run(many),
            "stock": lambda: stock(single),
            "scikit-learn": lambda: answer(table),
        },
        rounds=2,
        calls=1,
    )
    yield f"{bulk['ours'] / bulk['stock']:.2f}"
    yield f"{bulk['ours'] / bulk['scikit-learn']:.2f}"


def _stock(estimator: Any) -> Callable[[Any], object]:
    import skl2onnx
    from skl2onnx.common.data_types import FloatTensorType

    model = skl2onnx.convert_sklearn(
        estimator,
        initial_types=[("X", FloatTensorType([None, COLUMNS]))],
        target_opset={"": 22, "ai.onnx.ml": 3},
        options={id(estimator): {"zipmap": False}} if hasattr(estimator, "classes_") else None,
    )
    options = SessionOptions()  # as its users have them, but for the threads
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = InferenceSession(model.SerializeToString(), options)
    last = session.get_outputs()[-1].name
    return lambda X: session.run([last], {"X": X})


if __name__ == "__main__":
    main()
