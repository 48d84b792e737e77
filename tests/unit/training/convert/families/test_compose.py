"""Steps made of steps equal scikit-learn's."""

import pickle
from collections.abc import Callable
from typing import Any

import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import NMF, SparsePCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.kernel_approximation import PolynomialCountSketch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

from tests.support.proof import classes, mixed, numbers, prove
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion

MODELS: dict[str, Callable[[], Any]] = {
    "linear": lambda: LogisticRegression(solver="newton-cholesky"),
    "trees": lambda: HistGradientBoostingClassifier(max_iter=5, random_state=0),
}
UNIONS: dict[str, Callable[[], Any]] = {
    "two": lambda: FeatureUnion([("one", StandardScaler()), ("two", MinMaxScaler())]),
    "passthrough and drop": lambda: FeatureUnion(
        [("one", "passthrough"), ("two", "drop"), ("three", StandardScaler())]
    ),
    "weights": lambda: FeatureUnion(
        [("one", StandardScaler()), ("two", "passthrough")],
        transformer_weights={"one": 0.3, "two": 2},
    ),
    "nested": lambda: FeatureUnion(
        [
            ("one", make_pipeline(StandardScaler(), "passthrough", MinMaxScaler())),
            ("two", FeatureUnion([("inner", StandardScaler())])),
        ]
    ),
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", UNIONS)
def test_a_union_equals_scikit_learn(name: str, model: str) -> None:
    frame = numbers()[["grid", "skewed", "whole"]]

    fitted = make_pipeline(UNIONS[name](), MODELS[model]()).fit(frame, classes(2))
    prove(fitted, frame, full=model == next(iter(MODELS)))


@pytest.mark.parametrize("model", MODELS)
def test_nested_columns_with_weights_equal_scikit_learn(model: str) -> None:
    frame = mixed()
    inner = ColumnTransformer(
        [("scaled", MinMaxScaler(), [1])],
        remainder="passthrough",
        transformer_weights={"scaled": 0.1, "remainder": 3},
    )
    columns = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), inner), ["grid", "skewed", "whole"]),
            ("words", OneHotEncoder(handle_unknown="ignore"), ["colour", "plan"]),
            ("nothing", StandardScaler(), []),
        ],
        transformer_weights={"words": 0.7, "nothing": 5},
        sparse_threshold=0,
    )

    prove(make_pipeline(columns, MODELS[model]()).fit(frame, classes(3)), frame)


def test_columns_of_which_none_is_left_are_refused() -> None:
    frame = numbers()[["grid", "whole"]]
    columns = make_pipeline(ColumnTransformer([("none", "drop", ["grid"])])).fit(frame)

    with pytest.raises(ConversionRefused, match=r"^columntransformer: .* leaves no column"):
        Conversion(columns, frame, kinds_of(frame)).convert()


def test_weighted_strings_are_refused() -> None:
    frame = mixed(missing=False)[["colour", "plan"]].astype(object)
    columns = ColumnTransformer(
        [("words", "passthrough", ["colour", "plan"])], transformer_weights={"words": 2}
    )
    fitted = make_pipeline(columns, OneHotEncoder(handle_unknown="ignore")).fit(frame)

    with pytest.raises(ConversionRefused, match=r"^columntransformer: a weight of 'words'"):
        Conversion(fitted, frame, kinds_of(frame)).convert()


def test_the_refusals_of_several_steps_are_said_at_once() -> None:
    frame = numbers()[["grid", "whole"]]
    columns = ColumnTransformer(
        [("hashed", PolynomialCountSketch(), ["grid"]), ("kept", NMF(1), ["whole"])]
    )
    fitted = make_pipeline(columns, SparsePCA(1, max_iter=1), LogisticRegression()).fit(
        frame, classes(2)
    )

    with pytest.raises(ConversionRefused) as raised:
        Conversion(fitted, frame, kinds_of(frame)).convert()

    refusals = raised.value.each
    places = ["columntransformer > hashed", "columntransformer > kept", "sparsepca"]
    assert [refusal.step for refusal in refusals] == places
    assert str(raised.value) == "\n".join(map(str, refusals))
    assert pickle.loads(pickle.dumps(raised.value)).each[2].reason == refusals[2].reason
