"""Whether the metrics that a package records are those of the labels that it serves."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import f1_score, mean_absolute_error, precision_score, recall_score
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from functions.monitor.performance.measure import binary_metrics, dropped_metrics
from sklambda.decision import label_positions
from sklambda.manifest import MetricInterval
from sklambda.package import ModelPackage
from sklambda.predictor import Predictor
from training.exporter import export

SCORES: dict[str, Any] = {"precision": precision_score, "recall": recall_score, "f1": f1_score}
LEARNT = 200
ROWS = 400
DRAWN = np.random.default_rng(5)
FRAME = pd.DataFrame({"a": DRAWN.normal(size=ROWS), "b": DRAWN.integers(0, 5, ROWS)})
HELD_OUT: list[dict[str, object]] = [
    {str(name): value for name, value in row.items()} for row in FRAME[LEARNT:].to_dict("records")
]
SHARE = (FRAME["a"] + FRAME["b"] / 3 + DRAWN.normal(size=ROWS)).rank(pct=True).to_numpy()

LINEAR = LogisticRegression()
TREE = DecisionTreeClassifier(max_depth=3, random_state=0)
PLAIN = {
    "linear": LINEAR,
    "tree": TREE,
    "support vectors": SVC(),
    "hard votes": VotingClassifier([("linear", LINEAR), ("tree", TREE)]),
}
ABOVE = {
    "linear above 0.9": FixedThresholdClassifier(LINEAR, threshold=0.9),
    "tree above 0.9": FixedThresholdClassifier(TREE, threshold=0.9),
}
MODELS = {
    **PLAIN,
    **ABOVE,
    "linear from a decision of -1 on": FixedThresholdClassifier(
        LINEAR, threshold=-1.0, response_method="decision_function"
    ),
    "linear, tuned": TunedThresholdClassifierCV(LINEAR, cv=2),
    "tree, tuned": TunedThresholdClassifierCV(TREE, cv=2, random_state=0),
}


def _labels(*names: object, share: float = 0.5) -> NDArray[Any]:
    """Return labels, the first of two names for all but a share of the rows."""
    codes = 1 - share < SHARE if len(names) == 2 else np.minimum(SHARE * len(names), len(names) - 1)
    codes = codes.astype(int)
    for start in (0, LEARNT):  # each class occurs on both sides, twice
        codes[start : start + 2 * len(names)] = [*range(len(names))] * 2
    return pd.Series(list(names), dtype=object).infer_objects().to_numpy()[codes]


TARGETS = {
    "yes and no": _labels("no", "yes"),
    "0 and 1": _labels(0, 1),
    "true and false": _labels(False, True),
    "one in a hundred": _labels("no", "yes", share=0.01),
    "3 classes": _labels("a / b", "neither, nor", "c"),
    "20 classes": _labels(*(f"part {place}/20 of all" for place in range(20))),
    "3 whole numbers": _labels(0, 1, 2),
}
TWO = [
    *(("yes and no", model) for model in MODELS),
    *(
        (labels, model)
        for labels in ("0 and 1", "true and false", "one in a hundred")
        for model in ("linear", "tree", *ABOVE)
    ),
]
MORE = [
    *(("3 classes", model) for model in PLAIN),
    *(
        (labels, model)
        for labels in ("20 classes", "3 whole numbers")
        for model in ("linear", "tree")
    ),
]


def _export(estimator: Any, true: Any, out: Path) -> ModelPackage:
    """Fit on one half of the rows and hold out the other."""
    names = [*map(str, true)] if isinstance(true, pd.DataFrame) else "y"
    return export(
        make_pipeline(StandardScaler(), estimator).fit(FRAME[:LEARNT], true[:LEARNT]),
        FRAME[:LEARNT],
        out=out,
        name="m",
        target=names,
        held_out=(FRAME[LEARNT:], true[LEARNT:]),
        time_limit=None,
    )


def _recorded(package: ModelPackage) -> dict[str, MetricInterval]:
    """Return the metrics of the manifest, which are those of the baseline."""
    assert package.baseline is not None
    assert package.manifest.metrics == package.baseline.metrics
    return package.manifest.metrics


def _served(package: ModelPackage) -> NDArray[Any]:
    return np.array([one.label for one in Predictor.open(package.path).predict(HELD_OUT)])


@pytest.mark.parametrize(("labels", "model"), TWO)
def test_two_classes(labels: str, model: str, tmp_path: Path) -> None:
    true = TARGETS[labels]

    package = _export(MODELS[model], true, tmp_path / "package")

    found, served = _recorded(package), _served(package)
    positive, expected = served == true.max(), true[LEARNT:] == true.max()
    assert found["accuracy"].value == (served == true[LEARNT:]).mean()
    assert ("precision" in found) == positive.any()
    for name, score in SCORES.items():
        if name in found:
            assert found[name].value == pytest.approx(score(expected, positive), rel=1e-12)


@pytest.mark.parametrize(("labels", "model"), MORE)
def test_more_classes(labels: str, model: str, tmp_path: Path) -> None:
    true = TARGETS[labels]

    package = _export(MODELS[model], true, tmp_path / "package")

    assert _recorded(package)["accuracy"].value == (_served(package) == true[LEARNT:]).mean()


@pytest.mark.parametrize("model", ["linear", "tree", "linear above 0.9"])
def test_several_targets(model: str, tmp_path: Path) -> None:
    true = pd.DataFrame({"up": _labels("no", "yes"), "plan": _labels("free", "paid", share=0.3)})

    package = _export(MultiOutputClassifier(MODELS[model]), true, tmp_path / "package")

    found = _recorded(package)
    answers = [one.targets or {} for one in Predictor.open(package.path).predict(HELD_OUT)]
    for name, column in true[LEARNT:].items():
        served = np.array([answer[str(name)]["label"] for answer in answers])
        assert found[f"{name}: accuracy"].value == (served == column).mean()


@pytest.mark.parametrize("model", [LinearRegression(), DecisionTreeRegressor(max_depth=3)])
def test_values(model: Any, tmp_path: Path) -> None:
    package = _export(model, SHARE, tmp_path / "package")

    served = [one.values or {} for one in Predictor.open(package.path).predict(HELD_OUT)]
    error = mean_absolute_error(SHARE[LEARNT:], [values["y"] for values in served])
    assert _recorded(package)["mean_absolute_error"].value == pytest.approx(error, rel=1e-12)


@pytest.mark.parametrize("model", ["linear above 0.9", "linear from a decision of -1 on"])
def test_the_monitor_calls_nothing_worse_on_the_rows_held_out(model: str, tmp_path: Path) -> None:
    true = TARGETS["yes and no"]
    package = _export(MODELS[model], true, tmp_path / "package")
    scores = Predictor.open(package.path).score(HELD_OUT)
    positive = label_positions(package.signature.target, scores)[:, 0] == 1

    seen = binary_metrics(scores[:, -1], positive, true[LEARNT:] == "yes")

    trained = _recorded(package)
    assert list(dropped_metrics(trained, seen)) == []
    assert {name: one.value for name, one in seen.items()} == pytest.approx(
        {name: trained[name].value for name in seen}, rel=1e-12
    )
