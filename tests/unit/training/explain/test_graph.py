"""The closed form of a graph holds for it, or is refused with a reason."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Lasso, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, OneHotEncoder, PowerTransformer, StandardScaler

from sklambda.explain.explainer import owners
from tests.support.explaining import Explained, explained
from tests.support.proof import classes, mixed, numbers, values
from training.explain import require_exact
from training.explain.dependence import dependence
from training.explain.ensembles import Forest, boxes, is_ensemble, leaf_count
from training.explain.exact import closed_form
from training.explain.flow import Flow, NoClosedForm
from training.frames import kinds_of
from training.proof.conversion import Conversion

COLUMNS = ColumnTransformer(
    [
        ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["grid", "skewed"]),
        ("powers", PowerTransformer(), ["whole"]),
        ("categories", OneHotEncoder(handle_unknown="ignore"), ["colour", "plan"]),
    ]
)
STEPS = {
    "columns": COLUMNS,
    "components": make_pipeline(COLUMNS, PCA(2)),
    "rows": make_pipeline(COLUMNS, Normalizer()),
}


def flow_of(estimator: Any, found: Explained, frame: Any) -> Flow:
    model, _ = Conversion(estimator, frame, kinds_of(frame)).convert()
    return Flow(model, found.rows)


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
@pytest.mark.parametrize("last", [LogisticRegression(), HistGradientBoostingClassifier(max_iter=2)])
def test_no_feature_changes_a_column_that_does_not_depend_on_it(step: Any, last: Any) -> None:
    frame = mixed(missing=False)
    model = make_pipeline(step, last).fit(frame, classes(2))
    found = explained(model, frame)
    flow, owned = flow_of(model, found, frame), owners(found.signature)
    changed = [np.where(owned == each, np.roll(found.rows, 1, 0), found.rows) for each in owned]

    known = {name: each for name, each in dependence(flow, owned).items() if each.ndim == 2}

    assert len(known) > 3
    for name in known.keys() & flow.makers.keys():
        before = flow.values(name, found.rows)
        for feature, X in enumerate(changed):
            moved = (before != flow.values(name, X)).any(axis=0)
            assert not (moved & ~known[name][feature]).any()


REASONS = {
    "products": (make_pipeline(StandardScaler(), Normalizer(), LogisticRegression()), "in the way"),
    "neighbours": (make_pipeline(StandardScaler(), KNeighborsClassifier()), "in the way"),
    "components": (
        make_pipeline(StandardScaler(), PCA(2), RandomForestClassifier(4)),
        "trees look at columns that are of several features",
    ),
}


@pytest.mark.parametrize(("estimator", "reason"), REASONS.values(), ids=REASONS)
def test_what_has_no_closed_form_says_why(estimator: Any, reason: str) -> None:
    frame = numbers()

    found = explained(estimator.fit(frame, classes(2)), frame)

    assert found.explainer.reason is not None
    assert reason in found.explainer.reason


@pytest.mark.parametrize("per_leaf", [20, 52, 65], ids=["leaves", "conditions", "table"])
def test_tables_beyond_a_size_are_none(per_leaf: int) -> None:
    frame = numbers()
    model = RandomForestClassifier(8, random_state=0).fit(frame, classes(2))
    found = explained(model, frame)
    flow = flow_of(model, found, frame)
    leaves = sum(leaf_count(node) for node in flow.nodes if is_ensemble(node))

    with pytest.raises(NoClosedForm, match="the tables of its trees exceed 0 MB"):
        closed_form(
            flow,
            owners(found.signature),
            found.explainer.background,
            most_bytes=per_leaf * leaves,
        )


def test_a_closed_form_that_is_wrong_is_found_out() -> None:
    frame = numbers()
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, classes(2))
    found = explained(model, frame)
    flow, owned = flow_of(model, found, frame), owners(found.signature)
    what, exact = closed_form(flow, owned, found.explainer.background)
    background = found.explainer.background

    for wrong, reason in (
        (replace(exact, owners=np.roll(exact.owners, 1)), "a feature changes what is another's"),
        (replace(exact, base=exact.base + 1e-6), "not those of its score"),
        (replace(exact, weights=exact.weights[::-1]), "not those of its score"),
    ):
        with pytest.raises(NoClosedForm, match=reason):
            require_exact(what, wrong, owned, background)


@pytest.mark.parametrize("step", [Normalizer(), StandardScaler(), PCA(2)])
@pytest.mark.parametrize("last", [Lasso(alpha=1e9), Ridge(), LogisticRegression()])
def test_a_model_that_depends_on_no_feature_is_explained_by_zeros(step: Any, last: Any) -> None:
    frame = numbers()[["grid", "tiny"]]
    target = classes(2) if isinstance(last, LogisticRegression) else values(1)
    model = make_pipeline(clone(step), clone(last)).fit(frame, target)
    model[-1].coef_ = np.zeros_like(model[-1].coef_)

    found = explained(model, frame)

    assert found.explainer.exact is not None
    for row in found.rows[:3]:
        assert not found.found(row).any()


def test_no_leaf_has_fewer_conditions_than_are_counted_for_a_large_forest() -> None:
    frame = mixed(missing=False)
    forest = make_pipeline(COLUMNS, RandomForestClassifier(5, random_state=0))
    found = explained(forest.fit(frame, classes(2)), frame)
    flow = flow_of(forest, found, frame)
    trees = [Forest.read(node) for node in flow.nodes if is_ensemble(node)]

    for each in trees:
        least, box = each.least_conditions(), boxes(each, ~each.doubled)
        assert box is not None
        conditions = np.bincount(box.leaf, minlength=len(least))
        assert (least <= conditions)[~each.doubled].all()
        assert (least == conditions)[~each.doubled].mean() > 0.9, "few columns, each with its bit"
