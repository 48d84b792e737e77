"""The gate finds conversions that are wrong on rare rows alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from onnx import TensorProto
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklambda.decision import TOLERANCE
from training.convert import CONVERTERS
from training.convert.graph.graph import Matrix
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Convert, Estimator, Scope
from training.errors import ParityFailed
from training.frames import kinds_of
from training.proof.conversion import Conversion

ROWS = 300
GENERATOR = np.random.default_rng(5)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "grid": np.round(GENERATOR.normal(size=ROWS), 1),
            "count": GENERATOR.integers(0, 99, ROWS),
            "plan": GENERATOR.choice(["a", "b", "c"], ROWS),
        }
    )


@pytest.fixture(scope="module")
def pipeline(frame: pd.DataFrame) -> Pipeline:
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    prepare = ColumnTransformer(
        [
            ("numbers", numbers, ["grid", "count"]),
            ("plans", make_pipeline(SimpleImputer(strategy="most_frequent"), encoder), ["plan"]),
        ]
    )
    model = HistGradientBoostingClassifier(max_iter=20, random_state=0)
    target = (frame["grid"] + frame["count"] / 50 + GENERATOR.normal(size=ROWS)) > 1
    return Pipeline([("prepare", prepare), ("model", model)]).fit(frame, target)


def prove(pipeline: Any, frame: pd.DataFrame, **wrong: Convert) -> Any:
    classes = {kind.__name__: kind for kind in CONVERTERS if isinstance(kind, type)}
    converters = CONVERTERS | {classes[name]: convert for name, convert in wrong.items()}
    conversion = Conversion(pipeline, frame, kinds_of(frame), converters)
    model, signature = conversion.convert()
    return conversion.prove(model, signature, conversion.cases(model, signature))


def scaler_by_product(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    graph = scope.graph
    centred = graph.node("Sub", matrix.tensor, graph.constant([estimator.mean_]))
    scaled = graph.node("Mul", centred, graph.constant([1 / estimator.scale_]))
    return matrix.numbers(scaled)


def scaler_in_float32(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    exact = CONVERTERS[StandardScaler](estimator, matrix, scope)
    assert isinstance(exact, Matrix)
    single = scope.graph.node("Cast", exact.tensor, to=TensorProto.FLOAT)
    return exact.alike(scope.graph.node("Cast", single, to=TensorProto.DOUBLE))


def imputer_that_does_nothing(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    return matrix


def encoder_that_takes_the_unseen_for_the_first(
    estimator: Estimator, matrix: Matrix, scope: Scope
) -> Matrix:
    graph = scope.graph
    known = graph.node("Max", matrix.tensor, graph.constant(0.0))
    encoded = CONVERTERS[OneHotEncoder](estimator, matrix.alike(known), scope)
    assert isinstance(encoded, Matrix)
    return encoded


def classes_swapped(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    outputs = CONVERTERS[HistGradientBoostingClassifier](estimator, matrix, scope)
    assert isinstance(outputs, Outputs)
    assert outputs.probabilities is not None
    return Outputs(scope.graph.take(outputs.probabilities, [1, 0]))


def test_an_exact_conversion_passes_and_says_on_how_many_rows(
    pipeline: Pipeline, frame: pd.DataFrame
) -> None:
    report = prove(pipeline, frame)

    assert report.max_difference <= 1e-15
    assert report.rows["data"] == ROWS
    assert {"boundaries", "missing", "categories", "extremes", "batch sizes"} <= set(report.rows)


WRONG: dict[str, tuple[str, Convert, str]] = {
    "a product for a quotient": ("StandardScaler", scaler_by_product, "at a boundary"),
    "float32": ("StandardScaler", scaler_in_float32, r"row|boundary"),
    "missing kept": ("SimpleImputer", imputer_that_does_nothing, "missing"),
    "unseen taken for seen": (
        "OneHotEncoder",
        encoder_that_takes_the_unseen_for_the_first,
        "plan unseen",
    ),
    "classes swapped": ("HistGradientBoostingClassifier", classes_swapped, "training row 0"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_conversion_is_refused_with_row_and_difference(
    pipeline: Pipeline, frame: pd.DataFrame, what: str
) -> None:
    name, convert, row = WRONG[what]

    with pytest.raises(ParityFailed, match=rf"({row}).*: the (scores|labels) differ"):
        prove(pipeline, frame, **{name: convert})


@pytest.mark.parametrize(
    ("what", "step"),
    [
        ("missing kept", "prepare > numbers"),
        ("unseen taken for seen", "prepare > plans"),
        ("classes swapped", "model"),
    ],
)
def test_the_step_that_is_wrong_is_named(
    pipeline: Pipeline, frame: pd.DataFrame, what: str, step: str
) -> None:
    name, convert, _ = WRONG[what]

    with pytest.raises(ParityFailed, match=rf"^{step}: "):
        prove(pipeline, frame, **{name: convert})


def test_a_fault_of_the_last_bit_shows_at_the_boundaries_alone(
    pipeline: Pipeline, frame: pd.DataFrame
) -> None:
    """Real rows do not show it: so much for a test set as a proof."""
    conversion = Conversion(
        pipeline, frame, kinds_of(frame), CONVERTERS | {StandardScaler: scaler_by_product}
    )
    model, signature = conversion.convert()
    real = [case for case in conversion.cases(model, signature) if case.group == "data"]

    assert conversion.prove(model, signature, real).max_difference <= TOLERANCE


def test_a_pipeline_that_refuses_missing_values_has_them_refused_by_the_signature(
    frame: pd.DataFrame,
) -> None:
    numbers = frame[["grid", "count"]]
    fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(
        numbers, frame["plan"] == "a"
    )
    conversion = Conversion(fitted, numbers, kinds_of(numbers))

    model, signature = conversion.convert()
    report = conversion.prove(model, signature, conversion.cases(model, signature))

    assert [feature.nullable for feature in signature.features] == [False, False]
    assert report.refused >= 3, "each feature missing, and all"


def test_a_signature_that_admits_too_much_is_refused(
    pipeline: Pipeline, frame: pd.DataFrame
) -> None:
    numbers = frame[["grid"]]
    fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(
        numbers, frame["plan"] == "a"
    )
    conversion = Conversion(fitted, numbers, kinds_of(numbers))
    model, signature = conversion.convert()
    lax = signature.features[0].replace(nullable=True)
    admitting = signature.replace(features=(lax,))

    with pytest.raises(ParityFailed, match=r"^signature: .* the signature accepts it"):
        conversion.prove(model, admitting, conversion.cases(model, admitting))


def test_a_signature_that_admits_too_little_is_refused(
    pipeline: Pipeline, frame: pd.DataFrame
) -> None:
    conversion = Conversion(pipeline, frame, kinds_of(frame))
    model, signature = conversion.convert()
    strict = signature.features[0].replace(nullable=False)
    refusing = signature.replace(features=(strict, *signature.features[1:]))

    with pytest.raises(ParityFailed, match=r"^signature: .* the signature refuses it"):
        conversion.prove(model, refusing, conversion.cases(model, signature))


@pytest.fixture
def calls() -> list[tuple[int, int]]:
    return []


def test_progress_ends_at_the_number_of_cases(
    pipeline: Pipeline, frame: pd.DataFrame, calls: list[tuple[int, int]]
) -> None:
    conversion = Conversion(pipeline, frame, kinds_of(frame))
    model, signature = conversion.convert()
    cases = conversion.cases(model, signature)
    note: Callable[[int, int], None] = lambda done, total: calls.append((done, total))  # noqa: E731

    conversion.prove(model, signature, cases, note)

    assert calls[-1] == (len(cases), len(cases))
