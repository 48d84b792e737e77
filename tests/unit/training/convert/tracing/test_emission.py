"""Texts that the user's code makes, and rows that later steps refuse."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

import sklambda
from sklambda.errors import FaultCode
from tests.support.exporting import export_quickly
from tests.support.proof import classes, mixed, numbers, prove, values
from training.frames import kinds_of
from training.proof.conversion import Conversion


def ratio(X: pd.DataFrame) -> pd.DataFrame:
    return X.assign(rate=X["skewed"] / (X["whole"] + 2))


def test_a_row_without_a_finite_number_is_refused_as_scikit_learn_does(tmp_path: Path) -> None:
    frame = numbers()[["skewed", "whole"]]
    pipeline = make_pipeline(FunctionTransformer(ratio), Ridge()).fit(frame, values())
    good, bad = {"skewed": 1.0, "whole": 0}, {"skewed": 1.0, "whole": -2}

    predictor = sklambda.Predictor.open(export_quickly(pipeline, frame, tmp_path / "package"))

    assert predictor.package.signature.partial
    assert predictor.score([good])[0] == pytest.approx(pipeline.predict(pd.DataFrame([good])))
    with pytest.raises(sklambda.RowsInvalid) as refused:
        predictor.score([good, bad])
    assert [(each.row, each.code) for each in refused.value.faults] == [(1, FaultCode.NO_SCORE)]


def tidy(X: pd.DataFrame) -> pd.DataFrame:
    X = X.copy()
    X["size"] = np.where(X["grid"] > 0.3, "large", "small")
    X["both"] = X["colour"].fillna("none") + "-" + X["plan"]
    X["initial"] = X["colour"].str[:1].str.upper()
    return X[["skewed", "size", "both", "initial", "plan"]]


def known(X: pd.DataFrame) -> pd.DataFrame:
    X = X.assign(rare=X["colour"].where(X["colour"].isin(["red", "green"]), "other"))
    X["rank"] = X["plan"].map({"a": 1, "c": 3}).fillna(-1)
    return X[["grid", "rare", "rank", "plan"]].fillna({"grid": 0})


def encoded(function: Any, texts: list[str]) -> Any:
    encoder = OneHotEncoder(handle_unknown="ignore")
    columns = make_column_transformer((encoder, texts), remainder="passthrough")
    return make_pipeline(FunctionTransformer(function), columns, LogisticRegression(C=0.1))


def test_texts_that_the_code_makes_are_encoded_by_later_steps() -> None:
    frame = mixed().assign(skewed=numbers()["skewed"])
    pipeline = encoded(tidy, ["size", "both", "initial", "plan"]).fit(frame, classes(3))

    prove(pipeline, frame)

    _, signature = Conversion(pipeline, frame, kinds_of(frame)).convert()
    assert not any(each.accepts_unseen for each in signature.features), "texts are joined"


def test_a_category_that_is_only_compared_may_be_unseen() -> None:
    frame = mixed()
    pipeline = encoded(known, ["rare", "plan"]).fit(frame, classes(3))

    prove(pipeline, frame)

    _, signature = Conversion(pipeline, frame, kinds_of(frame)).convert()
    assert {each.name for each in signature.features if each.accepts_unseen} == {"colour", "plan"}
