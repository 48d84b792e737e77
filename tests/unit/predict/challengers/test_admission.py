"""A challenger is refused, by feature and member, where it cannot answer as the champion does."""

from typing import Any

import pytest

from functions.predict.challengers.admission import compare
from sklambda.signature import Feature, Signature, Target

NUMBER: dict[str, Any] = {"name": "x", "kind": "number", "nullable": False, "range": [-5, 10]}
PLAN: dict[str, Any] = {
    "name": "x",
    "kind": "category",
    "nullable": False,
    "vocabulary": ["basic", "pro"],
}
ROOMS: dict[str, Any] = {"name": "x", "kind": "integer", "nullable": False, "range": [0, 2]}
WHEN: dict[str, Any] = {"name": "x", "kind": "datetime", "nullable": False, "unit": "ms"}
BINARY: dict[str, Any] = {"name": "y", "task": "binary", "classes": ["no", "yes"]}


def signature(
    *features: dict[str, Any], target: dict[str, Any] = BINARY, row_id: str | None = None
) -> Signature:
    read = tuple(Feature.of(feature) for feature in features)
    return Signature(features=read, target=Target.of(target), row_id=row_id)


@pytest.mark.parametrize(
    ("champion", "challenger"),
    [
        (NUMBER, NUMBER | {"least": -3.4e38, "greatest": 3.4e38}),
        (NUMBER | {"least": -3.4e38, "greatest": 3.4e38}, NUMBER),
        (NUMBER | {"least": -1e300}, NUMBER | {"least": -3.4e38}),
        (NUMBER, NUMBER | {"nullable": True}),
        (NUMBER, NUMBER | {"range": [0, 1], "example": 3}),
        (ROOMS, NUMBER),
        (PLAN, PLAN | {"vocabulary": ["pro", "basic", "max"]}),
        (PLAN, PLAN | {"accepts_unseen": True}),
        (PLAN, PLAN | {"vocabulary": [], "accepts_unseen": True}),
        (ROOMS | {"choices": [0, 1]}, ROOMS | {"choices": [1, 0, 2]}),
        (ROOMS | {"choices": [0, 1, 2]}, ROOMS),
        (WHEN, WHEN | {"unit": "ns"}),
    ],
)
def test_a_wider_feature_is_admitted(champion: dict[str, Any], challenger: dict[str, Any]) -> None:
    found = compare(signature(champion), signature(challenger))

    assert (found.refusals, found.narrower) == ((), ())


@pytest.mark.parametrize(
    ("champion", "challenger", "narrower"),
    [
        (
            NUMBER | {"nullable": True},
            NUMBER,
            "feature 'x': nullable is false, the champion's is true",
        ),
        (NUMBER, NUMBER | {"least": -6}, "feature 'x': least is -6, the champion's is -inf"),
        (NUMBER, NUMBER | {"greatest": 11}, "feature 'x': greatest is 11, the champion's is inf"),
        (
            PLAN | {"accepts_unseen": True},
            PLAN,
            "feature 'x': accepts_unseen is false, the champion's is true",
        ),
        (
            NUMBER,
            NUMBER | {"gaps": [[-9, -8]]},
            "feature 'x': gaps is -9 to -8, the champion's is none",
        ),
        (
            ROOMS,
            ROOMS | {"choices": [0, 1, 2]},
            "feature 'x': choices are some numbers, the champion's are all",
        ),
    ],
)
def test_a_narrower_feature_is_admitted_and_said(
    champion: dict[str, Any], challenger: dict[str, Any], narrower: str
) -> None:
    found = compare(signature(champion), signature(challenger))

    assert (found.refusals, found.narrower) == ((), (narrower,))


@pytest.mark.parametrize(
    ("champion", "challenger", "reason"),
    [
        (NUMBER, PLAN, "feature 'x': kind is category, the champion's is number"),
        (NUMBER, ROOMS, "feature 'x': kind is integer, the champion's is number"),
        (
            NUMBER,
            NUMBER | {"name": "z"},
            "feature 'z': is required, and no feature of the champion",
        ),
        (PLAN, PLAN | {"vocabulary": ["pro"]}, "feature 'x': vocabulary lacks 'basic'"),
        (
            NUMBER,
            NUMBER | {"least": 0},
            "feature 'x': least is 0, the champion was trained from -5",
        ),
        (
            NUMBER,
            NUMBER | {"greatest": 9},
            "feature 'x': greatest is 9, the champion was trained up to 10",
        ),
        (NUMBER, NUMBER | {"gaps": [[0, 0]]}, "feature 'x': from 0 to 0 is a gap, within"),
        (WHEN, WHEN | {"unit": "s"}, "feature 'x': unit is s, the champion's is ms"),
        (ROOMS | {"choices": [0, 7]}, ROOMS | {"choices": [0]}, "feature 'x': choices lacks 7.0"),
        (ROOMS, ROOMS | {"choices": [0, 1]}, "feature 'x': choices are some numbers"),
    ],
)
def test_a_refusal_names_the_feature_and_the_member(
    champion: dict[str, Any], challenger: dict[str, Any], reason: str
) -> None:
    [found] = compare(signature(champion), signature(challenger)).refusals

    assert found.startswith(reason)


def test_a_challenger_may_use_fewer_features() -> None:
    champion = signature(NUMBER, PLAN | {"name": "plan"}, row_id="id")

    found = compare(champion, signature(NUMBER))

    assert (found.refusals, found.narrower) == ((), ())


def test_the_row_id_of_the_champion_is_no_feature_of_it() -> None:
    [reason] = compare(signature(NUMBER, row_id="id"), signature(NUMBER | {"name": "id"})).refusals

    assert reason == "feature 'id': is required, and no feature of the champion"


PAIR: dict[str, Any] = {
    "task": "multioutput",
    "parts": [BINARY, {"name": "z", "task": "binary", "classes": [False, True]}],
}


@pytest.mark.parametrize(
    "challenger",
    [
        BINARY | {"threshold": 0.3},
        BINARY | {"name": None},
        BINARY | {"classes": ["yes", "no"]},
    ],
)
def test_threshold_and_order_of_classes_do_not_count(challenger: dict[str, Any]) -> None:
    found = compare(signature(NUMBER), signature(NUMBER, target=challenger))

    assert found.refusals == ()


@pytest.mark.parametrize(
    ("champion", "challenger", "reasons"),
    [
        (BINARY, BINARY | {"name": "v"}, ["target: name is 'v', the champion's is 'y'"]),
        (
            BINARY,
            BINARY | {"scores": "decision"},
            ["target: scores is decision, the champion's is probability"],
        ),
        (
            BINARY,
            BINARY | {"classes": ["no", "YES"]},
            [
                "target: classes lacks 'yes' of the champion's",
                "target: classes has 'YES', which the champion's has not",
            ],
        ),
        (
            BINARY | {"classes": [0, 1]},
            BINARY | {"classes": [False, True]},
            [
                "target: classes lacks 0 (and 1 more) of the champion's",
                "target: classes has False (and 1 more), which the champion's has not",
            ],
        ),
        (PAIR, BINARY, ["target: task is binary, the champion's is multioutput"]),
        (PAIR, PAIR | {"parts": PAIR["parts"][:1]}, ["target: parts lacks 'z' of the champion's"]),
        (
            PAIR,
            PAIR | {"parts": [PAIR["parts"][1], BINARY | {"scores": "decision"}]},
            ["target 'y': scores is decision, the champion's is probability"],
        ),
    ],
)
def test_another_target_is_refused_by_its_member(
    champion: dict[str, Any], challenger: dict[str, Any], reasons: list[str]
) -> None:
    found = compare(signature(NUMBER, target=champion), signature(NUMBER, target=challenger))

    assert list(found.refusals) == reasons
