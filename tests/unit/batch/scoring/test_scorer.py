"""Each record of a slice is scored as scikit-learn scores it, or rejected; none is lost."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from functions.batch.formats import parquet_reader
from functions.batch.formats.layout import Layout, OutputOptions, sniff
from functions.batch.formats.readers import Reader
from functions.batch.formats.slices import EncodedSlice, Slice
from functions.batch.scoring.scorer import ScoredSlice, Scorer
from sklambda.arrays import FloatVector
from sklambda.predictor import Predictor
from sklambda.reading import records
from sklambda.reading.suffixes import Format
from tests.conftest import MODELS, Train, Trained
from tests.support.exporting import export_quickly
from training.frames import client_rows, kinds_of
from training.train.data import to_csv

type ScoreFile = Callable[..., tuple[list[ScoredSlice], bytes]]


@pytest.fixture
def score_file(tmp_path: Path) -> ScoreFile:
    """Score a file of CSV or JSON Lines part by part; return the parts and the whole."""

    def score_file(
        package: Path, content: bytes, options: OutputOptions, part_bytes: int = 2**20
    ) -> tuple[list[ScoredSlice], bytes]:
        predictor = Predictor.open(package)
        kind: Format = "json_lines" if content.startswith(b"{") else "csv"
        layout = sniff(content[: 2**20], kind, None, predictor.package.signature)
        scorer = Scorer(predictor, layout, options, tmp_path)
        pieces, whole = [], b""
        for part in _slices(content, layout, part_bytes):
            piece = scorer.score(part)
            whole += piece.output.read_bytes()
            piece.output.unlink()
            pieces.append(piece)
        assert [*tmp_path.iterdir()] == []
        return pieces, whole

    return score_file


def _slices(content: bytes, layout: Layout, part_bytes: int) -> list[Slice]:
    slices: list[Slice] = []
    start, first = layout.start, 1
    while start < len(content):
        last = start + part_bytes >= len(content)
        cut = records.cut(content[start : start + part_bytes], layout.dialect, last)
        part = content[start : start + cut.end]
        slices.append(Slice(part, first=first, header=not slices))
        start, first = start + cut.end, first + cut.records
        if last:
            break
    return slices


def _probabilities(trained: Trained) -> FloatVector:
    probabilities: FloatVector = trained.pipeline.predict_proba(trained.frame)[:, 1]
    return probabilities


def _customers(trained: Trained, rows: int) -> pd.DataFrame:
    frame = trained.frame.head(rows)
    return frame.assign(customer=[f"c{place}" for place in range(len(frame))])


def _table(content: bytes) -> list[dict[str, str]]:
    return [*csv.DictReader(content.decode().splitlines(keepends=True))]


@pytest.mark.parametrize("model", MODELS)
def test_the_real_data_is_scored_as_scikit_learn_does(
    trained: Train, telco: Path, model: str, score_file: ScoreFile
) -> None:
    known = trained(model, telco)

    pieces, whole = score_file(known.package, telco.read_bytes(), OutputOptions("csv"), 2**17)

    table = _table(whole)
    scores = [float(row["score"]) for row in table]
    assert len(pieces) > 5
    assert sum(piece.read for piece in pieces) == len(table) == len(known.frame) == 7043
    assert sum(piece.rejected for piece in pieces) == 0
    assert [row["customerID"] for row in table] == pd.read_csv(telco)["customerID"].tolist()
    np.testing.assert_allclose(scores, _probabilities(known), rtol=0, atol=1e-9)
    assert [row["label"] for row in table] == known.pipeline.predict(known.frame).tolist()


@pytest.mark.parametrize("model", MODELS)
def test_the_real_data_as_parquet_is_scored_as_scikit_learn_does(
    trained: Train, telco: Path, model: str, tmp_path: Path
) -> None:
    known = trained(model, telco)
    path = tmp_path / "telco.parquet"
    _as_parquet(telco, path)
    predictor = Predictor.open(known.package)
    layout = parquet_reader.layout(path, predictor.package.signature)
    scorer = Scorer(predictor, layout, OutputOptions("parquet", "zstd"), tmp_path)

    scored = [
        scorer.score(Slice(path=path, rows=rows, first=rows[0] + 1))
        for rows in ((0, 3000), (3000, 7043))
    ]

    found = [row for piece in scored for row in _rows_of(piece.output)]
    assert [piece.read for piece in scored] == [3000, 4043]
    scores = [float(row["score"]) for row in found]
    np.testing.assert_allclose(scores, _probabilities(known), rtol=0, atol=1e-9)
    assert [row["tenure"] for row in found] == known.frame["tenure"].tolist()


def _as_parquet(table: Path, path: Path) -> None:
    casts = (f"CAST({name} AS {kind}) AS {name}" for name, kind in _NUMBERS.items())
    texts = f"read_csv('{table}', all_varchar = true, nullstr = ['', 'NA'])"
    query = f"SELECT * REPLACE ({', '.join(casts)}) FROM {texts}"
    duckdb.sql(f"COPY ({query}) TO '{path}'")


_NUMBERS = {
    "SeniorCitizen": "BIGINT",
    "tenure": "SMALLINT",
    "MonthlyCharges": "DOUBLE",
    "TotalCharges": "DOUBLE",
}


def _rows_of(path: Path) -> list[dict[str, Any]]:
    result = duckdb.execute(f"FROM read_parquet('{path}')")
    names = [name for name, *_ in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def test_scores_are_those_of_the_predictor_to_the_bit(
    churn: Trained, predictor: Predictor, score_file: ScoreFile
) -> None:
    rows = client_rows(churn.frame, kinds_of(churn.frame))
    content = to_csv(_customers(churn, len(rows)))

    _, whole = score_file(churn.package, content, OutputOptions("csv"), 2**15)

    expected = predictor.score(rows)[:, 1].tolist()
    assert [float(row["score"]) for row in _table(whole)] == expected


def test_bad_rows_are_rejected_and_the_rest_is_scored(
    churn: Trained, score_file: ScoreFile
) -> None:
    frame = _customers(churn, 40).astype({"tenure": object})
    frame.loc[[7, 30], "tenure"] = "soon"

    pieces, whole = score_file(
        churn.package, to_csv(frame), OutputOptions("csv", show_values=True), 1024
    )

    faults = [json.loads(line) for piece in pieces for line in piece.rejects.splitlines()]
    assert faults == [
        {
            "row": row,
            "column": "tenure",
            "code": "type",
            "detail": "must be a number",
            "value": "soon",
        }
        for row in (8, 31)
    ]
    assert len(pieces) > 3
    assert sum(piece.read for piece in pieces) == 40
    assert sum(piece.rejected for piece in pieces) == 2
    good = np.delete(_probabilities(churn)[:40], [7, 30])
    found = _table(whole)
    assert [row["customer"] for row in found] == [
        f"c{place}" for place in range(40) if place not in (7, 30)
    ]
    np.testing.assert_allclose([float(row["score"]) for row in found], good, rtol=0, atol=1e-9)


def test_malformed_records_count_as_rejected(churn: Trained, score_file: ScoreFile) -> None:
    lines = to_csv(_customers(churn, 5)).splitlines(keepends=True)
    lines.insert(3, b"one,cell,too few\n")

    (piece,), whole = score_file(churn.package, b"".join(lines), OutputOptions("csv"))

    (fault,) = [json.loads(line) for line in piece.rejects.splitlines()]
    assert (fault["row"], fault["column"], fault["code"]) == (3, None, "malformed")
    assert (piece.read, piece.rejected, len(_table(whole))) == (6, 1, 5)
    assert [row["customer"] for row in _table(whole)] == ["c0", "c1", "c2", "c3", "c4"]


def test_warnings_are_those_of_the_rows_that_were_scored(
    churn: Trained, score_file: ScoreFile
) -> None:
    frame = _customers(churn, 4).assign(
        tenure=[5, "soon", 999, 3], TotalCharges=[500.0, 500.0, np.nan, 600.0]
    )

    _, whole = score_file(churn.package, to_csv(frame), OutputOptions("csv"))

    assert [row["warnings"] for row in _table(whole)] == [
        "",
        "TotalCharges:missing;tenure:out_of_range",
        "",
    ]


@pytest.mark.parametrize("into", ["csv", "parquet", "json_lines"])
def test_a_slice_without_good_rows_is_a_piece_without_rows(
    churn: Trained, tmp_path: Path, predictor: Predictor, into: Any
) -> None:
    frame = _customers(churn, 2).assign(tenure="soon")
    content = to_csv(frame)
    layout = sniff(content, "csv", None, predictor.package.signature)
    scorer = Scorer(predictor, layout, OutputOptions(into), tmp_path)

    scored = scorer.score(Slice(content[layout.start :]))

    assert (scored.read, scored.rejected) == (2, 2)
    if into == "parquet":
        assert _rows_of(scored.output) == []
    else:
        assert scored.output.read_bytes().count(b"\n") == (1 if into == "csv" else 0)


def test_lines_are_answered_as_a_request_is(churn: Trained, score_file: ScoreFile) -> None:
    rows = client_rows(churn.frame.head(3), kinds_of(churn.frame))
    content = "".join(json.dumps(row | {"id": place}) + "\n" for place, row in enumerate(rows))
    predictor = Predictor.open(churn.package)

    _, whole = score_file(
        churn.package, content.encode(), OutputOptions("json_lines", explain=True)
    )

    answers = [json.loads(line) for line in whole.splitlines()]
    for place, (answer, row) in enumerate(zip(answers, rows, strict=True)):
        (expected,) = predictor.predict([row])
        assert answer.items() >= (row | {"id": place, "label": expected.label}).items()
        assert answer["probabilities"] == expected.probabilities
        (explanation,) = answer["explanations"]
        assert explanation["contributions"].keys() == row.keys()


def test_base_and_contributions_add_up_to_the_score(churn: Trained, score_file: ScoreFile) -> None:
    _, whole = score_file(
        churn.package, to_csv(_customers(churn, 3)), OutputOptions("csv", explain=True)
    )

    for row in _table(whole):
        added = sum(float(row[name]) for name in row if name.startswith("contribution_"))
        assert row["scale"] == "log-odds"
        value = 1 / (1 + np.exp(-float(row["base_value"]) - added))
        assert value == pytest.approx(float(row["score"]))


class _Losing(Scorer):
    """Reads one record more than there are."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._reader = _Miscounting(self._reader)


class _Miscounting:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def read(self, part: Slice) -> EncodedSlice:
        encoded = self._reader.read(part)
        return replace(encoded, read=encoded.read + 1)

    def clear(self) -> None:
        self._reader.clear()


def test_a_record_that_is_lost_stops_the_job(
    churn: Trained, tmp_path: Path, predictor: Predictor
) -> None:
    content = to_csv(_customers(churn, 3))
    layout = sniff(content, "csv", None, predictor.package.signature)
    scorer = _Losing(predictor, layout, OutputOptions("csv"), tmp_path)

    with pytest.raises(RuntimeError, match="of 4 records 3 were scored and 0 rejected"):
        scorer.score(Slice(content[layout.start :]))

    assert [*tmp_path.iterdir()] == []


def of_quotient(X: pd.DataFrame) -> pd.DataFrame:
    return X.assign(quotient=X["a"] / (X["b"] + 2))


def test_a_record_without_a_score_is_rejected(score_file: ScoreFile, tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0, 4.0, 3.0], "b": [0.5, 1.5, 3.0, 0.25]})
    pipeline = make_pipeline(FunctionTransformer(of_quotient), Ridge()).fit(frame, frame["a"])
    package = export_quickly(pipeline, frame, tmp_path.parent / "partial" / "package")
    content = b"a,b\n1,0.5\n3,-2\n2,1.5\n"

    (piece,), whole = score_file(package, content, OutputOptions("csv"))

    assert (piece.read, piece.rejected) == (3, 1)
    assert b"no_score" in piece.rejects
    assert len(whole.splitlines()) == 3
