"""The proof looks for rows where the label changes, and for rows where classes tie."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklambda.codec.codec import Codec
from sklambda.session import Session
from tests.support.proof import classes, mixed, numbers, values
from training.convert import CONVERTERS
from training.convert.graph.graph import Matrix
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Estimator, Scope
from training.errors import ParityFailed
from training.frames import client_rows, kinds_of
from training.proof.adversary import Budget, Case
from training.proof.conversion import Conversion
from training.proof.surface import near_ties

MOST = 640
NONE = Budget(rows=600, spread=1, least_spread=1, quantiles=5, near_ties=0)
SOME = replace(NONE, near_ties=MOST)


def cases_of(estimator: Estimator, frame: pd.DataFrame) -> tuple[list[Case], Conversion, bytes]:
    conversion = Conversion(estimator, frame, kinds_of(frame))
    model, signature = conversion.convert()
    rows = client_rows(frame, kinds_of(frame))
    return [*near_ties(model, signature, rows, 0, MOST)], conversion, model


@pytest.mark.parametrize("rare", [False, True])
def test_rows_come_as_near_to_a_decision_as_float64_has_numbers(rare: bool) -> None:
    frame = numbers()[["grid", "skewed", "whole"]]
    labels = (frame["grid"] > 2.5).astype(int) if rare else classes(2)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, labels)

    cases, conversion, graph = cases_of(model, frame)

    _, signature = conversion.convert()
    near = [case.row for case in cases if case.group == "surface"]
    scores = Session(graph).run(Codec(signature).encode(near))
    margins = np.abs(scores[:, 1] - 0.5)
    assert 0 < len(near) <= MOST
    assert (margins < 1e-15).sum() >= 10
    assert (margins > 1e-3).sum() >= 10


def test_jumps_are_not_looked_for_to_the_last_bit() -> None:
    frame = numbers()[["grid", "skewed"]]
    forest = RandomForestClassifier(5, random_state=0).fit(frame, classes(2))

    cases, _, _ = cases_of(forest, frame)

    near = pd.DataFrame([case.row for case in cases if case.group == "surface"])
    steps = np.diff(np.sort(near["skewed"].unique()))
    assert len(near) > 100
    assert steps.min() > 1e-9


def test_whole_numbers_are_equal_exchanged_and_between_two_rows() -> None:
    frame = pd.DataFrame(np.random.default_rng(0).integers(0, 6, (60, 3)), columns=list("abc"))
    halves = frame.astype({"c": "float64"})
    model = KNeighborsRegressor(3).fit(halves, values(rows=60))

    cases, _, _ = cases_of(model, halves)

    counted = Counter(case.name for case in cases)
    assert set(counted.values()) == {MOST // 5}
    assert all(type(case.row[name]) is int for case in cases for name in "ab")
    assert any(case.row["c"] % 1 == 0.5 for case in cases)  # type: ignore[operator]


def test_categories_are_those_of_one_of_the_two_rows() -> None:
    frame = mixed(missing=False)[["grid", "colour"]]
    coded = frame.assign(colour=frame["colour"].map(str))
    labels = (coded["grid"] > 0).astype(int)
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["colour"]), remainder="passthrough"
    )
    model = make_pipeline(encode, LogisticRegression()).fit(coded, labels)

    cases, _, _ = cases_of(model, coded)

    assert {case.row["colour"] for case in cases} <= set(coded["colour"])


def test_a_label_by_other_scores_than_scikit_learns_is_found_at_the_surface() -> None:
    frame = numbers()[["grid", "skewed"]]
    model = LogisticRegression().fit(frame, classes(2))

    def at_another_place(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
        found = CONVERTERS[LogisticRegression](estimator, matrix, scope)
        assert isinstance(found, Outputs)
        return replace(found, threshold=0.5 + 1e-4)

    converters = {**CONVERTERS, LogisticRegression: at_another_place}
    wrong = Conversion(model, frame, kinds_of(frame), converters)
    graph, signature = wrong.convert()

    wrong.prove(graph, signature, wrong.cases(graph, signature, budget=NONE))
    with pytest.raises(ParityFailed, match="between two labels: the labels differ"):
        wrong.prove(graph, signature, wrong.cases(graph, signature, budget=SOME))
