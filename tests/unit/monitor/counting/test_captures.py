"""Captures are read line by line, each prediction once, and decoded to the matrix of the model."""

from pathlib import Path

import numpy as np

from functions.monitor.counting.captures import (
    CHUNK_SIZE,
    CaptureEncoder,
    Captures,
    Row,
    group_by_features,
)
from sklambda.signature import Analyzer, Feature, Signature, Target, TermCounts
from sklambda.storage import Directory
from tests.support.capturing import MODEL, NOON, deliver, line

TWO = Target(
    task="multioutput",
    parts=(
        Target(name="a", task="binary", classes=(False, True)),
        Target(name="b", task="multiclass", classes=(1, 2, 3)),
    ),
)


def capture(number: int, **members: object) -> dict[str, object]:
    default = {"prediction_id": f"p-{number}", "features": {"x": 1.0}, "scores": [0.5, 0.5]}
    return default | {"label": "no", "warnings": []} | members


def test_predictions_are_read_in_chunks(tmp_path: Path) -> None:
    storage = Directory(tmp_path)
    together = [capture(number) for number in range(1000)]
    lines = [
        line([one | {"prediction_id": f"{part}-{one['prediction_id']}"} for one in together])
        for part in range(CHUNK_SIZE // 1000 + 2)
    ]
    deliver(storage, NOON, lines)
    target = Target(task="binary", classes=("no", "yes"))

    chunks = list(Captures(target, MODEL, {}).read(storage, storage.list("captures/")))

    assert [len(chunk.ids) for _, chunk in chunks] == [CHUNK_SIZE, 2000]


def test_the_labels_of_several_targets_are_found_by_name(tmp_path: Path) -> None:
    storage = Directory(tmp_path)
    scores = [0.1, 0.9, 0.2, 0.3, 0.5]
    deliver(storage, NOON, [line([capture(1, label={"b": 3, "a": True}, scores=scores)])])

    [(heading, chunk)] = Captures(TWO, MODEL, {}).read(storage, storage.list("captures/"))

    assert heading == ("champion", "raw")
    assert chunk.labels == [[1, 2]]


def test_a_regressor_has_no_label_and_a_score_may_be_no_number(tmp_path: Path) -> None:
    storage = Directory(tmp_path)
    target = Target(task="regression", outputs=("y",), scores="value")
    deliver(storage, NOON, [line([capture(1, label=None, scores=[None]), capture(2, scores=[3])])])

    [(_, chunk)] = Captures(target, MODEL, {}).read(storage, storage.list("captures/"))

    assert chunk.labels == [[], []]
    assert np.isnan(np.array(chunk.scores, dtype=np.float64)[:, 0]).tolist() == [True, False]


def test_invalid_predictions_are_counted_as_unreadable(tmp_path: Path) -> None:
    storage, target = Directory(tmp_path), Target(task="binary", classes=("no", "yes"))
    invalid = [
        capture(1, label="perhaps"),
        capture(2, scores=[0.5]),
        capture(3, scores=["a", None]),
        capture(4, features=[1.0]),
        capture(5, prediction_id=5),
        capture(6, warnings=[7]),
    ]
    deliver(storage, NOON, [line([*invalid, capture(7)]), line([capture(8)], role="king")])
    captures = Captures(target, MODEL, {})

    [(_, chunk)] = captures.read(storage, storage.list("captures/"))

    assert captures.unreadable == 7
    assert len(chunk.ids) == len(chunk.rows) == len(chunk.scores) == len(chunk.labels) == 1


def test_shadows_are_left_out(tmp_path: Path) -> None:
    storage, target = Directory(tmp_path), Target(task="binary", classes=("no", "yes"))
    deliver(storage, NOON, [line([capture(1)], kind="shadow"), b'{"note": "capture"}\n'])
    captures = Captures(target, MODEL, {})

    assert list(captures.read(storage, storage.list("captures/"))) == []
    assert captures.unreadable == 1


TERMS = TermCounts(
    feature="note",
    analyzer=Analyzer(analyzer="word", ngram_range=(1, 1), lowercase=True, token_pattern=r"\w+"),
    terms=("good", "bad"),
)
SIGNATURE = Signature(
    features=(
        Feature(name="x", kind="number", nullable=False, greatest=10.0),
        Feature(name="plan", kind="category", nullable=False, vocabulary=("a", "b")),
        Feature(name="on", kind="boolean", nullable=True),
        Feature(name="day", kind="datetime", nullable=False, unit="s"),
        Feature(name="note", kind="text", nullable=False),
    ),
    target=Target(task="binary", classes=("no", "yes")),
    counts=(TERMS,),
)
ROW = {"x": 1, "plan": "b", "on": True, "day": "1970-01-01T00:01:00", "note": "Good bad good"}
NAN = np.nan


def test_rows_are_encoded_as_they_were_for_the_model() -> None:
    X, invalid = CaptureEncoder(SIGNATURE, "raw").encode(SIGNATURE.names, [ROW])

    assert X.tolist() == [[1, 1, 1, 60, 0, 2, 1]]
    assert invalid == 0


def test_features_that_are_not_captured_are_missing() -> None:
    X, invalid = CaptureEncoder(SIGNATURE, "raw").encode(["x"], [{"x": 2.5}])

    np.testing.assert_equal(X, [[2.5, NAN, NAN, NAN, NAN, 0, 0]])
    assert invalid == 0


def test_null_and_unseen_are_valid_and_invalid_values_are_missing() -> None:
    rows = [
        ROW | {"x": None, "plan": "new"},
        ROW | {"on": "yes", "day": "some day"},
        ROW | {"x": 99.0, "note": 7},
        ROW | {"x": {}, "plan": []},
    ]

    X, invalid = CaptureEncoder(SIGNATURE, "raw").encode(SIGNATURE.names, rows)

    assert invalid == 3
    np.testing.assert_equal(X[0, :2], [NAN, -1])
    np.testing.assert_equal(X[1, 2:4], [NAN, NAN])
    np.testing.assert_equal(X[2, [0, 4]], [NAN, NAN])
    np.testing.assert_equal(X[3, :3], [NAN, NAN, 1])


def test_bins_are_not_encoded_again() -> None:
    rows: list[Row] = [{"x": 10, "plan": -1}, {"x": None, "plan": 10**400}, {"x": "7", "plan": 1}]

    X, invalid = CaptureEncoder(SIGNATURE, "binned").encode(["x", "plan"], rows)

    np.testing.assert_equal(X[:, :2], [[10, -1], [NAN, NAN], [NAN, 1]])
    assert np.isnan(X[:, 2:]).all()
    assert invalid == 2


def test_rows_are_grouped_by_their_features() -> None:
    rows: list[Row] = [{"plan": "a", "x": 1}, {"x": 2}, {"x": 3, "plan": "b"}]

    found = {names: places.tolist() for names, _, places in group_by_features(SIGNATURE, rows)}

    assert found == {("x", "plan"): [0, 2], ("x",): [1]}
