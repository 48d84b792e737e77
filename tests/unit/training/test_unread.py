"""Columns that no step reads are no features: no client sends them, no package has their values."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import VotingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from sklambda.package import ModelPackage
from sklambda.predictor import Predictor
from tests.support.exporting import export_quickly
from training.exporter import RunMetadata, export
from training.unread import unread

ROWS: Final = 60
GENERATOR: Final = np.random.default_rng(5)
FRAME: Final = pd.DataFrame(
    {
        "name": [f"Rosalind Franklin {place}" for place in range(ROWS)],
        "age": GENERATOR.normal(40, 9, ROWS),
        "plan": GENERATOR.choice(["free", "paid"], ROWS),
        "fare": GENERATOR.gamma(2, 9, ROWS),
        "mixed": ["x", 1, None] * (ROWS // 3),
        "review": GENERATOR.choice(["good room", "bad food"], ROWS),
    }
)
LABELS: Final = FRAME["age"] > 40
NUMBERS: Final = FRAME[["age", "fare"]]


class Kept(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # no types
    """Keeps some columns."""

    def __init__(self, names: tuple[str, ...] = ("age", "fare")) -> None:
        self.names = names

    def fit(self, X: pd.DataFrame, y: Any = None) -> "Kept":
        self.is_fitted_ = True
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        return X[[*self.names]]


def named(*columns: str) -> ColumnTransformer:
    encoders = {"plan": OneHotEncoder(handle_unknown="ignore"), "review": CountVectorizer()}
    return ColumnTransformer(
        [
            (name, encoders.get(name, StandardScaler()), name if name == "review" else [name])
            for name in columns
        ]
    )


def model(*columns: str) -> Any:
    return make_pipeline(named(*columns), LogisticRegression())


def of_numbers(function: Callable[[pd.DataFrame], Any]) -> Any:
    return make_pipeline(FunctionTransformer(function), LogisticRegression())


BY_PLACE: Final = ColumnTransformer(
    [("a", StandardScaler(), [1]), ("b", OneHotEncoder(), slice(2, 3)), ("c", "drop", [3])],
    remainder="drop",
)
PASSED: Final = ColumnTransformer([("no", "drop", ["name", "plan", "mixed", "review"])])
SELECTED: Final = ColumnTransformer([("a", StandardScaler(), make_column_selector("a"))])
OF_AGE: Final = "name plan fare mixed review"
OF_NUMBERS: Final = "name plan mixed review"
"""What a pipeline of the age alone leaves unread, and one of both numbers."""

UNREAD: Final[dict[str, tuple[Any, str]]] = {
    "named columns": (model("age", "plan"), "name fare mixed review"),
    "columns by place": (make_pipeline(BY_PLACE, LogisticRegression()), "name fare mixed review"),
    "the remainder passed on": (
        make_pipeline(PASSED.set_params(remainder="passthrough"), LogisticRegression()),
        OF_NUMBERS,
    ),
    "a text": (model("age", "review"), "name plan fare mixed"),
    "a search": (GridSearchCV(model("age"), {"logisticregression__C": [1.0]}, cv=2), OF_AGE),
    "votes": (VotingClassifier([("a", model("age")), ("f", model("fare"))]), OF_NUMBERS),
    "calibrated": (CalibratedClassifierCV(model("age"), cv=2), OF_AGE),
    "a union": (
        make_pipeline(
            FeatureUnion([("a", named("age")), ("f", named("fare"))]), LogisticRegression()
        ),
        OF_NUMBERS,
    ),
    "a nested selection": (
        make_pipeline(
            "passthrough",
            ColumnTransformer([("n", make_pipeline(named("age")), ["age", "fare"])]),
            LogisticRegression(),
        ),
        OF_AGE,
    ),
    "a class of the user's": (make_pipeline(Kept(), LogisticRegression()), OF_NUMBERS),
    "a function that drops": (
        of_numbers(lambda frame: frame.drop(columns=["name", "plan", "mixed", "review"])),
        OF_NUMBERS,
    ),
    "a selection by dtype": (of_numbers(lambda frame: frame.select_dtypes("number")), OF_NUMBERS),
    "a look at what is missing": (
        of_numbers(lambda frame: frame[["age"]].assign(blank=frame["fare"].isna())),
        OF_NUMBERS,
    ),
    "a model without inputs": (DummyClassifier(), ""),
    "a function that needs none": (of_numbers(lambda frame: np.ones((len(frame), 1))), ""),
}


@pytest.mark.parametrize("what", UNREAD)
def test_what_no_step_reads_is_found(what: str) -> None:
    pipeline, expected = UNREAD[what]

    found = unread(pipeline.fit(FRAME, LABELS), FRAME)

    assert found == tuple(expected.split())


def test_columns_that_are_validated_are_read_although_none_has_an_effect() -> None:
    few = make_pipeline(SelectKBest(k=1), LogisticRegression()).fit(NUMBERS, LABELS)

    assert unread(few, NUMBERS) == ()


def test_code_that_looks_at_every_column_is_not_tried_for_ever() -> None:
    wide = pd.DataFrame(GENERATOR.normal(size=(9, 400))).add_prefix("x")
    calls = []

    def counted(frame: pd.DataFrame) -> pd.DataFrame:
        calls.append(frame)
        return frame.fillna(0)

    pipeline = of_numbers(counted).fit(wide, LABELS[:9])

    assert unread(pipeline, wide) == ()
    assert len(calls) < 250


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> ModelPackage:
    pipeline = model("age", "plan", "review").fit(FRAME, LABELS)
    path = export_quickly(pipeline, FRAME, tmp_path_factory.mktemp("unread") / "package")
    return ModelPackage.open(path)


def test_no_value_of_an_unread_column_is_in_a_package(package: ModelPackage) -> None:
    written = b"".join(path.read_bytes() for path in package.path.iterdir())

    assert package.signature.names == ("age", "plan", "review")
    assert package.signature.ignored == ("name", "fare", "mixed")
    assert b"Franklin" not in written
    assert package.golden[0].row.keys() == {"age", "plan", "review"}


def test_clients_may_send_unread_columns_or_not(package: ModelPackage) -> None:
    predictor = Predictor.open(package.path)
    row = {"age": 41.5, "plan": "free", "review": "bad room"}

    scores = predictor.score([row, row | {"name": "Ada", "mixed": [1]}, row | {"fare": None}])

    expected = model("age", "plan", "review").fit(FRAME, LABELS)
    table = FRAME.head(1).assign(age=41.5, plan="free", review="bad room")
    np.testing.assert_allclose(scores, np.repeat(expected.predict_proba(table), 3, axis=0))


def test_held_out_rows_need_no_unread_column(tmp_path: Path) -> None:
    pipeline = model("age").fit(FRAME, LABELS)
    held_out = FRAME[["age"]], LABELS

    package = export(
        pipeline, FRAME, out=tmp_path / "p", name="m", held_out=held_out, time_limit=None
    )

    assert package.baseline is not None
    assert package.baseline.held_out == ROWS


def test_an_unread_column_may_be_the_row_id(tmp_path: Path) -> None:
    pipeline = model("age").fit(FRAME[["name", "age"]], LABELS)
    package = export(
        pipeline,
        FRAME[["name", "age"]],
        out=tmp_path / "p",
        name="m",
        metadata=RunMetadata(row_id="name"),
        time_limit=None,
    )

    assert package.signature.row_id == "name"
    assert package.signature.ignored == ()


def test_a_package_that_ignores_nothing_is_as_before(tmp_path: Path) -> None:
    pipeline = LogisticRegression().fit(NUMBERS, LABELS)

    path = export_quickly(pipeline, NUMBERS, tmp_path / "p")

    assert "ignored" not in (path / "signature.json").read_text()
