"""Linear models of kernels equal scikit-learn, or are refused."""

from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import KernelPCA
from sklearn.kernel_approximation import (
    AdditiveChi2Sampler,
    Nystroem,
    RBFSampler,
    SkewedChi2Sampler,
)
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.semi_supervised import LabelPropagation, LabelSpreading

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


FEATURES: dict[str, Any] = {
    "cosines": RBFSampler(n_components=20, random_state=0),
    "skewed": SkewedChi2Sampler(n_components=10, random_state=0),
    "additive": AdditiveChi2Sampler(),
    "additive, three steps": AdditiveChi2Sampler(sample_steps=3),
}


@pytest.mark.parametrize("name", FEATURES)
def test_features_of_an_approximated_kernel_equal_scikit_learn(name: str) -> None:
    frame = numbers(rows=80)[["grid", "skewed"]]
    pipeline = make_pipeline(MinMaxScaler(clip=True), FEATURES[name], LogisticRegression())

    prove(pipeline.fit(frame, classes(2, rows=80)), frame)


@pytest.mark.parametrize("classifier", [LabelPropagation, LabelSpreading])
def test_labels_spread_by_a_kernel_equal_scikit_learn(classifier: Any) -> None:
    frame = numbers(rows=80)[["grid", "skewed"]]
    pipeline = make_pipeline(MinMaxScaler(clip=True), classifier(gamma=5))
    labels = np.where(np.arange(80) % 4, classes(2, rows=80), -1)

    prove(pipeline.fit(frame, labels), frame)


def test_labels_spread_by_neighbours_are_refused_with_a_remedy() -> None:
    fitted = LabelSpreading(kernel="knn").fit(numbers()[["grid"]], classes(2))

    with pytest.raises(ConversionRefused, match=r"kernel='knn'.*: use kernel='rbf'"):
        convert(fitted, [None])
