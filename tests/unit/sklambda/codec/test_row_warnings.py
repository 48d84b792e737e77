"""Warnings of rows: which values have one, and how many rows have which."""

import numpy as np
import pytest

from sklambda.codec.row_warnings import RowWarner, RowWarning, RowWarningCode
from sklambda.signature import Feature, Signature, Target

TARGET = Target(task="binary", classes=("no", "yes"))


def signature(*, mostly_missing: bool = False) -> Signature:
    return Signature(
        features=(
            Feature(name="age", kind="number", nullable=True, range=(0.0, 9.0)),
            Feature(name="city", kind="category", nullable=True, vocabulary=("Bern", "Chur")),
            Feature(name="debt", kind="number", nullable=True, mostly_missing=mostly_missing),
        ),
        target=TARGET,
    )


X = np.array([[1, 0, 5], [10, -1, 5], [11, 1, np.nan], [np.nan, -1, np.nan]], dtype=np.float64)


def test_rows_are_counted_by_feature_and_code() -> None:
    checked = RowWarner(signature()).check_many(X, [(0, "debt"), (1, "debt")])

    assert checked.counts == {
        RowWarning("age", RowWarningCode.MISSING): 1,
        RowWarning("age", RowWarningCode.OUT_OF_RANGE): 2,
        RowWarning("city", RowWarningCode.UNSEEN_CATEGORY): 2,
        RowWarning("debt", RowWarningCode.MISSING): 2,
        RowWarning("debt", RowWarningCode.COERCED): 2,
    }


@pytest.mark.parametrize("mostly_missing", [False, True])
def test_the_counts_are_those_of_the_lists(mostly_missing: bool) -> None:
    warner = RowWarner(signature(mostly_missing=mostly_missing))

    counts = warner.check_many(X).counts

    listed = [warning for row in warner.check(X) for warning in row]
    assert counts == {warning: listed.count(warning) for warning in listed}


def test_a_missing_value_is_no_warning_where_training_had_mostly_none() -> None:
    warner = RowWarner(signature(mostly_missing=True))

    listed = warner.check(X[2:3])

    assert listed == [[RowWarning("age", RowWarningCode.OUT_OF_RANGE)]]
    assert warner.check_many(X[2:3]).lists[1:] == listed


def test_rows_without_warnings_have_no_counts() -> None:
    assert RowWarner(signature()).check_many(X[:1]).counts == {}
    assert RowWarner(signature()).check_many(X[:0]).counts == {}
