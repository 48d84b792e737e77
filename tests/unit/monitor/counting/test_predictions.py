"""Predictions are joined with their outcomes."""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import numpy as np

from functions.monitor.counting.hours import count_hour
from functions.monitor.counting.predictions import NO_ROW, Predictions, digest, no_predictions
from functions.monitor.outcomes import (
    champion_predictions,
    collect_outcomes,
    join,
    labelled_predictions,
)
from sklambda.sketch.layout import whole_hour
from sklambda.storage import Directory
from tests.support.capturing import HOUR, NOON, captured, deliver, line, put_outcomes, watched_model
from tests.support.drifting import answers, matrix, reference

BASE = reference(5000)
X = matrix(60, seed=7)


def some(*names: str) -> Predictions:
    ids = np.array(sorted(map(digest, names)), dtype=np.uint64)
    counts = np.arange(len(ids), dtype=np.intp)[:, None]
    return Predictions(ids, counts / 10, counts, counts, counts[:, 0] / 1.0, ids)


def test_written_predictions_are_read() -> None:
    found = Predictions.read(some("a", "b").to_bytes())

    assert found.ids.tolist() == some("a", "b").ids.tolist()
    assert found.scores.tolist() == [[0.0], [0.1]]
    assert found.labels.tolist() == found.groups.tolist() == [[0], [1]]
    assert found.times.tolist() == [0.0, 1.0]
    assert found.rows.tolist() == found.ids.tolist()


def test_predictions_of_an_older_version_have_no_time_and_no_row() -> None:
    file = BytesIO()
    one = some("a")
    np.savez(file, ids=one.ids, scores=one.scores, labels=one.labels, groups=one.groups)

    found = Predictions.read(file.getvalue())

    assert np.isnan(found.times).all()
    assert found.rows.tolist() == [NO_ROW]


def test_the_same_predictions_are_the_same_bytes() -> None:
    assert some("a", "b").to_bytes() == some("b", "a").to_bytes()


def test_of_two_predictions_with_the_same_id_the_first_stays() -> None:
    first, second = some("a"), some("a", "b").take(np.array([1, 0]))

    merged = Predictions.merge([no_predictions(1, 1, 1), first, second])

    assert len(merged) == 2
    assert merged.scores[merged.ids == digest("a")].tolist() == [[0.0]]


def test_an_outcome_is_joined_by_the_id_of_the_prediction(tmp_path: Path) -> None:
    model = watched_model(Directory(tmp_path), BASE)
    deliver(model.storage, NOON, [line(captured(X))])
    count_hour(model, NOON)
    put_outcomes(model.storage, NOON, [("a-3", "yes"), ("a-9", "no"), ("unknown", "yes")])

    found = join(
        champion_predictions(model, NOON, NOON + HOUR), collect_outcomes(model, NOON, NOON + HOUR)
    )

    assert sorted(found.true[:, 0].tolist()) == [0.0, 1.0]
    place = found.true[:, 0].argmax()
    assert found.predictions.ids[place] == digest("a-3")
    assert found.predictions.scores[place, 0] == answers(X)[0][3, 1]


def test_a_late_outcome_is_joined_with_a_prediction_of_days_before(tmp_path: Path) -> None:
    model, before = watched_model(Directory(tmp_path), BASE), NOON - timedelta(days=20)
    deliver(model.storage, before, [line(captured(X))])
    count_hour(model, before)
    deliver(model.storage, NOON, [line(captured(X, start=100))])
    count_hour(model, NOON)
    put_outcomes(model.storage, NOON, [("a-3", "yes"), ("a-103", "no")])
    put_outcomes(model.storage, before, [("a-4", "yes")])
    outcomes = collect_outcomes(model, before, NOON + HOUR)

    found = labelled_predictions(
        model, champion_predictions(model, NOON, NOON + HOUR), outcomes, NOON, NOON + HOUR
    )

    assert set(found.predictions.ids.tolist()) == {digest("a-3"), digest("a-103")}


def test_an_outcome_with_an_old_time_counts_when_it_arrives(tmp_path: Path) -> None:
    model, now = watched_model(Directory(tmp_path), BASE), whole_hour(datetime.now(UTC))
    before = now - timedelta(days=10)
    deliver(model.storage, before, [line(captured(X))])
    count_hour(model, before)
    put_outcomes(model.storage, before + HOUR, [("a-3", "yes")])
    outcomes = collect_outcomes(model, before, now + HOUR)

    found = labelled_predictions(
        model, champion_predictions(model, now, now + HOUR), outcomes, now, now + 2 * HOUR
    )

    assert found.predictions.ids.tolist() == [digest("a-3")]
