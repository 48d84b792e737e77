"""Our graphs beside those of the standard converter: one row, many, and a large forest."""

import resource
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from time import perf_counter
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
from training.frames import kinds_of
from training.proof.conversion import Conversion

COLUMNS: Final = 20
LEARNT: Final = 10_000
MANY: Final = 100_000
MODELS: Final[dict[str, tuple[Any, int]]] = {  # with the number of classes
    "LogisticRegression": (LogisticRegression(max_iter=500), 2),
    "MLPClassifier, 100 units": (MLPClassifier(max_iter=20, random_state=0), 2),
    "HistGradientBoosting, 100 trees": (HistGradientBoostingClassifier(random_state=0), 2),
    "GradientBoosting, 100 trees": (GradientBoostingClassifier(random_state=0), 2),
    "RandomForest, 200 trees, depth 12": (
        RandomForestClassifier(200, max_depth=12, random_state=0),
        2,
    ),
    "RandomForest, 200 trees, depth 12, 3 classes": (
        RandomForestClassifier(200, max_depth=12, random_state=0),
        3,
    ),
    "RandomForest, 100 full trees": (RandomForestClassifier(100, random_state=0), 2),
    "RandomForest, 100 full trees, 3 classes": (RandomForestClassifier(100, random_state=0), 3),
    "RandomForestRegressor, 100 trees, depth 12": (
        RandomForestRegressor(100, max_depth=12, random_state=0),
        0,
    ),
}
LARGE: Final[dict[str, tuple[Any, int]]] = {
    "RandomForest": (RandomForestClassifier(500, random_state=0), 2),
    "RandomForest, 3 classes": (RandomForestClassifier(500, random_state=0), 3),
    "RandomForestRegressor": (RandomForestRegressor(500, random_state=0), 0),
}


def main() -> None:
    """Print the tables of docs/benchmarks.md."""
    console = Console(width=120)
    console.print("\n| one thread | skl2onnx, 1 row | skl2onnx, 100,000 | scikit-learn, 100,000 |")
    console.print("|---|---|---|---|")
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, (estimator, classes) in MODELS.items():
            console.print(f"| {name} | " + " | ".join(_ratios(estimator, classes)) + " |")
    console.print("\n| 500 full trees | convert | prove | peak memory |")
    console.print("|---|---|---|---|")
    for name, (estimator, classes) in LARGE.items():
        # In a process of its own, whose peak is that of this forest alone.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            figures = process.submit(_large, estimator, classes).result()
        console.print(f"| {name} | " + " | ".join(figures) + " |")


def _fitted(estimator: Any, classes: int) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    X = generator.normal(size=(LEARNT, COLUMNS))
    signal = X[:, 0] * X[:, 1] + X[:, 2] + generator.normal(size=LEARNT)
    frame = pd.DataFrame(X, columns=[f"f{place}" for place in range(COLUMNS)])
    bounds = np.quantile(signal, np.arange(1, classes) / max(classes, 1))
    estimator.fit(frame, np.digitize(signal, bounds) if classes else signal)
    return frame


def _large(estimator: Any, classes: int) -> tuple[str, str, str]:
    frame = _fitted(estimator, classes)
    conversion = Conversion(estimator, frame, kinds_of(frame))
    started = perf_counter()
    model, signature = conversion.convert()
    converted = perf_counter()
    conversion.prove(model, signature, conversion.cases(model, signature))
    proven = perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return f"{converted - started:.1f} s", f"{proven - converted:.0f} s", f"{peak:.2f} GB"


def _ratios(estimator: Any, classes: int) -> Iterator[str]:
    generator = np.random.default_rng(1)
    frame = _fitted(estimator, classes)
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
    answer = estimator.predict_proba if classes else estimator.predict
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
