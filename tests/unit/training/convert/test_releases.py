"""Pipelines of every supported scikit-learn convert, and what differs in a release is followed."""

import tomllib
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from packaging.requirements import Requirement
from sklearn.cluster import Birch
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import AdaBoostClassifier, GradientBoostingClassifier
from sklearn.linear_model import (
    ElasticNetCV,
    LassoCV,
    LinearRegression,
    LogisticRegression,
    MultiTaskElasticNetCV,
    MultiTaskLassoCV,
    Ridge,
    TheilSenRegressor,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, RegressorChain
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from tests.conftest import REPOSITORY
from tests.support.proof import classes, mixed, numbers, prove
from training.convert.graph.graph import Graph
from training.convert.graph.scope import Scope
from training.convert.releases import SUPPORTED, is_before, retired_parameters
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion

LEAST, MOST = SUPPORTED.split(" to ")
NEXT = f"1.{int(MOST.removeprefix('1.')) + 1}"
WITH_RETIRED = [
    AdaBoostClassifier(),
    Birch(),
    ClassifierChain(LinearRegression()),
    ColumnTransformer([]),
    ElasticNetCV(),
    LassoCV(),
    LogisticRegression().fit([[0], [1]], [0, 1]),
    MultiTaskElasticNetCV(),
    MultiTaskLassoCV(),
    RegressorChain(LinearRegression()),
    SelfTrainingClassifier(LogisticRegression()),
    TheilSenRegressor(),
]
TIED = [
    DecisionTreeClassifier(),  # by probabilities
    GradientBoostingClassifier(n_estimators=3, random_state=0),  # by decisions
    DecisionTreeRegressor(),  # by values
]
before_1_8 = pytest.mark.skipif(not is_before("1.8"), reason="scikit-learn 1.8 has it no more")


def name(estimator: object) -> str:
    return type(estimator).__name__


def test_the_supported_releases_are_those_of_the_wheel() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    training = map(Requirement, project["optional-dependencies"]["training"])

    [required] = [one for one in training if one.name == "scikit-learn"]

    assert str(required.specifier) == f"<{NEXT},>={LEAST}"
    assert is_before(NEXT)
    assert not is_before(LEAST)


@pytest.mark.parametrize("estimator", WITH_RETIRED, ids=name)
def test_the_newest_release_has_no_retired_parameter(estimator: Any) -> None:
    retired, present = retired_parameters(estimator), estimator.get_params(deep=False)

    assert len(retired) == 1
    assert is_before("1.9") or not retired.keys() & present.keys()


def test_an_unknown_parameter_names_the_release_at_hand_and_the_known_ones() -> None:
    with pytest.raises(ConversionRefused) as refused:
        Scope(Graph(), {}, "model").admit(Ridge(), free="alpha")

    assert refused.value.reason == (
        f"sklearn.linear_model.Ridge of scikit-learn {sklearn.__version__} has an unknown "
        f"parameter 'copy_X': fit it with scikit-learn {SUPPORTED}, which this release of "
        "sklambda knows"
    )


@before_1_8
@pytest.mark.parametrize(
    ("retired", "count"),
    [("deprecated", 2), ("deprecated", 3), ("auto", 3), ("ovr", 2), ("multinomial", 3)],
)
@pytest.mark.filterwarnings("ignore:'multi_class' was deprecated:FutureWarning")
def test_multi_class_is_admitted_where_it_changes_nothing(retired: str, count: int) -> None:
    model = LogisticRegression(multi_class=retired, max_iter=500)

    prove(make_pipeline(StandardScaler(), model).fit(numbers(), classes(count)), numbers())


@before_1_8
@pytest.mark.parametrize(("retired", "count"), [("ovr", 3), ("multinomial", 2)])
@pytest.mark.filterwarnings("ignore:'multi_class' was deprecated:FutureWarning")
def test_multi_class_is_refused_where_it_is_another_model(retired: str, count: int) -> None:
    model = LogisticRegression(multi_class=retired, max_iter=500)
    fitted = make_pipeline(StandardScaler(), model).fit(numbers(), classes(count))

    with pytest.raises(ConversionRefused, match=rf"\(multi_class='{retired}'\) has no exact"):
        Conversion(fitted, numbers(), kinds_of(numbers())).convert()


@before_1_8
@pytest.mark.filterwarnings("ignore:Using the 'liblinear' solver:FutureWarning")
def test_liblinear_of_several_classes_is_refused() -> None:
    model = LogisticRegression(solver="liblinear", max_iter=500)
    fitted = make_pipeline(StandardScaler(), model).fit(numbers(), classes(3))

    with pytest.raises(ConversionRefused, match="use OneVsRestClassifier"):
        Conversion(fitted, numbers(), kinds_of(numbers())).convert()


@before_1_8
@pytest.mark.filterwarnings("ignore:The parameter 'algorithm' is deprecated:FutureWarning")
def test_the_one_algorithm_of_ada_boost_may_be_said() -> None:
    model = AdaBoostClassifier(n_estimators=5, algorithm="SAMME", random_state=0)

    prove(make_pipeline(StandardScaler(), model).fit(numbers(), classes(3)), numbers())


@pytest.mark.filterwarnings("ignore:Found unknown categories:UserWarning")
def test_unseen_categories_are_encoded_as_this_release_does() -> None:
    frame = mixed(missing=False)[["colour", "plan"]]
    encoder = OneHotEncoder(handle_unknown="warn", min_frequency=50)
    fitted = make_pipeline(encoder, LogisticRegression()).fit(frame, classes(3))

    prove(fitted, frame)


@pytest.mark.parametrize("model", TIED, ids=name)
def test_of_several_best_classes_the_label_is_that_of_this_release(model: Any) -> None:
    frame = pd.DataFrame({"a": np.repeat([0.0, 1.0, 2.0, 3.0], 21)})
    labels = np.where(frame["a"] == 3, frame.index % 3, frame["a"])
    fitted = make_pipeline(OneVsRestClassifier(model)).fit(frame, labels)

    prove(fitted, frame)

    expected = 2 if is_before("1.8") else 0
    assert set(fitted.predict(frame[frame["a"] == 3])) == {expected}
