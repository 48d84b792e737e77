"""What is converted equals scikit-learn; what is not is refused by name."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import RadiusNeighborsRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from tests.support.proof import prove
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion

NUMBERS = make_column_selector(dtype_include="number")
CATEGORIES = make_column_selector(dtype_exclude="number")
GENERATOR = np.random.default_rng(11)
ROWS = 400


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "grid": np.round(GENERATOR.normal(size=ROWS), 1),
            "large": GENERATOR.normal(1e7, 1e6, ROWS),
            "count": GENERATOR.integers(0, 9, ROWS),
            "colour": GENERATOR.choice(["red", "green", "blue", "nan"], ROWS),
            "plan": GENERATOR.choice(["a", "b"], ROWS),
        }
    )
    for name in ("grid", "large", "colour"):
        frame.loc[GENERATOR.random(ROWS) < 0.08, name] = np.nan
    return frame


def target(classes: int) -> Any:
    labels = np.array(["no", "yes", "perhaps"])[:classes]
    return labels[GENERATOR.integers(0, classes, ROWS)]


def prepare(**parts: BaseEstimator) -> ColumnTransformer:
    numbers = parts.get("numbers", make_pipeline(SimpleImputer(), StandardScaler()))
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    categories = parts.get(
        "categories", make_pipeline(SimpleImputer(strategy="most_frequent"), encoder)
    )
    return ColumnTransformer(
        [("numbers", numbers, NUMBERS), ("categories", categories, CATEGORIES)]
    )


def boosting(**parameters: Any) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(max_iter=10, random_state=0, **parameters)


ENCODE_MISSING = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
PIPELINES: dict[str, Callable[[], Any]] = {
    "logistic regression": lambda: LogisticRegression(max_iter=5000),
    "without intercept": lambda: LogisticRegression(fit_intercept=False),
    "boosting": lambda: boosting(),
    "one leaf a tree": lambda: boosting(min_samples_leaf=300),
    "two leaves a tree": lambda: boosting(max_leaf_nodes=2),
    "one tree": lambda: boosting(max_depth=3).set_params(max_iter=1),
}
PREPARATIONS: dict[str, Callable[[], Any]] = {
    "as in the example": lambda: prepare(),
    "median": lambda: prepare(
        numbers=make_pipeline(SimpleImputer(strategy="median"), StandardScaler(with_std=False))
    ),
    "constant": lambda: prepare(
        numbers=make_pipeline(
            SimpleImputer(strategy="constant", fill_value=-1.0), StandardScaler(with_mean=False)
        ),
        categories=make_pipeline(
            SimpleImputer(strategy="constant", fill_value="none at all"),
            OneHotEncoder(handle_unknown="ignore"),
        ),
    ),
    "most frequent number": lambda: prepare(numbers=SimpleImputer(strategy="most_frequent")),
    "missing is a category": lambda: prepare(categories=ENCODE_MISSING),
    "categories given, one of them never seen": lambda: prepare(
        categories=make_pipeline(
            SimpleImputer(strategy="most_frequent"),
            OneHotEncoder(
                categories=[["blue", "green", "nan", "pink", "red"], ["a", "b"]],
                handle_unknown="ignore",
            ),
        )
    ),
    "an unseen category is refused": lambda: prepare(
        categories=make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder())
    ),
}


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("final", PIPELINES)
def test_a_classifier_equals_scikit_learn(frame: pd.DataFrame, final: str, classes: int) -> None:
    pipeline = Pipeline([("prepare", prepare()), ("model", PIPELINES[final]())])

    prove(pipeline.fit(frame, target(classes)), frame)


@pytest.mark.parametrize("final", ["logistic regression", "boosting"])
@pytest.mark.parametrize("preparation", PREPARATIONS)
def test_a_preparation_equals_scikit_learn(
    frame: pd.DataFrame, preparation: str, final: str
) -> None:
    prepared = PREPARATIONS[preparation]().set_params(sparse_threshold=0)
    pipeline = Pipeline([("prepare", prepared), ("model", PIPELINES[final]())])

    prove(pipeline.fit(frame, target(2)), frame)


@pytest.mark.parametrize(
    "columns",
    [
        [("one", "passthrough", ["count"]), ("two", SimpleImputer(), [0, 1])],
        [("one", SimpleImputer(), slice(0, 2)), ("two", "drop", ["plan"])],
        [("one", StandardScaler(), [False, False, True, False, False])],
    ],
    ids=["names and places", "slice", "mask"],
)
def test_columns_are_picked_as_scikit_learn_picks_them(
    frame: pd.DataFrame, columns: list[Any]
) -> None:
    pipeline = make_pipeline(ColumnTransformer(columns), LogisticRegression())

    prove(pipeline.fit(frame, target(2)), frame)


def test_the_remainder_is_passed_through(frame: pd.DataFrame) -> None:
    columns = ColumnTransformer(
        [("colours", OneHotEncoder(handle_unknown="ignore"), ["colour", "plan"])],
        remainder="passthrough",
        sparse_threshold=0,
    )
    pipeline = make_pipeline(columns, "passthrough", boosting())

    prove(pipeline.fit(frame, target(2)), frame, full=True)


def test_a_classifier_alone_is_converted(frame: pd.DataFrame) -> None:
    numbers = frame[["grid", "large", "count"]]

    prove(boosting().fit(numbers, target(2)), numbers)


@pytest.mark.parametrize("labels", [(0, 1), (False, True), (-1, 1), (1.0, 2.0), ("é", "日本")])
def test_labels_of_every_type_come_back(frame: pd.DataFrame, labels: tuple[Any, Any]) -> None:
    numbers = frame[["count"]]
    classifier = LogisticRegression().fit(numbers, np.array(labels)[GENERATOR.integers(0, 2, ROWS)])

    _, signature = Conversion(classifier, numbers, kinds_of(numbers)).convert()

    assert signature.target.classes == labels
    assert [type(label) for label in signature.target.classes] == [type(x) for x in labels]


class Scaler(StandardScaler):  # type: ignore[misc]  # scikit-learn ships no types
    """May do anything, though it is a StandardScaler."""


def centre(X: Any) -> Any:
    return X - X.mean()


REFUSED: dict[str, tuple[Any, str]] = {
    "custom function": (FunctionTransformer(centre), r".*test_pipelines_of_the_example\.py:"),
    "subclass": (Scaler(), r".*\.Scaler: an estimator of scikit-learn reads the columns here"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_exact_is_refused_and_its_step_is_named(
    frame: pd.DataFrame, what: str
) -> None:
    step, reason = REFUSED[what]
    columns = ColumnTransformer([("counts", Pipeline([("odd", step)]), ["count"])])
    pipeline = Pipeline([("prepare", columns), ("model", LogisticRegression())])
    fitted = pipeline.fit(frame, target(2))

    with pytest.raises(ConversionRefused, match=rf"^prepare > counts > odd: {reason}") as raised:
        Conversion(fitted, frame, kinds_of(frame)).convert()

    assert raised.value.exit_code == 4


def test_an_unknown_final_estimator_is_refused(frame: pd.DataFrame) -> None:
    fitted = make_pipeline(StandardScaler(), RadiusNeighborsRegressor(100)).fit(
        frame[["count"]], target(2)
    )

    with pytest.raises(ConversionRefused, match=r"^radiusneighborsregressor: "):
        Conversion(fitted, frame[["count"]], kinds_of(frame[["count"]])).convert()


def test_the_same_pipeline_gives_the_same_bytes(frame: pd.DataFrame) -> None:
    fitted = Pipeline([("prepare", prepare()), ("model", boosting())]).fit(frame, target(2))
    conversion = Conversion(fitted, frame, kinds_of(frame))

    assert conversion.convert()[0] == conversion.convert()[0]
