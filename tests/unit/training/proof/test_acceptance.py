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

from sklambda.codec.codec import Codec
from sklambda.errors import FaultCode, RowsInvalid
from sklambda.signature import Feature
from tests.support.proof import prove
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


def test_a_tree_has_the_bounds_of_float32() -> None:
    frame = pd.DataFrame({"column": GENERATOR.normal(size=ROWS)})
    frame.loc[0, "column"] = np.nan
    fitted = RandomForestClassifier(5, random_state=0).fit(frame, LABELS)

    _, signature = Conversion(fitted, frame, kinds_of(frame)).convert()

    greatest = signature.features[0].greatest
    assert greatest is not None
    assert np.isfinite(np.float32(greatest))
    assert signature.features[0].least == -greatest
