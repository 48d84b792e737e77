"""Output columns equal the predictions of each row alone."""

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.batch.scoring.columns import (
    OutputColumn,
    explanation_columns,
    json_explanation_column,
    prediction_columns,
    warning_column,
)
from sklambda.arrays import FloatMatrix
from sklambda.codec.codec import Codec
from sklambda.codec.row_warnings import RowWarner
from sklambda.decision import to_predictions
from sklambda.explain.explainer import Explanation
from sklambda.predictor import Predictor
from sklambda.signature import Feature, Signature, Target
from tests.conftest import Trained
from training.frames import client_rows, kinds_of

BINARY = Target(task="binary", classes=("no", "yes"), name="left")
SEVERAL = Target(task="regression", scores="value", outputs=("y_0", "y_1"))
TARGETS = {
    "binary": BINARY,
    "binary with a threshold": Target(task="binary", classes=("no", "yes"), threshold=0.3),
    "binary of booleans": Target(task="binary", classes=(False, True)),
    "binary decision": Target(task="binary", scores="decision", classes=(0, 1)),
    "decision with a threshold": Target(
        task="binary", scores="decision", classes=(0, 1), threshold=-0.5
    ),
    "binary by decision": Target(task="binary", classes=("no", "yes"), label_by="decision"),
    "multiclass by votes": Target(task="multiclass", classes=(1, 2, 3), label_by="votes"),
    "binary label": Target(task="binary", scores="label", classes=("a", "b")),
    "multiclass": Target(task="multiclass", classes=(1, 2, 3)),
    "multiclass of floats": Target(task="multiclass", classes=(0.5, 1.5, 2.5)),
    "multiclass decision": Target(task="multiclass", scores="decision", classes=("a", "b", "c")),
    "votes": Target(task="multiclass", scores="votes", classes=("a", "b", "c")),
    "multiclass label": Target(task="multiclass", scores="label", classes=("a", "b", "c")),
    "regression": Target(task="regression", scores="value", outputs=("price",)),
    "several outputs": SEVERAL,
    "anomaly": Target(task="anomaly", scores="decision", classes=(-1, 1)),
    "clustering": Target(task="clustering", scores="label", classes=(0, 1, 2)),
    "one cluster": Target(task="clustering", scores="label", classes=(0,)),
    "mixture": Target(task="clustering", classes=(0, 1)),
    "mixture of one": Target(task="clustering", classes=(0,)),
    "several targets": Target(
        task="multioutput",
        parts=(
            BINARY,
            Target(name="kind", task="multiclass", classes=(1, 2, 3)),
            Target(name="sure", task="binary", scores="label", classes=(False, True)),
        ),
    ),
}
NUMBERS = st.floats(-4, 4, width=16) | st.sampled_from((0.3, -0.5, np.inf, -np.inf))


@pytest.mark.parametrize("name", TARGETS)
@given(data=st.data())
def test_columns_are_the_predictions_row_by_row(name: str, data: st.DataObject) -> None:
    target = TARGETS[name]
    row = st.lists(NUMBERS, min_size=target.width, max_size=target.width)
    scores = np.array(data.draw(st.lists(row, max_size=6))).reshape(-1, target.width)

    columns = [*prediction_columns(target, scores)]

    expected = [_varying(each.members) for each in to_predictions(target, scores)]
    assert _rows(columns, len(scores)) == expected


def _varying(members: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is the same for all rows."""
    targets = {name: _varying(each) for name, each in members.get("targets", {}).items()}
    varying = {name: value for name, value in members.items() if name != "threshold"}
    return varying | ({"targets": targets} if targets else {})


def _rows(columns: list[OutputColumn], rows: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{} for _ in range(rows)]
    for column in columns:
        assert not isinstance(column.values, str)
        for row, value in zip(found, column.values.tolist(), strict=True):
            for name in column.path[:-1]:
                row = row.setdefault(name, {})
            row[column.path[-1]] = value
    return found


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("binary", "label score probability_no probability_yes"),
        ("binary decision", "label score"),
        ("binary label", "label"),
        ("regression", "value"),
        ("several outputs", "value_y_0 value_y_1"),
        ("anomaly", "label score"),
        (
            "several targets",
            "label_left score_left probability_left_no probability_left_yes label_kind score_kind "
            "probability_kind_1 probability_kind_2 probability_kind_3 label_sure",
        ),
    ],
)
def test_columns_are_named_after_what_they_hold(name: str, names: str) -> None:
    columns = prediction_columns(TARGETS[name], np.empty((0, TARGETS[name].width)))

    assert [column.name for column in columns] == names.split()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("binary", "VARCHAR"),
        ("binary of booleans", "BOOLEAN"),
        ("multiclass", "BIGINT"),
        ("multiclass of floats", "DOUBLE"),
    ],
)
def test_labels_have_the_type_of_the_classes(name: str, kind: str) -> None:
    label, *_ = prediction_columns(TARGETS[name], np.empty((0, TARGETS[name].width)))

    assert label.type == kind


FEATURES = (
    Feature(name="age", kind="number", nullable=True, range=(0.0, 9.0)),
    Feature(name="city", kind="category", nullable=True, accepts_unseen=True, vocabulary=("B",)),
    Feature(name="member", kind="boolean", nullable=False),
)
SIGNATURE = Signature(features=FEATURES, target=BINARY)
ROWS = st.tuples(
    st.sampled_from((0.0, 9.0, 10.0, -1.0, np.nan)),
    st.sampled_from((0.0, -1.0, np.nan)),
    st.sampled_from((0.0, 1.0)),
    st.booleans(),
)


@given(st.lists(ROWS, max_size=20))
def test_many_rows_are_warned_of_as_each_is(rows: list[tuple[float, float, float, bool]]) -> None:
    X = np.array([row[:3] for row in rows]).reshape(-1, 3)
    coerced = [(place, "member") for place, row in enumerate(rows) if row[3]]
    warner = RowWarner(SIGNATURE)
    checked = warner.check_many(X, coerced)

    column = warning_column(checked, as_json=True)

    texts = column.values
    found = [texts] * len(rows) if isinstance(texts, str) else texts.tolist()
    expected = [[asdict(each) for each in row] for row in warner.check(X, coerced)]
    assert [json.loads(text) for text in found] == expected


def test_a_warning_names_the_feature_and_the_code() -> None:
    X = np.array([[10.0, -1.0, 1.0], [5.0, 0.0, 1.0]])
    checked = RowWarner(SIGNATURE).check_many(X, [(1, "member")])

    column = warning_column(checked, as_json=False)

    assert not isinstance(column.values, str)
    assert column.values.tolist() == ["city:unseen_category;age:out_of_range", "member:coerced"]


def test_without_warnings_all_rows_share_one_value() -> None:
    checked = RowWarner(SIGNATURE).check_many(np.array([[5.0, 0.0, 1.0]] * 3))

    column = warning_column(checked, as_json=False)

    assert column.values == ""


def _encoded(churn: Trained, predictor: Predictor, rows: int) -> FloatMatrix:
    frame = churn.frame.head(rows)
    return Codec(predictor.package.signature).encode(client_rows(frame, kinds_of(frame)))


def test_explanations_are_those_of_each_row(churn: Trained, predictor: Predictor) -> None:
    signature = predictor.package.signature
    each = predictor.explain(_encoded(churn, predictor, 3))

    scale, base, *contributions = explanation_columns(signature, 3, each)

    names = [column.name for column in contributions]
    assert (scale.name, base.name) == ("scale", "base_value")
    assert names == [f"contribution_{name}" for name in signature.names]
    values = np.transpose([np.asarray(column.values) for column in contributions])
    assert values.tolist() == [[*row[0].contributions.values()] for row in each]
    assert np.asarray(base.values).tolist() == [row[0].base for row in each]
    assert np.asarray(scale.values).tolist() == [row[0].scale for row in each]


def test_explanations_of_several_outputs_are_named_after_them() -> None:
    signature = Signature(features=FEATURES[:1], target=SEVERAL)

    columns = explanation_columns(signature, 0, [])

    assert [column.name for column in columns] == [
        "scale_y_0",
        "base_value_y_0",
        "contribution_y_0_age",
        "scale_y_1",
        "base_value_y_1",
        "contribution_y_1_age",
    ]


def test_json_has_null_where_an_explanation_is_not_finite() -> None:
    one = Explanation("yes", "margin", -np.inf, 0.5, {"age": np.nan}, "kernel", 9)

    column = json_explanation_column([[one]])

    assert not isinstance(column.values, str)
    (found,) = json.loads(column.values[0])
    assert found == asdict(one) | {"base": None, "contributions": {"age": None}}
