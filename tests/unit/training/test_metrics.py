from time import process_time

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics

from sklambda.decision import label_positions
from sklambda.signature import Target
from training.errors import DataError, QualityGateFailed
from training.metrics import Metric, Plan, check_gates, measure

type Sample = tuple[NDArray[np.str_], NDArray[np.float64], NDArray[np.str_]]


def _sample(classes: int, rows: int = 300) -> Sample:
    """Labels, probabilities that know something of them, and the classes."""
    rng = np.random.default_rng(classes)
    names = np.array([f"class {place:02}" for place in range(classes)], dtype=object)
    codes = np.concatenate([np.arange(classes), rng.integers(0, classes, rows - classes)])
    probabilities = rng.dirichlet(np.ones(classes), rows) + 0.2 * np.eye(classes)[codes]
    return names[codes], probabilities / probabilities.sum(axis=1, keepdims=True), names


def _evaluate(
    sample: Sample, *, seed: int = 1, resamples: int = 100, positive: object = None
) -> dict[str, Metric]:
    truth, scores, names = sample
    classes = tuple(names.tolist())
    target = Target(task="binary" if len(classes) == 2 else "multiclass", classes=classes)
    return measure(
        target,
        scores,
        label_positions(target, scores),
        np.searchsorted(names, truth)[:, None],
        Plan(positive, resamples, seed),
    )


def test_metrics_of_two_classes_are_those_of_scikit_learn() -> None:
    truth, scores, names = sample = _sample(2)

    found = {name: metric.value for name, metric in _evaluate(sample).items()}

    second, labels = truth == names[1], scores.argmax(axis=1)
    assert found == {
        "precision": metrics.precision_score(second, labels),
        "recall": metrics.recall_score(second, labels),
        "f1": metrics.f1_score(second, labels),
        "roc_auc": metrics.roc_auc_score(truth, scores[:, 1]),
        "average_precision": metrics.average_precision_score(second, scores[:, 1]),
        "brier": metrics.brier_score_loss(second, scores[:, 1]),
        "log_loss": metrics.log_loss(truth, scores),
        "accuracy": metrics.accuracy_score(truth, names[scores.argmax(axis=1)]),
    }


@pytest.mark.parametrize("classes", [3, 20])
def test_metrics_of_many_classes_are_those_of_scikit_learn(classes: int) -> None:
    truth, scores, names = sample = _sample(classes)

    found = {name: metric.value for name, metric in _evaluate(sample).items()}

    assert found == pytest.approx(
        {
            "roc_auc": metrics.roc_auc_score(
                truth, scores, multi_class="ovr", average="weighted", labels=names
            ),
            "log_loss": metrics.log_loss(truth, scores, labels=names),
            "accuracy": metrics.accuracy_score(truth, names[scores.argmax(axis=1)]),
        },
        rel=1e-12,
    )


def test_tied_scores_rank_as_in_scikit_learn() -> None:
    truth, scores, names = _sample(3)
    coarse = np.round(scores, 1) + 0.01
    coarse /= coarse.sum(axis=1, keepdims=True)

    found = _evaluate((truth, coarse, names))["roc_auc"].value

    assert found == pytest.approx(
        metrics.roc_auc_score(truth, coarse, multi_class="ovr", average="weighted"), rel=1e-12
    )


def test_average_precision_looks_for_the_class_that_is_named() -> None:
    truth, scores, names = sample = _sample(2)

    found = _evaluate(sample, positive="class 00")["average_precision"].value

    assert found == metrics.average_precision_score(truth == names[0], scores[:, 0])


def test_a_positive_class_may_be_a_number() -> None:
    truth, scores, _ = _sample(2)
    codes = (truth == "class 01").astype(int)

    numbered = _evaluate((codes, scores, np.array([0, 1])), positive=1)

    assert numbered["average_precision"] == _evaluate(_sample(2))["average_precision"]


@pytest.mark.parametrize(("classes", "positive"), [(2, "other"), (3, "class 01")])
def test_a_positive_class_must_be_one_of_two(classes: int, positive: str) -> None:
    with pytest.raises(DataError, match=r"`evaluation\.positive`"):
        _evaluate(_sample(classes), positive=positive)


@pytest.mark.parametrize("classes", [2, 4])
def test_intervals_hold_the_value(classes: int) -> None:
    for metric in _evaluate(_sample(classes)).values():
        interval = metric.interval()
        assert interval.low < metric.value < interval.high


def test_the_interval_of_accuracy_is_that_of_a_proportion() -> None:
    truth, scores, names = sample = _sample(2, rows=1000)

    accuracy = _evaluate(sample, resamples=1000)["accuracy"].interval()

    share = metrics.accuracy_score(truth, names[scores.argmax(axis=1)])
    half_width = 1.96 * np.sqrt(share * (1 - share) / 1000)
    assert accuracy.high - accuracy.low == pytest.approx(2 * half_width, rel=0.1)


def test_the_same_seed_gives_the_same_intervals() -> None:
    sample = _sample(2)

    assert _evaluate(sample, seed=4) == _evaluate(sample, seed=4)
    assert _evaluate(sample, seed=4) != _evaluate(sample, seed=5)


@pytest.mark.parametrize("classes", [2, 5])
def test_a_class_of_one_row_leaves_every_interval_defined(classes: int) -> None:
    truth, scores, names = _sample(classes, rows=60)
    truth[truth == names[1]] = names[0]
    truth[7] = names[1]

    found = _evaluate((truth, scores, names))

    assert found.keys() >= {"accuracy", "roc_auc", "log_loss"}
    assert all(np.isfinite(list(vars(one.interval()).values())).all() for one in found.values())


@pytest.mark.parametrize("classes", [2, 10])
def test_200_resamples_of_1400_rows_take_under_five_processor_seconds(
    classes: int,
) -> None:
    sample = _sample(classes, rows=1400)

    started = process_time()
    _evaluate(sample, resamples=200)

    assert process_time() - started < 5


MEASURED = {"roc_auc": Metric(0.8, (0.7, 0.9)), "brier": Metric(0.2, (0.1, 0.3))}


@pytest.mark.parametrize(
    "gates", [{}, {"roc_auc": 0.8}, {"brier": 0.2}, {"roc_auc": 0.5, "brier": 0.9}]
)
def test_a_metric_on_the_right_side_of_its_gate_passes(gates: dict[str, float]) -> None:
    check_gates(MEASURED, gates)


def test_a_score_below_its_gate_is_named_with_both_numbers() -> None:
    with pytest.raises(QualityGateFailed, match=r"roc_auc is 0\.8000 and must be at least 0\.9"):
        check_gates(MEASURED, {"roc_auc": 0.9})


def test_a_loss_above_its_gate_is_named_with_both_numbers() -> None:
    with pytest.raises(QualityGateFailed, match=r"brier is 0\.2000 and must be at most 0\.1"):
        check_gates(MEASURED, {"brier": 0.1})


def test_every_gate_that_is_missed_is_named() -> None:
    with pytest.raises(QualityGateFailed, match=r"roc_auc .*; brier "):
        check_gates(MEASURED, {"roc_auc": 0.9, "brier": 0.1})


def test_a_gate_on_what_is_not_measured_is_missed() -> None:
    with pytest.raises(QualityGateFailed, match="average_precision"):
        check_gates(MEASURED, {"average_precision": 0.1})


def test_a_gate_on_what_no_row_decides_says_what_it_needs() -> None:
    with pytest.raises(
        QualityGateFailed, match=r"precision .* needs two classes and held-out rows"
    ):
        check_gates(MEASURED, {"precision": 0.1})


def test_labels_are_those_of_the_threshold() -> None:
    target = Target(task="binary", classes=(0, 1), threshold=0.9)
    scores = np.array([[0.4, 0.6], [0.3, 0.7], [0.05, 0.95], [0.9, 0.1]])

    found = measure(target, scores, label_positions(target, scores), np.array([[1], [1], [1], [0]]))

    values = {name: found[name].value for name in ("accuracy", "precision", "recall", "f1")}
    assert values == {"accuracy": 0.5, "precision": 1.0, "recall": 1 / 3, "f1": 0.5}
    assert found["roc_auc"].value == 1.0


def test_decisions_rank_and_are_no_probabilities() -> None:
    truth, scores, _ = _sample(2)
    target = Target(task="binary", scores="decision", classes=(False, True))
    decisions, true = scores[:, 1:] - 0.5, (truth == "class 01").astype(int)[:, None]

    found = measure(target, decisions, label_positions(target, decisions), true)
    other = measure(
        target, decisions, label_positions(target, decisions), true, Plan(positive=False)
    )

    same = _evaluate(_sample(2))
    assert found.keys() == same.keys() - {"brier", "log_loss"}
    assert all(found[name].value == same[name].value for name in found)
    assert other["average_precision"].value == metrics.average_precision_score(
        true[:, 0] == 0, -decisions[:, 0]
    )


def test_of_labels_alone_nothing_ranks() -> None:
    target = Target(task="binary", scores="label", classes=("no", "yes"))
    labels = np.array([[0], [1], [1]])

    found = measure(target, np.eye(2)[labels[:, 0]], labels, np.array([[0], [1], [0]]))

    assert list(found) == ["accuracy", "precision", "recall", "f1"]


def test_what_no_row_decides_is_left_out() -> None:
    target = Target(task="binary", classes=("no", "yes"))
    scores, labels = np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([[0], [0]])

    found = measure(target, scores, labels, labels)

    assert list(found) == ["accuracy", "brier", "log_loss"]
    assert measure(target, scores[:0], labels[:0], labels[:0]) == {}


def test_an_interval_covers_the_share_of_resamples_that_it_says() -> None:
    accuracy = _evaluate(_sample(2))["accuracy"]

    inside = accuracy.interval(0.5)

    share = np.mean([inside.low <= value <= inside.high for value in accuracy.resampled])
    assert share == pytest.approx(0.5, abs=0.1)
    assert accuracy.interval() == accuracy.interval(0.95)
