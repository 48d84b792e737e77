"""A signature agrees with itself, or it is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from sklambda.signature import Feature, Signature, Target

AGE = Feature(name="age", kind="integer", nullable=False)
BINARY = Target(task="binary", classes=("no", "yes"))


@pytest.mark.parametrize(
    ("members", "width"),
    [
        ({"task": "binary", "classes": (0, 1)}, 2),
        ({"task": "binary", "classes": (0, 1), "scores": "decision"}, 1),
        ({"task": "multiclass", "classes": (0, 1, 2)}, 3),
        ({"task": "multiclass", "classes": (0, 1, 2), "scores": "decision"}, 3),
        ({"task": "regression", "scores": "value", "outputs": ("price",)}, 1),
        ({"task": "regression", "scores": "value", "outputs": ("a", "b")}, 2),
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
    ],
)
def test_a_target_at_odds_with_itself_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="target"):
        Target(**members)


@pytest.mark.parametrize("row_id", ["age", None])
def test_a_name_that_stands_twice_is_refused(row_id: str | None) -> None:
    features = (AGE,) if row_id else (AGE, AGE)

    with pytest.raises(ValidationError, match="'age' stands twice"):
        Signature(features=features, target=BINARY, row_id=row_id)


def test_a_category_that_stands_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match="twice"):
        Feature(name="plan", kind="category", nullable=False, vocabulary=("a", "a"))


@pytest.mark.parametrize("label", [True, 1, 1.0, "1"])
def test_a_label_keeps_its_type_in_json(label: object) -> None:
    target = Target(task="binary", classes=("other", label))

    again = Target.model_validate_json(target.model_dump_json())

    assert type(again.classes[1]) is type(label)
