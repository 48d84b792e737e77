"""A baseline holds the counts of training, fits its signature, and discloses no row."""

import json
from typing import Any

import numpy as np
import pytest

from functions.monitor.drift.compare import compare
from sklambda.arrays import FloatMatrix
from sklambda.decision import label_positions
from sklambda.errors import DocumentInvalid
from sklambda.predictor import Predictor
from sklambda.signature import Analyzer, Feature, Signature, Target, TermCounts
from sklambda.sketch.baseline import Baseline, Calibrator
from sklambda.sketch.ruler import TENTHS, Ruler
from sklambda.sketch.sketch import to_json
from sklambda.sketch.sketcher import Sketcher, count_numbers
from sklambda.sketch.watched_scores import watched_scores
from tests.conftest import Trained
from tests.support.drifting import SIGNATURE, answers, matrix, reference
from training.baseline.monitoring_files import HeldOut, baseline, calibrate
from training.baseline.rulers import (
    CROWD,
    quantile_ruler,
    share_ruler,
    tenth_ruler,
    tenths,
    with_edge,
)
from training.frames import client_rows, kinds_of

BASE = reference(rows=5000)
EVEN = Calibrator(scores=(0.5,), chances=(0.5,), rows=9)
REGRESSOR = Target(task="regression", scores="value", outputs=("y",))


def test_json_says_all() -> None:
    assert Baseline.read(to_json(BASE), SIGNATURE) == BASE


def test_thirty_columns_are_small() -> None:
    assert len(to_json(reference())) < 64_000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": {}}, "features: differ from"),
        ({"scores": {}}, "scores: differ from"),
        ({"labels": {}}, "labels: differ from"),
        ({"weights": {"other": 1.0}}, "calibrators or errors: unknown name"),
        (
            {"calibrators": {"other": Calibrator(scores=(0.5,), chances=(0.5,), rows=9)}},
            "calibrators or errors: unknown name",
        ),
        ({"features": dict.fromkeys(SIGNATURE.names, BASE.features["n00"])}, "other codes"),
    ],
)
def test_what_does_not_fit_the_signature_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DocumentInvalid, match=message):
        Baseline.read(to_json(BASE.replace(**change)), SIGNATURE)


def test_edges_that_do_not_ascend_are_refused() -> None:
    with pytest.raises(DocumentInvalid, match="ascend"):
        Ruler(edges=(1.0, 1.0))


def test_knots_that_do_not_ascend_are_refused() -> None:
    with pytest.raises(DocumentInvalid, match="ascend"):
        Calibrator(scores=(0.1, 0.2), chances=(0.5, 0.4), rows=9)


@pytest.mark.parametrize("rows", [1, 9, 100, 700, 20_000])
@pytest.mark.parametrize("rare", [False, True])
def test_between_two_edges_lies_a_crowd(rows: int, rare: bool) -> None:
    drawn = np.random.default_rng(rows)
    values = drawn.geometric(0.2, rows).astype(float) if rare else drawn.normal(size=rows)

    edges = quantile_ruler(values).edges

    ranks = [int((values <= edge).sum()) for edge in edges]
    assert len(edges) <= 65
    assert (edges[0], edges[-1]) == (values.min(), values.max())
    assert len(ranks) < 3 or np.diff(ranks).min() >= CROWD


def test_a_column_without_numbers_has_no_edges() -> None:
    assert quantile_ruler(np.array([])).edges == ()


def test_an_edge_parts_the_labels() -> None:
    target = Target(task="binary", classes=(0, 1), threshold=0.37)
    [one] = watched_scores(target)

    edges = with_edge(share_ruler(), one.boundary).edges

    assert one.boundary == np.nextafter(0.37, 0)
    assert one.boundary in edges
    assert len(edges) == 102


def test_scores_are_named() -> None:
    parts = (
        Target(name="a", task="binary", classes=("no", "yes")),
        Target(name="b", task="multiclass", classes=(1, 2, 3)),
    )
    target = Target(task="multioutput", parts=parts)

    assert [one.name for one in watched_scores(target)] == [
        "a: yes",
        *("b: 1", "b: 2", "b: 3"),
        "b: score of the label",
    ]


def test_the_score_of_the_label_is_taken() -> None:
    target = Target(task="multiclass", classes=(1, 2, 3))
    scores = np.array([[0.1, 0.7, 0.2], [0.5, 0.2, 0.3]])

    assert watched_scores(target)[-1].of(scores, np.array([[1], [0]])).tolist() == [0.7, 0.5]


WORDS = Analyzer(analyzer="word", ngram_range=(1, 1), lowercase=True, token_pattern=r"\w+")
MIXED = Signature(
    features=(
        Feature(name="age", kind="integer", nullable=True, range=(18.0, 90.0)),
        Feature(name="paid", kind="boolean", nullable=False),
        Feature(name="plan", kind="category", nullable=True, vocabulary=("a", "b", "c")),
        Feature(name="note", kind="text", nullable=False),
    ),
    target=REGRESSOR,
    counts=(TermCounts(feature="note", analyzer=WORDS, terms=("x", "y")),),
)


def mixed(rows: int, seed: int, older: float = 0.0) -> FloatMatrix:
    drawn = np.random.default_rng(seed)
    columns = [
        drawn.integers(18, 91, rows) + older,
        drawn.integers(0, 2, rows),
        np.where(drawn.random(rows) < 0.1, np.nan, drawn.integers(0, 3, rows)),
        np.zeros(rows),
        drawn.poisson(2, rows),
        drawn.poisson(1, rows),
    ]
    return np.stack(columns, axis=1).astype(float)


def base_of_mixed() -> Baseline:
    X = mixed(5000, 1)
    nothing = np.empty((5000, 0), dtype=np.intp)
    return baseline(MIXED, X, HeldOut(X[:, :1], nothing, nothing), {"age": -3.0, "paid": 1.0})


def test_a_text_is_counted_by_the_terms_it_holds() -> None:
    column = base_of_mixed().features["note"].column

    assert column.greatest == mixed(5000, 1)[:, 4:].sum(axis=1).max()
    assert column.missing == 0


def test_weights_add_up_to_1() -> None:
    assert base_of_mixed().weights == {"age": 0.75, "paid": 0.25}


def test_a_regressor_has_scores_and_no_labels() -> None:
    base = base_of_mixed()

    assert (list(base.scores), base.labels, base.balance) == (["y"], {}, {})
    assert Baseline.read(to_json(base), MIXED) == base


def test_tenths_are_those_of_the_capture() -> None:
    values = np.array([17.9, 18, 25.1, 25.3, 53, 54, 89.9, 90, 90.1, np.nan])

    found = tenths(values, (18, 90))

    assert found[:-1].tolist() == [-1, 0, 0, 1, 4, 5, 9, 9, 10]
    assert np.isnan(found[-1])
    assert TENTHS == 10


def binned(X: FloatMatrix) -> FloatMatrix:
    """Bin rows as the capture does."""
    parts = X[:, :4].copy()
    parts[:, 0] = tenths(X[:, 0], (18, 90))
    return parts


@pytest.mark.parametrize(("older", "names"), [(0, set()), (6, {"age"})])
def test_binned_captures_are_compared_on_tenths(older: float, names: set[str]) -> None:
    base, X = base_of_mixed(), mixed(2000, 2, older)
    sketcher = Sketcher(MIXED, base, mode="binned")

    window = sketcher.sketch(binned(X), X[:, :1] - older, np.empty((len(X), 0), dtype=np.intp))

    findings = compare(MIXED, base, window)
    assert list(window.features) == ["age", "paid", "plan"]
    assert {one.name for one in findings.features if one.changed} == names


def test_a_trained_package_has_one(predictor: Predictor, churn: Trained) -> None:
    signature = predictor.package.signature
    X = predictor.encode(client_rows(churn.frame, kinds_of(churn.frame)))
    scores = predictor.run(X)
    labels = label_positions(signature.target, scores)

    base = baseline(signature, X, HeldOut(scores, labels, labels))

    read = Baseline.read(to_json(base), signature)
    window = Sketcher(signature, read).sketch(X[::2], scores[::2], labels[::2])
    assert compare(signature, read, window).state == "stable"


def test_calibrators_are_kept_where_they_help() -> None:
    X = matrix(5000, 3)
    scores, labels = answers(X)
    drawn = np.random.default_rng(1)
    honest = (drawn.random(5000) < scores[:, 1]).astype(np.intp)[:, None]
    cautious = (drawn.random(5000) < scores[:, 1] ** 3).astype(np.intp)[:, None]

    found = [
        baseline(SIGNATURE, X, HeldOut(scores, labels, true)).calibrators
        for true in (honest, cautious)
    ]

    assert "yes" in found[1]
    chances = found[1]["yes"](np.array([0.3, 0.6, 0.8]))
    assert chances == pytest.approx([0.027, 0.216, 0.512], abs=0.05)
    assert len(found[1]["yes"].scores) <= 100


@pytest.mark.parametrize("score", [-1.0885478771833336, 0.1, 0.0])
def test_scores_that_differ_by_a_rounding_are_one_knot(score: float) -> None:
    above = np.nextafter(np.full(300, score), np.inf)
    scores = np.concatenate([np.full(300, score), above, np.nextafter(above, np.inf), above + 1])
    true = np.random.default_rng(0).random(len(scores)) < 0.4

    found = calibrate(scores, true, False)

    assert found is not None
    Calibrator.parse(json.dumps({"scores": found.scores, "chances": found.chances, "rows": 1200}))
    assert len(found.scores) == len(set(found.scores)) == 2


@pytest.mark.parametrize(
    "span", [(3.0, 3.0), (2.0**53 - 9, 2.0**53), (-1e308, 1e308), (-1.8e308 / 2, 1.7e308)]
)
def test_a_range_that_float64_does_not_divide_has_no_tenths(span: tuple[float, float]) -> None:
    assert tenth_ruler(span) is None


@pytest.mark.parametrize("span", [(0.0, 1.0), (-5e300, 5e300), (0.0, 5e-320), (-3.0, 2.0**53)])
def test_tenths_ascend(span: tuple[float, float]) -> None:
    ruler = tenth_ruler(span)

    assert ruler is not None
    assert (len(ruler.edges), ruler.edges[0], ruler.edges[-1]) == (TENTHS + 1, *span)


def test_counts_of_huge_numbers_are_json() -> None:
    values = np.array([1e308, -1e308, 1e300, 1.0] * 30)

    counted = count_numbers(quantile_ruler(values), values)

    assert np.isfinite(counted.gaps).all()
    assert to_json(counted)
