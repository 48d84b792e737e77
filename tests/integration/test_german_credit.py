"""The German credit data served, and served again with two features shifted."""

import gzip
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import training
from functions.monitor.judge import judge
from functions.monitor.results import Results
from functions.predict.http.exchange import Caller
from functions.predict.model import PredictionRequest, ServedModel
from functions.predict.observe.capture import Capture
from functions.predict.service import Service
from sklambda.package import ModelPackage
from sklambda.policy.watching import Watching
from sklambda.predictor import Predictor
from sklambda.storage import Directory, hour_folder
from tests.conftest import REPOSITORY

CREDIT = REPOSITORY.parent / "shared/data/german_credit.csv"
UNTIL = datetime(2026, 11, 23, tzinfo=UTC)
SERVED = 1200
BATCH = 100
SHIFTED = {"duration_months", "purpose"}


@pytest.fixture(scope="module")
def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows to learn from, and rows that are held out."""
    if not CREDIT.exists():
        pytest.skip("the German credit data is not in ../shared/data")
    table = pd.read_csv(CREDIT)
    learnt, apart = train_test_split(
        table, test_size=0.4, random_state=5, stratify=table["approved"]
    )
    return learnt, apart


@pytest.fixture(scope="module")
def package(
    tables: tuple[pd.DataFrame, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory
) -> ModelPackage:
    learnt, apart = tables
    frame = learnt.drop(columns="approved")
    return training.export(
        _pipeline().fit(frame, learnt["approved"]),
        frame,
        out=tmp_path_factory.mktemp("credit") / "package",
        name="credit",
        target="approved",
        held_out=(apart.drop(columns="approved"), apart["approved"]),
        watching=Watching(groups=("personal_status_sex",)),
    )


def test_nothing_is_said_of_customers_as_they_were(
    package: ModelPackage, tables: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path
) -> None:
    results = served_and_judged(package, applicants(tables), tmp_path)

    findings = results.comparisons[0].findings
    assert findings.rows == SERVED
    assert not {one.name for one in findings.features if one.changed} & SHIFTED


def test_what_has_shifted_is_named_first(
    package: ModelPackage, tables: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path
) -> None:
    results = served_and_judged(package, shifted(applicants(tables)), tmp_path)

    first, second = results.comparisons[0].findings.features[:2]
    assert results.state == "changed"
    assert {first.name, second.name} == SHIFTED
    assert first.changed
    assert second.changed


def test_groups_are_treated_as_the_results_tell(
    package: ModelPackage, tables: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path
) -> None:
    table = applicants(tables)

    [group] = served_and_judged(package, table, tmp_path).groups

    counts = table["personal_status_sex"].value_counts()
    assert group.column == "personal_status_sex"
    assert {name: one.rows for name, one in group.treatments.items()} == counts.to_dict()
    for one in group.treatments.values():
        assert one.labelled == one.rows
        for share in (one.selection, one.true_positive, one.false_positive):
            assert share.low <= share.value <= share.high


def applicants(tables: tuple[pd.DataFrame, pd.DataFrame]) -> pd.DataFrame:
    """Draw applicants of the whole table, who are then as those of training were."""
    table = pd.concat(tables)
    return table.sample(SERVED, replace=True, random_state=6).reset_index(drop=True)


def shifted(table: pd.DataFrame) -> pd.DataFrame:
    """Have all ask for a year more, and half of them for a new car."""
    cars = np.arange(len(table)) % 2 == 0
    return table.assign(
        duration_months=table["duration_months"] + 12,
        purpose=table["purpose"].mask(cars, "A40"),
    )


def served_and_judged(package: ModelPackage, table: pd.DataFrame, folder: Path) -> Results:
    """Serve rows through a day, hear what became of them, then look back on it."""
    records = Directory(folder)
    lines: list[bytes] = []
    clock = [UNTIL - timedelta(days=1)]
    model = ServedModel(Predictor(package))
    capture = Capture(package.signature, "raw", 1.0, (), lines.append, now=lambda: clock[0])
    service = Service(model, (capture,))
    for place in range(0, len(table), BATCH):
        part, caller = table.iloc[place : place + BATCH], Caller(f"request-{place}")
        service.predict(PredictionRequest(sent(part.drop(columns="approved")), caller))
        key = f"captures/{hour_folder(clock[0])}/part-{place}.gz"
        records.put({key: gzip.compress(b"\n".join(lines))})
        lines.clear()
        clock[0] += timedelta(hours=1)
        records.put(outcomes(caller, part["approved"].tolist(), clock[0]))
    baseline = package.baseline
    assert baseline is not None
    return judge(records, package, baseline, baseline.watching, UNTIL, UNTIL)


def sent(table: pd.DataFrame) -> list[Mapping[str, Any]]:
    """Write rows as a client sends them."""
    rows: list[Mapping[str, Any]] = json.loads(table.to_json(orient="records"))
    return rows


def outcomes(caller: Caller, labels: list[str], moment: datetime) -> dict[str, bytes]:
    """Write what became true as feedback keeps it."""
    told = {caller.prediction_id(place): label for place, label in enumerate(labels)}
    return {
        f"outcomes/{hour_folder(moment)}/{name}.json": json.dumps(
            {"prediction_id": name, "outcome": label, "time": moment.isoformat()}
        ).encode()
        for name, label in told.items()
    }


def _pipeline() -> Pipeline:
    columns = ColumnTransformer(
        [
            ("numbers", StandardScaler(), make_column_selector(dtype_include="number")),
            (
                "categories",
                OneHotEncoder(handle_unknown="ignore", sparse_output=False),
                make_column_selector(dtype_exclude="number"),
            ),
        ]
    )
    return make_pipeline(columns, LogisticRegression(max_iter=1000))
