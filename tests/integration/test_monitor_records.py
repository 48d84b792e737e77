"""Captures of the service are judged through a bucket, over HTTP, without a Docker engine."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from functions.monitor.judge import judge
from functions.monitor.results import Results
from sklambda.decision import label_positions
from sklambda.package import ModelPackage
from sklambda.policy.watching import Watching
from sklambda.predictor import Predictor
from sklambda.sketch.baseline import Baseline
from sklambda.sketch.layout import whole_hour
from sklambda.storage import Bucket, hour_folder
from tests.conftest import Trained
from tests.integration.conftest import BucketFactory
from tests.support.observed import Observed, observe
from training.baseline.monitoring_files import HeldOut, baseline
from training.examples.churn.sample import generate

NOW = whole_hour(datetime.now(UTC)) + timedelta(hours=1)
ROWS = 600

type Rows = list[dict[str, Any]]


def drawn(seed: int) -> Rows:
    frame = generate(rows=ROWS, seed=seed).drop(columns=["customerID", "Churn"])
    found: Rows = json.loads(frame.to_json(orient="records"))
    return found


@pytest.fixture(scope="module")
def package(churn: Trained) -> ModelPackage:
    return ModelPackage.open(churn.package)


@pytest.fixture(scope="module")
def base(churn: Trained, package: ModelPackage) -> Baseline:
    predictor = Predictor.open(churn.package)
    X = predictor.encode(json.loads(pd.DataFrame(churn.frame).to_json(orient="records")))
    scores = predictor.run(X)
    labels = label_positions(package.signature.target, scores)
    return baseline(package.signature, X, HeldOut(scores, labels, labels)).replace(calibrators={})


def delivered(bucket: Bucket, observed: Observed, name: str = "one") -> None:
    """Put the log lines into the bucket as Firehose does."""
    lines = b"".join(line.rstrip() + b"\n" for line in observed.written)
    folder = f"captures/{hour_folder(NOW - timedelta(hours=1))}"
    bucket.put({f"{folder}/{name}.gz": gzip.compress(lines)})


def run(bucket: Bucket, package: ModelPackage, base: Baseline, **watching: Any) -> Results:
    return judge(bucket, package, base, Watching(**watching), NOW, datetime.now(UTC))


def ask(observed: Observed, rows: Rows) -> Rows:
    answer = observed.client.post("/predict", json={"instances": rows})
    found: Rows = answer.json()["predictions"]
    return found


def test_what_was_served_is_judged_and_a_shift_is_named(
    bucket: Bucket, churn: Trained, package: ModelPackage, base: Baseline
) -> None:
    observed = observe(churn.package, capture="raw")
    shifted = [row | {"tenure": row["tenure"] // 3} for row in drawn(seed=5)]
    ask(observed, shifted)
    delivered(bucket, observed)

    results = run(bucket, package, base)

    assert (results.state, results.window.rows) == ("changed", ROWS)
    changed = [one.name for one in results.comparisons[0].findings.features if one.changed]
    assert "tenure" in changed[:2]


def test_outcomes_given_back_are_joined_and_doubled_deliveries_change_nothing(
    s3: Any,
    bucket: Bucket,
    churn: Trained,
    package: ModelPackage,
    base: Baseline,
) -> None:
    store = f"s3://{bucket.name}/{bucket.prefix}"
    observed = observe(churn.package, lambda: s3, capture="raw", feedback_store=store)
    answers = ask(observed, drawn(seed=6))
    outcomes = [
        {"prediction_id": one["prediction_id"], "outcome": one["label"]} for one in answers[:40]
    ]
    observed.client.post("/feedback", json={"outcomes": outcomes})
    delivered(bucket, observed)
    before = run(bucket, package, base, groups=["gender"])
    delivered(bucket, observed, "again")

    after = run(bucket, package, base, groups=["gender"])

    assert (after.window, after.performance, after.groups) == (
        before.window,
        before.performance,
        before.groups,
    )
    [performance] = after.performance
    assert performance.labelled == 40
    assert performance.realised["accuracy"].value == 1.0
    assert performance.estimated.keys() == performance.realised.keys()
    assert after.groups[0].treatments.keys() == {"Female", "Male"}


@pytest.mark.parametrize("mode", ["raw", "binned"])
def test_what_is_redacted_takes_no_part(
    bucket_factory: BucketFactory,
    churn: Trained,
    package: ModelPackage,
    base: Baseline,
    mode: str,
) -> None:
    bucket = bucket_factory()
    observed = observe(churn.package, capture=mode, redact=("gender", "tenure"))
    ask(observed, drawn(seed=7))
    delivered(bucket, observed)

    results = run(bucket, package, base)

    features = results.comparisons[0].findings.features
    assert (results.window.rows, results.window.mode) == (ROWS, mode)
    assert [one.name for one in features if one.changed] == []
    names = {one.name for one in features}
    assert {"Contract", "MonthlyCharges"} <= names
    assert not names & {"gender", "tenure"}
