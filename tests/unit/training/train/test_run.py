"""Gates, manifest, baseline and served labels of a run agree."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import Ridge
from sklearn.metrics import (
    mean_absolute_error,
    r2_score,
    roc_auc_score,
    root_mean_squared_error,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from functions.monitor.performance.measure import binary_metrics, dropped_metrics
from sklambda.decision import label_positions
from sklambda.package import ModelPackage
from sklambda.predictor import Predictor
from training.data.findings import Finding
from training.errors import ConfigurationError, DataError, QualityGateFailed
from training.train import data
from training.train.config import Data
from training.train.run import Outcome, run

PIPELINE = """
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

LINEAR, TREE = LogisticRegression(), DecisionTreeClassifier(max_depth=3)
HUBER = SGDClassifier(loss="modified_huber", random_state=0)

def build():
    return make_pipeline(StandardScaler(), {classifier})
"""
PLAIN = "LINEAR"
ABOVE = "FixedThresholdClassifier(LINEAR, threshold=0.9, response_method='predict_proba')"
TUNED = "TunedThresholdClassifierCV(LINEAR, cv=3)"
MACHINE = "SVC()"
VOTES = "VotingClassifier([('linear', LINEAR), ('tree', TREE)])"

NO_YES = ("No", "Yes")

type Train = Callable[..., Outcome]


def _table(classes: tuple[object, ...]) -> pd.DataFrame:
    drawn = np.random.default_rng(0)
    a, b = drawn.normal(size=(2, 1500))
    share = pd.Series(a + 0.7 * drawn.normal(size=1500)).rank(pct=True)
    codes = np.ceil(share * len(classes)).astype(int) - 1
    return pd.DataFrame({"a": a, "b": b, "y": [classes[code] for code in codes]})


@pytest.fixture
def train(tmp_path: Path) -> Train:
    """Trains a classifier on rows of the classes, with overrides of the configuration."""

    def train(classifier: str, classes: tuple[object, ...], *overrides: str) -> Outcome:
        (tmp_path / "pipeline.py").write_text(PIPELINE.replace("{classifier}", classifier))
        config = tmp_path / "train.toml"
        config.write_text(
            'name = "m"\n[data]\ntarget = "y"\n[pipeline]\nbuild = "pipeline:build"\n'
        )
        source = tmp_path / "rows.csv"
        _table(classes).to_csv(source, index=False)
        return run(config, source=source, out=tmp_path / "package", overrides=overrides)

    return train


def test_a_gate_counts_the_labels_that_are_served(train: Train) -> None:
    with pytest.raises(QualityGateFailed, match=r"accuracy is 0\.65.* must be at least 0\.75"):
        train(ABOVE, NO_YES, "gates.accuracy=0.75")


@pytest.mark.parametrize(
    ("classifier", "classes"),
    [
        (ABOVE, NO_YES),
        (TUNED, (False, True)),
        (PLAIN, (0, 1)),
        (MACHINE, NO_YES),
        (VOTES, NO_YES),
        (PLAIN, ("a / b", "c", "neither, nor")),
    ],
    ids=["threshold", "tuned", "plain", "support vectors", "hard votes", "three classes"],
)
def test_gate_manifest_baseline_and_served_labels_have_one_accuracy(
    train: Train, tmp_path: Path, classifier: str, classes: tuple[object, ...]
) -> None:
    package = train(classifier, classes, "gates.accuracy=0.5").package

    held_out = data.split(data.read(tmp_path / "rows.csv", Data(target="y")), 0.2, 0)[1]
    labels, _ = _served(package, held_out.features)
    accuracy = float((labels == held_out.target).mean())
    assert package.baseline is not None
    assert package.manifest.metrics == package.baseline.metrics
    assert package.manifest.metrics["accuracy"].value == accuracy
    with pytest.raises(QualityGateFailed, match=f"accuracy is {accuracy:.4f}"):
        train(classifier, classes, f"gates.accuracy={np.nextafter(accuracy, 1)}")


def test_the_monitor_calls_nothing_worse_on_the_rows_of_training(train: Train) -> None:
    package = train(ABOVE, NO_YES).package
    table = _table(NO_YES)

    labels, scores = _served(package, table[["a", "b"]])
    seen = binary_metrics(scores[:, 1], labels == "Yes", (table["y"] == "Yes").to_numpy())

    assert package.baseline is not None
    assert {*package.baseline.metrics} >= {*seen}
    assert list(dropped_metrics(package.baseline.metrics, seen)) == []


@pytest.mark.parametrize(
    "classifier",
    [
        "FixedThresholdClassifier(HUBER, threshold=2.0, response_method='decision_function')",
        "SVC()",
    ],
)
def test_the_area_is_that_of_the_scores_that_are_served(
    train: Train, tmp_path: Path, classifier: str
) -> None:
    package = train(classifier, NO_YES).package

    held_out = data.split(data.read(tmp_path / "rows.csv", Data(target="y")), 0.2, 0)[1]
    _, decisions = _served(package, held_out.features)
    area = roc_auc_score(held_out.target == "Yes", decisions[:, 0])
    assert package.signature.target.scores == "decision"
    assert package.manifest.metrics["roc_auc"].value == pytest.approx(area, rel=1e-12)
    assert not {"brier", "log_loss"} & package.manifest.metrics.keys()


def test_only_the_manifest_has_the_confidence_of_the_configuration(train: Train) -> None:
    package = train(PLAIN, NO_YES, "evaluation.confidence=0.5").package

    assert package.baseline is not None
    for name, half in package.manifest.metrics.items():
        usual = package.baseline.metrics[name]
        assert half.value == usual.value
        assert usual.low < half.low < half.high < usual.high


def test_a_gate_on_probabilities_that_a_model_does_not_have_is_missed(train: Train) -> None:
    with pytest.raises(QualityGateFailed, match=r"log_loss .* needs served probabilities"):
        train(MACHINE, NO_YES, "gates.log_loss=9")


def test_a_regressor_is_measured_and_held_to_its_gates(tmp_path: Path) -> None:
    config = _regression(tmp_path, "TransformedTargetRegressor(Ridge())")

    package = run(config, source=None, out=tmp_path / "package").package

    table = data.read(tmp_path / "rows.csv", Data(target="y"))
    trained, held_out = data.split(table, 0.2, 0)
    model = make_pipeline(StandardScaler(), Ridge()).fit(trained.features, trained.target)
    values = model.predict(held_out.features)
    found = {name: metric.value for name, metric in package.manifest.metrics.items()}
    assert package.signature.target.task == "regression"
    assert found == {
        "bias": pytest.approx(np.mean(values - held_out.target)),
        "mean_absolute_error": pytest.approx(mean_absolute_error(held_out.target, values)),
        "root_mean_squared_error": pytest.approx(root_mean_squared_error(held_out.target, values)),
        "r2": pytest.approx(r2_score(held_out.target, values)),
    }
    with pytest.raises(QualityGateFailed, match=r"r2 is 0\.\d+ and must be at least 0\.999"):
        run(config, source=None, out=tmp_path / "package", overrides=["gates.r2=0.999"])
    with pytest.raises(QualityGateFailed, match=r"mean_absolute_error is .* at most 0"):
        run(config, source=None, out=tmp_path / "p", overrides=["gates.mean_absolute_error=0"])


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("gates.roc_auc=0.5", "`gates.roc_auc` is no metric of a regression: those are mean_abs"),
        ("evaluation.positive=yes", "`evaluation.positive` must be a class of the target: none"),
        ("data.task=classification", "has numbers with decimals, which are no classes"),
    ],
)
def test_what_a_regression_does_not_have_is_refused_before_the_fit(
    tmp_path: Path, override: str, sentence: str
) -> None:
    config = _regression(tmp_path, "Ridge()")

    with pytest.raises((ConfigurationError, DataError), match=sentence):
        run(config, source=None, out=tmp_path / "package", overrides=[override])


def test_a_class_that_is_nearly_spelt_is_suggested(train: Train) -> None:
    with pytest.raises(ConfigurationError, match=r"did you mean `Yes`\?"):
        train(PLAIN, NO_YES, "evaluation.positive=yes")


def test_a_search_around_the_whole_pipeline_is_a_pipeline(tmp_path: Path) -> None:
    pipeline = "make_pipeline(StandardScaler(), Ridge())"
    search = f"GridSearchCV({pipeline}, {{'ridge__alpha': [1, 9]}}, cv=3)"
    config = _regression(tmp_path, search, whole=True)

    package = run(config, source=None, out=tmp_path / "package").package

    assert package.manifest.metrics["r2"].value > 0.5


def test_what_is_worth_a_look_is_told_before_the_fit_and_stops_a_strict_run(
    tmp_path: Path,
) -> None:
    config = _regression(tmp_path, "Ridge()")
    rows = pd.read_csv(tmp_path / "rows.csv")
    rows.assign(c=1).to_csv(tmp_path / "rows.csv", index=False)
    told: list[str] = []

    def tell(findings: Sequence[Finding]) -> None:
        told.extend(map(str, findings))

    run(config, source=None, out=tmp_path / "package", tell=tell)

    sentence = "column `c` has the same value in every row"
    assert [one.partition(":")[0] for one in told] == [sentence]
    with pytest.raises(DataError, match=f"--strict: {sentence}"):
        run(config, source=None, out=tmp_path / "strict", strict=True)
    looked_at = ['data.accepted=["c"]']
    run(config, source=None, out=tmp_path / "strict", strict=True, overrides=looked_at)


def _regression(folder: Path, model: str, whole: bool = False) -> Path:
    build = model if whole else f"make_pipeline(StandardScaler(), {model})"
    (folder / "pipeline.py").write_text(
        "from sklearn.compose import TransformedTargetRegressor\n"
        "from sklearn.linear_model import Ridge\n"
        "from sklearn.model_selection import GridSearchCV\n"
        "from sklearn.pipeline import make_pipeline\n"
        "from sklearn.preprocessing import StandardScaler\n"
        f"def build(): return {build}\n"
    )
    config = folder / "train.toml"
    config.write_text(
        'name = "m"\n[data]\ntarget = "y"\npath = "rows.csv"\n'
        '[pipeline]\nbuild = "pipeline:build"\n'
    )
    drawn = np.random.default_rng(3)
    a, b = drawn.normal(size=(2, 400))
    y = 3 * a - b + drawn.normal(size=400)
    pd.DataFrame({"a": a, "b": b, "y": y}).to_csv(folder / "rows.csv", index=False)
    return config


def _served(package: ModelPackage, frame: pd.DataFrame) -> tuple[NDArray[Any], NDArray[np.float64]]:
    rows: Any = frame.to_dict("records")
    scores = Predictor.open(package.path).score(rows)
    target = package.signature.target
    return np.array(target.classes)[label_positions(target, scores)[:, 0]], scores
