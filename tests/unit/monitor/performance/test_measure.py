"""Performance is measured by the task: values, many classes, several targets."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from functions.monitor.judge import judge
from functions.monitor.results import Results
from sklambda.arrays import FloatMatrix, IntMatrix
from sklambda.decision import label_positions, labels_at
from sklambda.package import ModelPackage
from sklambda.policy.watching import Watching
from sklambda.predictor import Predictor
from sklambda.signature import Feature, Signature, Target
from sklambda.sketch.baseline import Baseline
from sklambda.storage import Directory
from tests.support.capturing import HOUR, NOON, Capture, deliver, line, package, put_outcomes
from training.baseline.monitoring_files import HeldOut, baseline
from training.exporter import export

ROWS = 600
MANY = Target(name="kind", task="multiclass", classes=("a", "b", "c"))
SEVERAL = Target(
    task="multioutput",
    parts=(Target(name="one", task="binary", classes=(0, 1)), MANY),
)


def captures(X: FloatMatrix, scores: FloatMatrix, labels: list[object]) -> list[Capture]:
    return [
        {
            "prediction_id": f"a-{place}",
            "features": {f"x{k}": value for k, value in enumerate(row)},
            "scores": score,
            "label": label,
            "warnings": [],
        }
        for place, (row, score, label) in enumerate(
            zip(X.tolist(), scores.tolist(), labels, strict=True)
        )
    ]


def run(storage: Directory, trained: ModelPackage, base: Baseline) -> Results:
    return judge(storage, trained, base, Watching(), NOON, NOON)


class Regression:
    """A regressor whose errors grow with the first feature, with its error model."""

    def __init__(self, folder: Path) -> None:
        X, y = self.draw(2000, seed=1)
        other, truth = self.draw(2000, seed=2)
        pipeline = make_pipeline(LinearRegression()).fit(X, y)
        held_out = (other, truth)
        self.package = export(pipeline, X, out=folder, name="errors", target="y", held_out=held_out)

    @staticmethod
    def draw(rows: int, seed: int) -> tuple[pd.DataFrame, pd.Series]:
        drawn = np.random.default_rng(seed)
        frame = pd.DataFrame(drawn.uniform(0, 1, (rows, 2)), columns=["x0", "x1"])
        noise = drawn.normal(0, 0.2 + 2 * frame["x0"], rows)
        return frame, pd.Series(3 * frame["x0"] + noise, name="y")


@pytest.fixture(scope="module")
def regression(tmp_path_factory: pytest.TempPathFactory) -> Regression:
    return Regression(tmp_path_factory.mktemp("package") / "regression")


def served(storage: Directory, trained: ModelPackage, X: FloatMatrix) -> None:
    scores = Predictor(trained).run(X)
    found = captures(X, scores, [None] * len(X))
    deliver(storage, NOON - HOUR, [line(found, model=trained.manifest.id)])


def test_the_error_of_a_regressor_is_estimated_and_realised(
    regression: Regression, tmp_path: Path
) -> None:
    storage, trained = Directory(tmp_path), regression.package
    drawn = np.random.default_rng(3)
    X = drawn.uniform((0.7, 0), 1, (ROWS, 2))
    true = 3 * X[:, 0] + drawn.normal(0, 0.2 + 2 * X[:, 0])
    served(storage, trained, X)
    put_outcomes(storage, NOON - HOUR, [(f"a-{k}", value) for k, value in enumerate(true.tolist())])
    base = trained.baseline
    assert base is not None

    [found] = run(storage, trained, base).performance

    error = np.abs(Predictor(trained).run(X)[:, 0] - true).mean()
    assert found.realised["mean_absolute_error"].value == pytest.approx(error)
    assert found.estimated["mean_absolute_error"].value == pytest.approx(error, rel=0.1)
    assert error > 1.3 * found.trained["mean_absolute_error"].value
    assert "mean_absolute_error" in found.dropped
    assert "estimated mean_absolute_error" in found.dropped
    assert found.concept is None


def test_without_outcomes_the_error_of_a_regressor_is_estimated(
    regression: Regression, tmp_path: Path
) -> None:
    storage, trained = Directory(tmp_path), regression.package
    served(storage, trained, Regression.draw(ROWS, seed=5)[0].to_numpy())
    base = trained.baseline
    assert base is not None

    results = run(storage, trained, base)

    [found] = results.performance
    assert found.realised == {}
    assert found.dropped == ()
    expected = found.trained["mean_absolute_error"].value
    assert found.estimated["mean_absolute_error"].value == pytest.approx(expected, rel=0.1)
    assert results.history[0].estimated.keys() == {"mean_absolute_error"}


class Classes:
    """Scores that are the probabilities of the classes of a target."""

    def __init__(self, target: Target) -> None:
        features = tuple(Feature(name=f"x{k}", kind="number", nullable=False) for k in range(2))
        self.signature = Signature(features=features, target=target)
        X, scores, true = self.draw(4000, seed=1)
        held_out = HeldOut(scores, label_positions(target, scores), true)
        self.baseline = baseline(self.signature, X, held_out).replace(calibrators={})

    def draw(self, rows: int, seed: int) -> tuple[FloatMatrix, FloatMatrix, IntMatrix]:
        drawn, target = np.random.default_rng(seed), self.signature.target
        columns, true = [], []
        for part in target.parts or (target,):
            weights = drawn.dirichlet(np.ones(len(part.classes)), rows)
            columns.append(weights)
            true.append((weights.cumsum(axis=1) < drawn.random((rows, 1))).sum(axis=1))
        X = drawn.normal(0, 1, (rows, 2))
        return X, np.concatenate(columns, axis=1), np.stack(true, axis=1)


def test_of_many_classes_the_accuracy_is_measured(tmp_path: Path) -> None:
    storage, model = Directory(tmp_path), Classes(MANY)
    X, scores, true = model.draw(ROWS, seed=2)
    predicted = label_positions(MANY, scores)
    named = [one[0] for one in labels_at(MANY, predicted)]
    deliver(storage, NOON - HOUR, [line(captures(X, scores, list(named)))])
    outcomes = [(f"a-{k}", MANY.classes[one]) for k, one in enumerate(true[:, 0].tolist())]
    put_outcomes(storage, NOON - HOUR, outcomes)

    [found] = run(storage, package(model.signature), model.baseline).performance

    right = (predicted == true).mean()
    assert found.target == "kind"
    assert found.realised.keys() == found.estimated.keys() == {"accuracy"}
    assert found.realised["accuracy"].value == pytest.approx(right)
    assert found.estimated["accuracy"].value == pytest.approx(right, abs=0.05)
    assert found.concept is not None
    assert not found.concept.alarm


def test_each_of_several_targets_is_measured(tmp_path: Path) -> None:
    storage, model = Directory(tmp_path), Classes(SEVERAL)
    X, scores, true = model.draw(ROWS, seed=2)
    predicted = label_positions(SEVERAL, scores)
    named = [dict(zip(("one", "kind"), one, strict=True)) for one in labels_at(SEVERAL, predicted)]
    deliver(storage, NOON - HOUR, [line(captures(X, scores, list(named)))])
    outcomes = [dict(zip(("one", "kind"), one, strict=True)) for one in labels_at(SEVERAL, true)]
    for place, outcome in enumerate(outcomes):
        put_outcomes(storage, NOON - HOUR, [(f"a-{place}", "both")], outcome=outcome)

    one, kind = run(storage, package(model.signature), model.baseline).performance

    assert (one.target, kind.target) == ("one", "kind")
    right = (predicted == true).mean(axis=0)
    assert one.realised["accuracy"].value == pytest.approx(right[0])
    assert kind.realised["accuracy"].value == pytest.approx(right[1])
    assert one.realised["roc_auc"].value == pytest.approx(one.estimated["roc_auc"].value, abs=0.05)
