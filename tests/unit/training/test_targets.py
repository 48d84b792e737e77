"""The names of a model and of its targets are used as they are given, or refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multioutput import MultiOutputClassifier

import training
from training.errors import DataError
from training.targets import require_names

FRAME = pd.DataFrame({"a": np.arange(20.0), "b": np.arange(20.0) % 3})
LABELS = np.arange(20) % 2


def exported(estimator: Any, out: Path, target: Any) -> Any:
    return training.export(estimator, FRAME, out=out / "package", name="m", target=target)


@pytest.mark.parametrize(
    "name",
    ["", " ", "a ", " a", ".", "..", "a/b", "größe", "a\n", "a\x00", ":a", "x" * 129, None, 7],
)
def test_a_name_that_cannot_be_used_is_refused(name: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="name: must be 1 to 128 printable ASCII"):
        training.export(
            LogisticRegression().fit(FRAME, LABELS), FRAME, out=tmp_path / "package", name=name
        )

    assert not (tmp_path / "package").exists()


@pytest.mark.parametrize("name", ["a", "churn-2", "my model", "<odd> & model", "x" * 128, "v1.0"])
def test_other_names_are_accepted(name: str) -> None:
    assert require_names(name, ["a column", "größe"]) == ["a column", "größe"]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("", "must be the name of a column"),
        ([" "], "must be the name of a column"),
        (["a", 5], "must be the name of a column"),
        (5, "must be the name of a column"),
        (["x", "x"], "must be different columns"),
    ],
)
def test_a_target_without_a_name_is_refused(target: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"target: {message}"):
        exported(LogisticRegression().fit(FRAME, LABELS), tmp_path, target)


@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        (LogisticRegression().fit(FRAME, LABELS), "1 column,"),
        (LinearRegression().fit(FRAME, LABELS), "1 column,"),
        (KMeans(2, n_init=1, random_state=0).fit(FRAME), "1 column,"),
        (LinearRegression().fit(FRAME, np.column_stack([LABELS] * 3)), "3 columns,"),
        (
            MultiOutputClassifier(LogisticRegression()).fit(FRAME, np.column_stack([LABELS] * 3)),
            "3 columns,",
        ),
    ],
    ids=["classifier", "regressor", "clusters", "several values", "several targets"],
)
def test_another_number_of_targets_is_refused(
    estimator: Any, expected: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=f"target: expected {expected}.* got 2: 'x', 'y'"):
        exported(estimator, tmp_path, ["x", "y"])


@pytest.mark.parametrize(
    ("target", "outputs"),
    [("x", ("x_0", "x_1")), (["x", "y"], ("x", "y")), (None, ("value_0", "value_1"))],
)
def test_one_name_is_for_all_values_or_each_has_its_own(
    target: Any, outputs: tuple[str, ...], tmp_path: Path
) -> None:
    estimator = LinearRegression().fit(FRAME, np.column_stack([LABELS, FRAME["a"]]))

    assert exported(estimator, tmp_path, target).signature.target.outputs == outputs
