"""Naive Bayes equals scikit-learn."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.support.proof import classes, numbers, prove
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion

SIGNED: dict[str, Callable[[], Any]] = {
    "gaussian": lambda: GaussianNB(),
    "gaussian, smoothed": lambda: GaussianNB(var_smoothing=0.1),
    "bernoulli": lambda: BernoulliNB(),
    "bernoulli above 0.3": lambda: BernoulliNB(binarize=0.3, fit_prior=False),
}
COUNTS: dict[str, Callable[[], Any]] = {
    "multinomial": lambda: MultinomialNB(),
    "multinomial without prior": lambda: MultinomialNB(alpha=0.1, fit_prior=False),
    "complement": lambda: ComplementNB(),
    "complement, normalised": lambda: ComplementNB(norm=True),
}


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("scaled", [False, True], ids=["raw", "scaled"])
@pytest.mark.parametrize("name", SIGNED)
def test_naive_bayes_equals_scikit_learn(name: str, scaled: bool, count: int) -> None:
    frame, classifier = numbers(), SIGNED[name]()
    pipeline = make_pipeline(StandardScaler(), classifier) if scaled else classifier

    prove(pipeline.fit(frame, classes(count)), frame)


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("scaled", [False, True], ids=["raw", "scaled"])
@pytest.mark.parametrize("name", COUNTS)
def test_naive_bayes_of_counts_equals_scikit_learn(name: str, scaled: bool, count: int) -> None:
    frame, classifier = numbers().abs(), COUNTS[name]()
    scaler = StandardScaler(with_mean=False)
    pipeline = make_pipeline(scaler, classifier) if scaled else classifier

    prove(pipeline.fit(frame, classes(count)), frame)


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("dtype", [int, float])
def test_naive_bayes_of_categories_equals_scikit_learn(
    dtype: type[int] | type[float], count: int
) -> None:
    whole = numbers(rows=100)["whole"]
    frame = whole.to_frame().assign(third=whole // 3).astype(dtype)
    classifier = CategoricalNB(min_categories=[15, 4], fit_prior=count == 2)

    prove(classifier.fit(frame, classes(count, rows=100)), frame)


def test_many_features_are_summed_in_scikit_learns_order() -> None:
    frame = pd.concat([numbers().add_suffix(str(copy)) * (copy + 1) for copy in range(3)], axis=1)

    prove(GaussianNB().fit(frame, classes(3)), frame, full=True)


def test_a_flag_that_is_its_own_probability_equals_scikit_learn() -> None:
    frame = (numbers()[["grid", "skewed"]] > 0.5).astype(float)

    prove(BernoulliNB(binarize=None).fit(frame, classes(2)), frame)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "certain": (lambda: BernoulliNB(alpha=0.0), "a probability of a feature or class is 0 or 1"),
}


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_exact_is_refused(name: str) -> None:
    factory, reason = REFUSED[name]
    frame = numbers()[["whole"]].assign(always=1)
    classifier = factory().fit(frame, classes(2))

    with pytest.raises(ConversionRefused, match=reason):
        Conversion(classifier, frame, kinds_of(frame)).convert()
