"""A signature agrees with itself, or it is refused."""

import json
from typing import Any

import numpy as np
import pytest

from sklambda.decision import label_positions, to_predictions
from sklambda.errors import DocumentInvalid
from sklambda.signature import Analyzer, Feature, Signature, Target, TermCounts

AGE = Feature(name="age", kind="integer", nullable=False)
BINARY = Target(task="binary", classes=("no", "yes"))
CHURN = BINARY.replace(name="churn")
PLAN = Target(name="plan", task="multiclass", classes=(1, 2, 3))


@pytest.mark.parametrize(
    ("members", "width"),
    [
        ({"task": "binary", "classes": (0, 1)}, 2),
        ({"task": "binary", "classes": (0, 1), "scores": "decision"}, 1),
        ({"task": "multiclass", "classes": (0, 1, 2)}, 3),
        ({"task": "multiclass", "classes": (0, 1, 2), "scores": "decision"}, 3),
        ({"task": "regression", "scores": "value", "outputs": ("price",)}, 1),
        ({"task": "regression", "scores": "value", "outputs": ("a", "b")}, 2),
        ({"task": "binary", "classes": (0, 1), "scores": "label"}, 2),
        ({"task": "multiclass", "classes": (0, 1, 2), "scores": "votes"}, 3),
        ({"task": "anomaly", "classes": (-1, 1), "scores": "decision"}, 1),
        ({"task": "clustering", "classes": (0, 1, 2, 3), "scores": "label"}, 4),
        ({"task": "clustering", "classes": (0,), "scores": "label"}, 1),
        ({"task": "multioutput", "parts": (CHURN, PLAN)}, 5),
    ],
)
def test_each_kind_of_target_has_its_width(members: dict[str, Any], width: int) -> None:
    assert Target(**members).width == width


@pytest.mark.parametrize(
    "members",
    [
        {"task": "binary", "classes": (0, 1, 2)},
        {"task": "multiclass", "classes": (0, 1)},
        {"task": "binary", "classes": (0, 1), "scores": "value"},
        {"task": "binary", "classes": (0, 1), "outputs": ("a",)},
        {"task": "regression", "scores": "value"},
        {"task": "regression", "scores": "probability", "outputs": ("a",)},
        {"task": "regression", "scores": "value", "outputs": ("a",), "classes": (0, 1)},
        {"task": "binary", "classes": (0, 1), "scores": "votes"},
        {"task": "anomaly", "classes": (-1, 1)},
        {"task": "clustering", "classes": (0, 1), "scores": "decision"},
        {"task": "multioutput"},
        {"task": "multioutput", "parts": (CHURN,), "classes": (0, 1)},
        {"task": "binary", "classes": (0, 1), "parts": (CHURN,)},
    ],
)
def test_a_target_at_odds_with_itself_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(DocumentInvalid, match="scores, classes, outputs or parts do not fit"):
        Target(**members)


@pytest.mark.parametrize(
    "parts",
    [(BINARY,), (CHURN, CHURN)],
    ids=["without a name", "the same name"],
)
def test_each_of_several_targets_needs_a_name_of_its_own(parts: tuple[Target, ...]) -> None:
    with pytest.raises(DocumentInvalid, match="needs a unique name"):
        Target(task="multioutput", parts=parts)


@pytest.mark.parametrize(
    "members",
    [
        {"task": "binary", "classes": (0, 1), "threshold": 1.5},
        {"task": "binary", "classes": (0, 1), "scores": "label", "threshold": 0.5},
        {"task": "multiclass", "classes": (0, 1, 2), "threshold": 0.5},
    ],
    ids=["no probability", "no score", "three classes"],
)
def test_a_threshold_that_decides_nothing_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(DocumentInvalid, match="threshold"):
        Target(**members)


def test_a_decision_has_any_threshold() -> None:
    target = Target(task="binary", classes=(0, 1), scores="decision", threshold=-7.5)

    assert target.threshold == -7.5


@pytest.mark.parametrize("row_id", ["age", None])
def test_a_name_that_stands_twice_is_refused(row_id: str | None) -> None:
    features = (AGE,) if row_id else (AGE, AGE)

    with pytest.raises(DocumentInvalid, match="duplicate name 'age'"):
        Signature(features=features, target=BINARY, row_id=row_id)


def test_a_category_that_stands_twice_is_refused() -> None:
    with pytest.raises(DocumentInvalid, match="has a duplicate category"):
        Feature(name="plan", kind="category", nullable=False, vocabulary=("a", "a"))


@pytest.mark.parametrize("label", [True, 1, 1.0, "1"])
def test_a_label_keeps_its_type_in_json(label: Any) -> None:
    target = Target(task="binary", classes=("other", label))

    again = Target.parse(json.dumps(target, default=vars))

    assert type(again.classes[1]) is type(label)


COUNTS = TermCounts(
    feature="note",
    analyzer=Analyzer(analyzer="char", ngram_range=(1, 2), lowercase=True),
    terms=("a", "ab"),
)
NOTE = Feature(name="note", kind="text", nullable=False)


def test_what_is_counted_widens_the_input() -> None:
    signature = Signature(features=(AGE, NOTE), target=BINARY, counts=(COUNTS, COUNTS))

    assert signature.width == 2 + 4
    assert Signature.parse(json.dumps(signature, default=vars)) == signature


@pytest.mark.parametrize(
    ("features", "counts"),
    [
        ((AGE,), (COUNTS,)),
        ((AGE, NOTE), ()),
        ((Feature(name="note", kind="category", nullable=False),), (COUNTS,)),
    ],
)
def test_a_text_is_counted_and_nothing_else_is(
    features: tuple[Feature, ...], counts: tuple[TermCounts, ...]
) -> None:
    with pytest.raises(DocumentInvalid, match="'note' must be a text with counts of terms"):
        Signature(features=features, target=BINARY, counts=counts)


@pytest.mark.parametrize("members", [{"kind": "datetime"}, {"kind": "number", "unit": "s"}])
def test_a_datetime_alone_has_a_unit(members: dict[str, Any]) -> None:
    with pytest.raises(DocumentInvalid, match="unit is required"):
        Feature(name="when", nullable=False, **members)


@pytest.mark.parametrize(
    ("members", "span"),
    [
        ({"kind": "number"}, None),
        ({"kind": "number", "range": (-1.5, 2.0)}, (-1.5, 2.0)),
        (
            {"kind": "datetime", "unit": "ms", "range": ("1970-01-01", "1970-01-01T00:00:00.25")},
            (0.0, 250.0),
        ),
    ],
)
def test_a_span_is_the_range_in_the_matrix(
    members: dict[str, Any], span: tuple[float, float] | None
) -> None:
    assert Feature(name="x", nullable=False, **members).span == span


def test_clients_may_send_the_row_id_and_ignored_columns() -> None:
    signature = Signature(features=(AGE,), target=BINARY, row_id="id", ignored=("name", "fax"))

    assert signature.unscored == ("id", "name", "fax")
    assert signature.admitted == {"age", "id", "name", "fax"}


@pytest.mark.parametrize("ignored", [("age",), ("id",), ("name", "name")])
def test_an_ignored_column_is_nothing_else(ignored: tuple[str, ...]) -> None:
    with pytest.raises(DocumentInvalid, match="duplicate name"):
        Signature(features=(AGE,), target=BINARY, row_id="id", ignored=ignored)


def test_a_label_that_follows_the_decision_has_columns_after_the_probabilities() -> None:
    two = Target(task="binary", classes=("no", "yes"), label_by="decision")
    three = Target(task="multiclass", classes=(0, 1, 2), label_by="votes")

    one, other = to_predictions(two, np.array([[0.4, 0.6, -0.1]]))[0], three.width

    assert (two.width, two.shown, other, three.shown) == (3, 2, 6, 3)
    assert (one.label, one.score, one.threshold) == ("no", 0.6, None)
    assert one.probabilities == {"no": 0.4, "yes": 0.6}
    assert label_positions(three, np.array([[0.1, 0.2, 0.7, 1.2, 1.9, -0.1]])).tolist() == [[1]]


@pytest.mark.parametrize(
    "members",
    [
        {"task": "binary", "classes": ("no", "yes"), "label_by": "votes"},
        {"task": "binary", "classes": ("no", "yes"), "label_by": "decision", "threshold": 0.3},
        {"task": "binary", "classes": (0, 1), "label_by": "decision", "scores": "decision"},
    ],
)
def test_a_label_by_other_scores_needs_probabilities_without_a_threshold(
    members: dict[str, Any],
) -> None:
    with pytest.raises(DocumentInvalid, match="label_by must be"):
        Target(**members)
