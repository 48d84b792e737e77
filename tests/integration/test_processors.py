"""Whether a model is accepted, and what it answers, does not depend on the processor.

OpenBLAS has kernels for each kind of processor, and numpy has loops: both can be told to use those
of older ones. Each adds in an order of its own.
"""

import json
import os
import pickle
import platform
import subprocess
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.svm import SVC, OneClassSVM

from tests.conftest import REPOSITORY
from tests.support.proof import classes, numbers, values
from training.exporter import export

pytestmark = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="the kernels are those of x86"
)

ROWS: Final = 120
EXTENSIONS: Final[Any] = np.show_config(mode="dicts")["SIMD Extensions"]
LOOPS: Final[list[str]] = EXTENSIONS.get("found", [])
"""The loops of numpy that this processor has beyond the oldest."""

KERNELS: Final = {"Prescott": "Katmai", "Haswell": "Haswell", "SkylakeX": "SkylakeX"}
"""What OpenBLAS is asked for, and what it says then."""

CORES: Final = [core for core in KERNELS if core != "SkylakeX" or "X86_V4" in LOOPS]
TESTS: Final = [
    f"tests/unit/training/{file}::test_{test}"
    for file, test in (
        ("convert/families/test_anomalies.py", "a_decision_of_large_numbers_equals_scikit_learn"),
        (
            "convert/families/test_decomposition.py",
            "a_projection_equals_scikit_learn[singular values]",
        ),
        (
            "convert/families/test_discriminant.py",
            "an_analysis_equals_scikit_learn[quadratic-raw-3]",
        ),
        (
            "convert/families/test_encoding.py",
            "an_encoder_equals_scikit_learn[one hot, all of them rare-linear]",
        ),
        ("convert/families/test_kernel_models.py", "kernel_ridge_equals_scikit_learn[rbf-1]"),
        (
            "convert/families/test_svm.py",
            "large_numbers_without_a_scaler_equal_scikit_learn[sigmoid]",
        ),
        ("proof/test_equality.py", "labels_of_a_decision_of_nothing_are_undecidable"),
        ("proof/test_equality.py", "sums_of_large_terms_that_cancel_are_excused"),
    )
]


def scaled(model: Any) -> Any:
    return make_pipeline(StandardScaler(), model)


def even_pairs() -> tuple[pd.DataFrame, Any]:
    """Make pairs that are there both ways round, some of equals: whose decision is ±1e-17."""
    frame = numbers(rows=ROWS)[["grid", "skewed"]].set_axis(["one", "other"], axis=1)
    frame.loc[::4, "other"] = frame.loc[::4, "one"]
    won = frame["one"] > frame["other"] + np.random.default_rng(1).normal(size=ROWS)
    turned = frame.rename(columns={"one": "other", "other": "one"})
    return pd.concat([frame, turned], ignore_index=True), [*won, *~won]


def plain(model: Any, target: Any) -> tuple[Any, pd.DataFrame]:
    frame = numbers(rows=ROWS)
    return model.fit(frame, target), frame


def mirrored() -> tuple[Any, pd.DataFrame]:
    frame, won = even_pairs()
    return LogisticRegression(fit_intercept=False, solver="newton-cholesky").fit(frame, won), frame


FITTED: Final[dict[str, Callable[[], tuple[Any, pd.DataFrame]]]] = {
    "logistic": lambda: plain(scaled(LogisticRegression()), classes(4, ROWS)),
    "ties": mirrored,
    "discriminant": lambda: plain(LinearDiscriminantAnalysis(), classes(2, ROWS)),
    "network": lambda: plain(
        scaled(MLPClassifier((8,), solver="lbfgs", random_state=0)), classes(2, ROWS)
    ),
    "kernels": lambda: plain(scaled(SVC()), classes(4, ROWS)),
    "large terms": lambda: plain(OneClassSVM(kernel="linear"), None),
    "boosting": lambda: plain(HistGradientBoostingClassifier(max_iter=5), classes(4, ROWS)),
    "forest": lambda: plain(RandomForestClassifier(5, random_state=0), classes(2, ROWS)),
    "cubes": lambda: plain(make_pipeline(PolynomialFeatures(3), Ridge()), values(1, ROWS)),
    "nearly singular": lambda: plain(
        scaled(KernelRidge(kernel="rbf", alpha=1e-9)), values(1, ROWS)
    ),
}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packages")
    for name, fit in FITTED.items():
        pipeline, frame = fit()
        export(pipeline, frame, out=folder / name / "package", name="model", time_limit=None)
        (folder / name / "pipeline").write_bytes(pickle.dumps((pipeline, frame)))
    return folder


@pytest.fixture(params=product(CORES, ("new", "old")), ids="-".join)
def processor(request: pytest.FixtureRequest) -> tuple[str, str]:
    """The kernels, and whether numpy's loops are those of a new processor or of the oldest."""
    chosen: tuple[str, str] = request.param
    return chosen


def run(processor: tuple[str, str], *arguments: object) -> subprocess.CompletedProcess[str]:
    kernels, loops = processor
    environment = os.environ | {"OPENBLAS_CORETYPE": kernels, "OMP_NUM_THREADS": "1"}
    if loops == "old":
        environment["NPY_DISABLE_CPU_FEATURES"] = " ".join(LOOPS)
    return subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_packages_hold_on_other_processors(packages: Path, processor: tuple[str, str]) -> None:
    done = run(processor, "tests.integration.other_processor", packages)

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["kernels"] == [KERNELS[processor[0]]]
    assert found["loops"] == (LOOPS if processor[1] == "new" else [])
    assert found["replayed"] == dict.fromkeys(FITTED), "a golden row has another answer"
    assert found["proven"].keys() == FITTED.keys()


def test_conversions_are_accepted_on_other_processors(processor: tuple[str, str]) -> None:
    done = run(processor, "pytest", "-q", "-p", "no:cacheprovider", "-n0", *TESTS)

    assert done.returncode == 0, done.stdout
