"""Linear regressors equal scikit-learn."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.cross_decomposition import CCA, PLSCanonical, PLSRegression
from sklearn.linear_model import (
    ARDRegression,
    BayesianRidge,
    ElasticNet,
    ElasticNetCV,
    GammaRegressor,
    HuberRegressor,
    Lars,
    LarsCV,
    Lasso,
    LassoCV,
    LassoLars,
    LassoLarsCV,
    LassoLarsIC,
    LinearRegression,
    MultiTaskElasticNet,
    MultiTaskElasticNetCV,
    MultiTaskLasso,
    MultiTaskLassoCV,
    OrthogonalMatchingPursuit,
    OrthogonalMatchingPursuitCV,
    PassiveAggressiveRegressor,
    PoissonRegressor,
    QuantileRegressor,
    RANSACRegressor,
    Ridge,
    RidgeCV,
    SGDRegressor,
    TheilSenRegressor,
    TweedieRegressor,
)
from sklearn.neighbors import RadiusNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVR

from sklambda.session import INPUT, Session
from tests.support.proof import numbers, prove, values
from training.convert import CONVERTERS
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.scope import Scope
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:Class PassiveAggressive:FutureWarning"),
    # A solver of generalised models, on features that are not scaled.
    pytest.mark.filterwarnings("ignore:invalid value encountered in matmul:RuntimeWarning"),
]

EITHER: dict[str, Callable[[], Any]] = {
    "least squares": lambda: LinearRegression(),
    "positive": lambda: LinearRegression(positive=True),
    "without intercept": lambda: LinearRegression(fit_intercept=False),
    "ridge": lambda: Ridge(),
    "ridge, cross-validated": lambda: RidgeCV(),
    "lasso": lambda: Lasso(),
    "elastic net": lambda: ElasticNet(),
    "lasso by angles": lambda: LassoLars(),
    "least angles": lambda: Lars(),
    "matching pursuit": lambda: OrthogonalMatchingPursuit(),
    "partial least squares": lambda: PLSRegression(),
    "consensus": lambda: RANSACRegressor(random_state=0),
    "consensus of ridges": lambda: RANSACRegressor(Ridge(), min_samples=20, random_state=0),
}
ONE: dict[str, Callable[[], Any]] = {
    "lasso, cross-validated": lambda: LassoCV(cv=2),
    "elastic net, cross-validated": lambda: ElasticNetCV(cv=2),
    "lasso by angles, cross-validated": lambda: LassoLarsCV(cv=2),
    "lasso by information": lambda: LassoLarsIC(),
    "least angles, cross-validated": lambda: LarsCV(cv=2),
    "matching pursuit, cross-validated": lambda: OrthogonalMatchingPursuitCV(cv=2),
    "bayesian ridge": lambda: BayesianRidge(),
    "relevance": lambda: ARDRegression(),
    "huber": lambda: HuberRegressor(),
    "median of planes": lambda: TheilSenRegressor(max_subpopulation=50, random_state=0),
    "quantile": lambda: QuantileRegressor(quantile=0.8),
    "stochastic": lambda: SGDRegressor(random_state=0),
    "stochastic, epsilon insensitive": lambda: SGDRegressor(
        loss="epsilon_insensitive", random_state=0
    ),
    "passive-aggressive": lambda: PassiveAggressiveRegressor(random_state=0),
    "support vectors": lambda: LinearSVR(random_state=0),
    "poisson": lambda: PoissonRegressor(),
    "gamma": lambda: GammaRegressor(),
    "tweedie 0": lambda: TweedieRegressor(),
    "tweedie 0, log": lambda: TweedieRegressor(link="log"),
    "tweedie 1.5": lambda: TweedieRegressor(power=1.5),
    "tweedie 1.5, identity": lambda: TweedieRegressor(power=1.5, link="identity"),
    "tweedie 3": lambda: TweedieRegressor(power=3),
}
SEVERAL: dict[str, Callable[[], Any]] = {
    "lasso of tasks": lambda: MultiTaskLasso(),
    "lasso of tasks, cross-validated": lambda: MultiTaskLassoCV(cv=2),
    "elastic net of tasks": lambda: MultiTaskElasticNet(),
    "elastic net of tasks, cross-validated": lambda: MultiTaskElasticNetCV(cv=2),
    "canonical": lambda: PLSCanonical(n_components=2),
    "correlation": lambda: CCA(n_components=2),
}


@pytest.mark.parametrize("scaled", [False, True], ids=["raw", "scaled"])
@pytest.mark.parametrize("name", EITHER | ONE)
def test_a_regressor_equals_scikit_learn(name: str, scaled: bool) -> None:
    frame, regressor = numbers(), (EITHER | ONE)[name]()
    pipeline = make_pipeline(StandardScaler(), regressor) if scaled else regressor

    prove(pipeline.fit(frame, values()), frame, full=name == next(iter(EITHER)))


@pytest.mark.parametrize("scaled", [False, True], ids=["raw", "scaled"])
@pytest.mark.parametrize("name", EITHER | SEVERAL)
def test_a_regressor_of_two_outputs_equals_scikit_learn(name: str, scaled: bool) -> None:
    frame, regressor = numbers(), (EITHER | SEVERAL)[name]()
    pipeline = make_pipeline(StandardScaler(), regressor) if scaled else regressor

    prove(pipeline.fit(frame, values(2)), frame)


@pytest.mark.parametrize("latent", [PLSRegression(), PLSCanonical(), CCA()], ids=str)
def test_a_latent_projection_equals_scikit_learn(latent: Any) -> None:
    X = numbers().to_numpy(dtype=np.float64)
    latent.fit(X, values(2))
    graph = Graph()
    outputs = Scope(graph, CONVERTERS).predict(
        "latent", latent, Matrix(INPUT, (None,) * X.shape[1])
    )

    assert outputs.transformed is not None
    found = Session(graph.build(X.shape[1], outputs.transformed)).run(X)

    np.testing.assert_allclose(found, latent.transform(X), rtol=1e-9, atol=1e-9)


def test_the_estimator_of_a_consensus_is_refused_where_it_would_be_alone() -> None:
    frame = numbers()[["grid", "whole"]]
    consensus = RANSACRegressor(RadiusNeighborsRegressor(100.0), min_samples=20, random_state=0)

    with pytest.raises(ConversionRefused, match=r"^estimator: .*\.RadiusNeighborsRegressor has no"):
        Conversion(consensus.fit(frame, values()), frame, kinds_of(frame)).convert()
