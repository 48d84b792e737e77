"""Dictionaries of features equal scikit-learn, with keys that are missing, or are refused."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from tests.support.proof import classes, mixed, prove
from training.convert.families.text import pipeline_input
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion

MODELS = (LogisticRegression(solver="newton-cholesky"), DecisionTreeClassifier(max_depth=4))


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("model", MODELS, ids=["linear", "tree"])
def test_dictionaries_equal_scikit_learn(model: Any, missing: bool) -> None:
    frame = mixed(missing, rows=120).assign(flag=np.arange(120) % 3 == 0)
    pipeline = make_pipeline(DictVectorizer(sparse=False), StandardScaler(), model)

    prove(pipeline.fit(pipeline_input(pipeline, frame), classes(2, rows=120)), frame)


def test_a_missing_value_is_a_missing_key() -> None:
    frame = pd.DataFrame({"size": [1.5, np.nan], "name": ["a", None]})

    assert pipeline_input(DictVectorizer(), frame) == [{"size": 1.5, "name": "a"}, {}]


REFUSED: dict[str, tuple[Any, str]] = {
    "a key of numbers and strings": (DictVectorizer(), r"'a', of no column: give each key values"),
    "a name of two columns": (DictVectorizer(separator="b"), "of several columns alike"),
    "dictionaries of float32": (DictVectorizer(dtype=np.float32), "use dtype=np.float64"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_exact_is_refused_with_a_remedy(what: str) -> None:
    vectorizer, reason = REFUSED[what]
    frame = pd.DataFrame({"a": ["bx"] * 4, "ab": ["x"] * 4})
    more = [{"a": 1.0}] if "numbers and strings" in what else []
    rows = [*pipeline_input(vectorizer, frame), *more]

    with pytest.raises(ConversionRefused, match=reason):
        Conversion(make_pipeline(vectorizer).fit(rows), frame, kinds_of(frame)).convert()
