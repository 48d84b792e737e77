"""Linear models of kernels equal scikit-learn, or are refused."""

from typing import Any

import pytest
from sklearn.decomposition import KernelPCA
from sklearn.kernel_approximation import Nystroem, RBFSampler
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.support.proof import classes, numbers, prove, values
from training.convert import convert
from training.errors import ConversionRefused

KERNELS: dict[str, dict[str, Any]] = {
    "rbf": {"kernel": "rbf"},
    "rbf, gamma given": {"kernel": "rbf", "gamma": 0.4},
    "linear": {"kernel": "linear"},
    "sigmoid": {"kernel": "sigmoid", "gamma": 0.1, "coef0": 0.2},
}
REFUSED: dict[str, tuple[Any, str]] = {
    "ridge": (KernelRidge(kernel="laplacian"), r"KernelRidge\(kernel='laplacian'\)"),
    "nystroem": (Nystroem("cosine", n_components=5), r"Nystroem\(kernel='cosine'\)"),
    "principal components": (KernelPCA(2, kernel="cosine"), r"KernelPCA\(kernel='cosine'\)"),
    "cosines of large numbers": (RBFSampler(n_components=5), "RBFSampler has no exact"),
}


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("name", [*KERNELS, "poly"])
def test_kernel_ridge_equals_scikit_learn(name: str, outputs: int) -> None:
    frame = numbers(rows=150)
    parameters = KERNELS.get(name, {"kernel": "poly", "degree": 2})
    pipeline = make_pipeline(StandardScaler(), KernelRidge(alpha=20, **parameters))

    prove(pipeline.fit(frame, values(outputs, rows=150)), frame, full=name == "poly")


@pytest.mark.parametrize("name", ["rbf", "rbf, gamma given", "sigmoid"])
def test_nystroem_equals_scikit_learn(name: str) -> None:
    frame = numbers(rows=150)
    features = Nystroem(n_components=12, random_state=0, **KERNELS[name])
    pipeline = make_pipeline(StandardScaler(), features, LogisticRegression(max_iter=5000))

    prove(pipeline.fit(frame, classes(3, rows=150)), frame)


@pytest.mark.parametrize("name", [*KERNELS, "poly"])
def test_principal_components_of_a_kernel_equal_scikit_learn(name: str) -> None:
    frame = numbers(rows=150)
    parameters = KERNELS.get(name, {"kernel": "poly", "degree": 2})
    pipeline = make_pipeline(StandardScaler(), KernelPCA(3, **parameters), LogisticRegression())

    prove(pipeline.fit(frame, classes(3, rows=150)), frame)


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_exact_is_refused_by_name(what: str) -> None:
    estimator, reason = REFUSED[what]
    fitted = estimator.fit(numbers(rows=20), values(rows=20))

    with pytest.raises(ConversionRefused, match=reason):
        convert(fitted, [None] * 6)
