"""The signature has the values that a pipeline accepts: bounds, and numbers that are categories."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder
from sklearn.tree import DecisionTreeClassifier

from sklambda.codec.codec import Codec
from sklambda.errors import FaultCode, RowsInvalid
from sklambda.signature import Feature
from tests.support.proof import prove
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion

ROWS = 120
GENERATOR = np.random.default_rng(5)
LABELS = GENERATOR.random(ROWS) > 0.5


def feature(estimator: Any, values: Any) -> Feature:
    """Prove a pipeline of an estimator on one column, and give the column's feature."""
    frame = pd.DataFrame({"column": values, "other": GENERATOR.normal(size=ROWS)})
    prepare = make_column_transformer((estimator, ["column"]), remainder="passthrough")
    fitted = make_pipeline(prepare, LogisticRegression()).fit(frame, LABELS)

    prove(fitted, frame)

    _, signature = Conversion(fitted, frame, kinds_of(frame)).convert()
    return signature.features[0]


@pytest.mark.parametrize("encoder", [OneHotEncoder(), OrdinalEncoder()], ids=["one-hot", "ordinal"])
@pytest.mark.parametrize("numbers", [[1, 3, 12], [1.5, 2.5, 7.25]], ids=["integers", "numbers"])
def test_numbers_that_a_strict_encoder_knows_are_choices(encoder: Any, numbers: list[Any]) -> None:
    found = feature(encoder, GENERATOR.choice(numbers, ROWS))

    assert found.choices == tuple(numbers)
    assert found.example in numbers


def test_a_number_that_is_no_choice_is_refused_by_its_code() -> None:
    frame = pd.DataFrame({"month": GENERATOR.choice([1, 3, 12], ROWS)})
    fitted = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(frame, LABELS)
    _, signature = Conversion(fitted, frame, kinds_of(frame)).convert()

    with pytest.raises(RowsInvalid) as refused:
        Codec(signature).encode([{"month": 2}])

    assert refused.value.faults[0].code is FaultCode.UNSEEN_CATEGORY


def test_whole_numbers_without_a_gap_have_bounds() -> None:
    found = feature(OneHotEncoder(), GENERATOR.integers(1, 13, ROWS))

    assert (found.least, found.greatest, found.choices) == (1, 12, ())


def test_a_lenient_encoder_takes_every_number() -> None:
    found = feature(OneHotEncoder(handle_unknown="ignore"), GENERATOR.choice([1, 3, 12], ROWS))

    assert (found.least, found.greatest, found.choices) == (None, None, ())


def test_a_logarithm_has_a_least_number() -> None:
    found = feature(FunctionTransformer(np.log1p), GENERATOR.gamma(2, 1, ROWS))

    assert found.least == np.nextafter(-1.0, 0.0)
    assert found.greatest is None


@pytest.mark.parametrize(
    ("function", "number", "code"),
    [(np.log1p, -1.0, FaultCode.IN_GAP), (np.log1p, -2.0, None), (np.log, -0.0, FaultCode.IN_GAP)],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_logarithm_before_a_forest_has_a_gap(
    function: Any, number: float, code: FaultCode | None
) -> None:
    frame = pd.DataFrame({"column": GENERATOR.gamma(2, 1, ROWS), "count": np.arange(ROWS) + 1})
    forest = make_pipeline(FunctionTransformer(function), RandomForestClassifier(3, random_state=0))
    prove(forest.fit(frame, LABELS), frame)
    _, signature = Conversion(forest, frame, kinds_of(frame)).convert()

    def encoded() -> FaultCode | None:
        try:
            Codec(signature).encode([{"column": number, "count": 1}])
        except RowsInvalid as refused:
            return refused.faults[0].code
        return None

    assert encoded() == code


def test_numbers_near_nought_are_a_gap_of_a_reciprocal_in_float32() -> None:
    frame = pd.DataFrame({"column": GENERATOR.gamma(2, 1, ROWS)})
    tree = make_pipeline(FunctionTransformer(np.reciprocal), DecisionTreeClassifier(max_depth=3))

    _, signature = Conversion(tree.fit(frame, LABELS), frame, kinds_of(frame)).convert()

    ((low, high),) = signature.features[0].gaps
    assert low == -high
    assert 1 / np.nextafter(high, 1) < 2.0**128 - 2.0**103 <= 1 / high


def test_a_tree_has_the_bounds_of_float32() -> None:
    frame = pd.DataFrame({"column": GENERATOR.normal(size=ROWS)})
    frame.loc[0, "column"] = np.nan
    fitted = RandomForestClassifier(5, random_state=0).fit(frame, LABELS)

    _, signature = Conversion(fitted, frame, kinds_of(frame)).convert()

    greatest = signature.features[0].greatest
    assert greatest is not None
    assert np.isfinite(np.float32(greatest))
    assert signature.features[0].least == -greatest


@pytest.mark.parametrize("step", ["code", "encoder"])
def test_texts_of_which_nearly_each_is_new_are_refused_with_a_remedy(step: str) -> None:
    frame = pd.DataFrame({"name": [f"Braund, Mr. Owen {k}" for k in range(80)]})
    steps = {
        "code": (
            FunctionTransformer(lambda rows: rows["name"].map(hash).to_frame() % 7),
            "compute what the code makes of it before training",
        ),
        "encoder": (OneHotEncoder(), "handle_unknown='ignore'"),
    }
    first, remedy = steps[step]
    fitted = make_pipeline(first, LogisticRegression()).fit(frame, np.arange(80) % 2)

    with pytest.raises(ConversionRefused, match=f"80 different texts in 80 rows.*{remedy}"):
        Conversion(fitted, frame, kinds_of(frame)).convert()


@pytest.mark.parametrize(
    "ages",
    [
        [1.0] * 9,
        [None] * 9,
        [1.0, None] * 5,
        [None, *[1.0] * 30],
        [*[1.0] * 30, None],
        [*[None] * 7, 1.0, 1.0, None],
        [],
    ],
    ids=["all", "none", "every second", "all but the first", "all but the last", "few", "no rows"],
)
def test_each_row_is_accepted_as_it_is_alone(ages: list[float | None]) -> None:
    frame = pd.DataFrame({"age": np.arange(50.0)})
    model = LogisticRegression().fit(frame, frame["age"] > 20)
    conversion = Conversion(model, frame, kinds_of(frame))
    reference = conversion.reference(conversion.convert()[1].target)

    accepted, scored = reference.acceptance([{"age": age} for age in ages])

    assert accepted.tolist() == [age is not None for age in ages]
    assert scored.tolist() == accepted.tolist()
