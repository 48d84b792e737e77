"""Captures are read line by line, each prediction once."""

from pathlib import Path

import numpy as np

from functions.monitor.counting.captures import CHUNK, Captures
from sklambda.signature import Target
from sklambda.storage import Directory
from tests.support.capturing import MODEL, NOON, deliver, line

TWO = Target(
    task="multioutput",
    parts=(
        Target(name="a", task="binary", classes=(False, True)),
        Target(name="b", task="multiclass", classes=(1, 2, 3)),
    ),
)


def record(number: int, **members: object) -> dict[str, object]:
    known = {"prediction_id": f"p-{number}", "features": {"x": 1.0}, "scores": [0.5, 0.5]}
    return known | {"label": "no", "warnings": []} | members


def test_records_are_held_in_chunks(tmp_path: Path) -> None:
    kept = Directory(tmp_path)
    together = [record(number) for number in range(1000)]
    lines = [
        line([one | {"prediction_id": f"{part}-{one['prediction_id']}"} for one in together])
        for part in range(CHUNK // 1000 + 2)
    ]
    deliver(kept, NOON, lines)
    target = Target(task="binary", classes=("no", "yes"))

    chunks = list(Captures(target, MODEL, {}).read(kept, kept.list("captures/")))

    assert [len(chunk.ids) for _, chunk in chunks] == [CHUNK, 2000]


def test_the_labels_of_several_targets_are_found_by_name(tmp_path: Path) -> None:
    kept = Directory(tmp_path)
    scores = [0.1, 0.9, 0.2, 0.3, 0.5]
    deliver(kept, NOON, [line([record(1, label={"b": 3, "a": True}, scores=scores)])])

    [(heading, chunk)] = Captures(TWO, MODEL, {}).read(kept, kept.list("captures/"))

    assert heading == ("champion", "raw")
    assert chunk.labels == [[1, 2]]


def test_a_regressor_has_no_label_and_a_score_may_be_no_number(tmp_path: Path) -> None:
    kept = Directory(tmp_path)
    target = Target(task="regression", outputs=("y",), scores="value")
    deliver(kept, NOON, [line([record(1, label=None, scores=[None]), record(2, scores=[3])])])

    [(_, chunk)] = Captures(target, MODEL, {}).read(kept, kept.list("captures/"))

    assert chunk.labels == [[], []]
    assert np.isnan(np.array(chunk.scores, dtype=np.float64)[:, 0]).tolist() == [True, False]


def test_what_a_record_must_have_is_looked_at(tmp_path: Path) -> None:
    kept, target = Directory(tmp_path), Target(task="binary", classes=("no", "yes"))
    odd = [
        record(1, label="perhaps"),
        record(2, scores=[0.5]),
        record(3, scores=["a", None]),
        record(4, features=[1.0]),
        record(5, prediction_id=5),
        record(6, warnings=[7]),
    ]
    deliver(kept, NOON, [line([*odd, record(7)]), line([record(8)], role="king")])
    captures = Captures(target, MODEL, {})

    [(_, chunk)] = captures.read(kept, kept.list("captures/"))

    assert captures.unreadable == 7
    assert len(chunk.ids) == len(chunk.rows) == len(chunk.scores) == len(chunk.labels) == 1


def test_shadows_are_left_out(tmp_path: Path) -> None:
    kept, target = Directory(tmp_path), Target(task="binary", classes=("no", "yes"))
    deliver(kept, NOON, [line([record(1)], kind="shadow"), b'{"note": "capture"}\n'])
    captures = Captures(target, MODEL, {})

    assert list(captures.read(kept, kept.list("captures/"))) == []
    assert captures.unreadable == 1
