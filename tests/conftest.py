"""Models that the tests of several kinds share."""

from argparse import ArgumentTypeError
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from threadpoolctl import threadpool_limits
from xdist.scheduler import LoadScopeScheduling

from sklambda.predictor import Predictor
from training.examples.churn.pipeline import build
from training.examples.churn.sample import generate
from training.exporter import export

REPOSITORY = Path(__file__).parents[1]
TRAINING = REPOSITORY / "tests/unit/training"
TELCO = REPOSITORY.parent / "shared/data/telco_churn.csv"
CONTAINERS = frozenset((REPOSITORY / "tests/stack", REPOSITORY / "tests/sam_local"))
MODELS = ("hist_gradient_boosting", "logistic_regression")

# The tests of both kinds that run in Lambda containers share one image and one build; those of the
# wheel share that.
pytest_plugins = [
    "tests.support.lambda_containers",
    "tests.support.sam_build",
    "tests.support.installed",
]


@dataclass(frozen=True)
class Trained:
    """A fitted pipeline beside the package made of it.

    Attributes
    ----------
    pipeline : Pipeline
        scikit-learn's own, fitted.
    frame : DataFrame
        The rows of features that it was fitted on.
    package : Path
        The model package.
    """

    pipeline: Any
    frame: pd.DataFrame
    package: Path


type Train = Callable[[str, Path | None], Trained]


def _at_least_1(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"must be a whole number above 0, got {text}")
    return int(text)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of `make quick`."""
    text = "run at most so many cases of each test of training"
    parser.addoption("--cases", type=_at_least_1, metavar="N", help=text)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Choose the cases, and put first the tests in Lambda containers, which take longest."""
    if (most := config.getoption("cases")) is not None:
        items[:] = _chosen(items, most)
    items.sort(key=lambda item: CONTAINERS.isdisjoint(item.path.parents))


class _ByFixtures(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist ships no types
    """Keeps together, where tests run in several processes, what shares costly fixtures.

    That is a file; and all tests in Lambda containers, which share one build. The groups of
    pytest-xdist's own ``loadgroup`` are lost since pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = REPOSITORY / nodeid.partition("::")[0]
        return str(path) if CONTAINERS.isdisjoint(path.parents) else "containers"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Have pytest-xdist distribute files."""
    return _ByFixtures(config, log)


def _chosen(items: list[pytest.Item], most: int) -> Iterator[pytest.Item]:
    """Drop all but the first `most` cases of each test of training."""
    seen: Counter[str] = Counter()
    for item in items:
        test = item.nodeid.partition("[")[0]
        seen[test] += 1
        if seen[test] <= most or TRAINING not in item.path.parents:
            yield item


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Keep scikit-learn to one thread: on a busy machine OpenMP's waiting costs a hundredfold."""
    with threadpool_limits(limits=1):
        yield


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Train:
    """Train the churn example with a model, on a CSV file or on its own sample; once for each."""

    @cache
    def train(model: str, data: Path | None = None) -> Trained:
        table = generate(rows=1500, seed=3) if data is None else pd.read_csv(data)
        frame, target = table.drop(columns=["customerID", "Churn"]), table["Churn"]
        pipeline = build(model=model).fit(frame, target)
        out = tmp_path_factory.mktemp("package") / model
        package = export(pipeline, frame, out=out, name="churn", target="Churn")
        return Trained(pipeline, frame, package.path)

    return train


@pytest.fixture(scope="session")
def telco() -> Path:
    """The real churn data."""
    if not TELCO.exists():
        pytest.skip("the Telco churn data is not in ../shared/data")
    return TELCO


@pytest.fixture(scope="session", params=MODELS)
def model(request: pytest.FixtureRequest) -> str:
    """Each model of the example."""
    return str(request.param)


@pytest.fixture(scope="session")
def churn(trained: Train) -> Trained:
    """The example as it comes."""
    return trained(MODELS[0], None)


@pytest.fixture
def predictor(churn: Trained) -> Predictor:
    """A predictor of the example."""
    return Predictor.open(churn.package)
