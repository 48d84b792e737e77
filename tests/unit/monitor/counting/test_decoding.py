"""Captured features become the matrix that the model saw."""

import numpy as np

from functions.monitor.counting.decoding import Encoding, Row, alike
from sklambda.signature import Analyzer, Feature, Signature, Target, TermCounts

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
    X, misfits = Encoding(SIGNATURE, "raw").encode(SIGNATURE.names, [ROW])

    assert X.tolist() == [[1, 1, 1, 60, 0, 2, 1]]
    assert misfits == 0


def test_what_is_not_recorded_is_missing() -> None:
    X, misfits = Encoding(SIGNATURE, "raw").encode(["x"], [{"x": 2.5}])

    np.testing.assert_equal(X, [[2.5, NAN, NAN, NAN, NAN, 0, 0]])
    assert misfits == 0


def test_null_and_unseen_are_no_misfits_and_what_does_not_fit_is_missing() -> None:
    rows = [
        ROW | {"x": None, "plan": "new"},
        ROW | {"on": "yes", "day": "some day"},
        ROW | {"x": 99.0, "note": 7},
        ROW | {"x": {}, "plan": []},
    ]

    X, misfits = Encoding(SIGNATURE, "raw").encode(SIGNATURE.names, rows)

    assert misfits == 3
    np.testing.assert_equal(X[0, :2], [NAN, -1])
    np.testing.assert_equal(X[1, 2:4], [NAN, NAN])
    np.testing.assert_equal(X[2, [0, 4]], [NAN, NAN])
    np.testing.assert_equal(X[3, :3], [NAN, NAN, 1])


def test_bins_are_taken_as_they_are() -> None:
    rows: list[Row] = [{"x": 10, "plan": -1}, {"x": None, "plan": 10**400}, {"x": "7", "plan": 1}]

    X, misfits = Encoding(SIGNATURE, "binned").encode(["x", "plan"], rows)

    np.testing.assert_equal(X[:, :2], [[10, -1], [NAN, NAN], [NAN, 1]])
    assert np.isnan(X[:, 2:]).all()
    assert misfits == 2


def test_rows_with_the_same_features_stand_together() -> None:
    rows: list[Row] = [{"plan": "a", "x": 1}, {"x": 2}, {"x": 3, "plan": "b"}]

    found = {names: places.tolist() for names, _, places in alike(SIGNATURE, rows)}

    assert found == {("x", "plan"): [0, 2], ("x",): [1]}
