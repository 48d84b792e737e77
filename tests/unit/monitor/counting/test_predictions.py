"""Answers find their outcomes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from functions.monitor.counting.hours import count
from functions.monitor.counting.predictions import Answers, digest, nothing
from functions.monitor.outcomes import answered, evidence, gather, join
from sklambda.sketch.layout import whole_hour
from sklambda.storage import Directory
from tests.support.capturing import HOUR, NOON, deliver, line, subject, taken, tell
from tests.support.drifting import answers, matrix, reference

BASE = reference(5000)
X = matrix(60, seed=7)


def some(*names: str) -> Answers:
    ids = np.array(sorted(map(digest, names)), dtype=np.uint64)
    counts = np.arange(len(ids), dtype=np.intp)[:, None]
    return Answers(ids, counts / 10, counts, counts)


def test_what_is_written_is_read() -> None:
    found = Answers.read(some("a", "b").written())

    assert found.ids.tolist() == some("a", "b").ids.tolist()
    assert found.scores.tolist() == [[0.0], [0.1]]
    assert found.labels.tolist() == found.groups.tolist() == [[0], [1]]


def test_the_same_answers_are_the_same_bytes() -> None:
    assert some("a", "b").written() == some("b", "a").written()


def test_of_two_answers_to_one_prediction_the_first_stays() -> None:
    first, second = some("a"), some("a", "b").take(np.array([1, 0]))

    joined = Answers.joined([nothing(1, 1, 1), first, second])

    assert len(joined) == 2
    assert joined.scores[joined.ids == digest("a")].tolist() == [[0.0]]


def test_an_outcome_is_joined_by_the_id_of_the_prediction(tmp_path: Path) -> None:
    seen = subject(Directory(tmp_path), BASE)
    deliver(seen.records, NOON, [line(taken(X))])
    count(seen, NOON)
    tell(seen.records, NOON, [("a-3", "yes"), ("a-9", "no"), ("stranger", "yes")])

    found = join(answered(seen, NOON, NOON + HOUR), gather(seen, NOON, NOON + HOUR))

    assert sorted(found.true[:, 0].tolist()) == [0.0, 1.0]
    place = found.true[:, 0].argmax()
    assert found.answers.ids[place] == digest("a-3")
    assert found.answers.scores[place, 0] == answers(X)[0][3, 1]


def test_a_late_outcome_finds_the_answer_of_days_before(tmp_path: Path) -> None:
    seen, before = subject(Directory(tmp_path), BASE), NOON - timedelta(days=20)
    deliver(seen.records, before, [line(taken(X))])
    count(seen, before)
    deliver(seen.records, NOON, [line(taken(X, start=100))])
    count(seen, NOON)
    tell(seen.records, NOON, [("a-3", "yes"), ("a-103", "no")])
    tell(seen.records, before, [("a-4", "yes")])
    truths = gather(seen, before, NOON + HOUR)

    found = evidence(seen, answered(seen, NOON, NOON + HOUR), truths, NOON, NOON + HOUR)

    assert set(found.answers.ids.tolist()) == {digest("a-3"), digest("a-103")}


def test_an_outcome_that_comes_late_and_says_so_counts_when_it_comes(tmp_path: Path) -> None:
    seen, now = subject(Directory(tmp_path), BASE), whole_hour(datetime.now(UTC))
    before = now - timedelta(days=10)
    deliver(seen.records, before, [line(taken(X))])
    count(seen, before)
    tell(seen.records, before + HOUR, [("a-3", "yes")])
    truths = gather(seen, before, now + HOUR)

    found = evidence(seen, answered(seen, now, now + HOUR), truths, now, now + 2 * HOUR)

    assert found.answers.ids.tolist() == [digest("a-3")]
