"""Several targets, each by an estimator of its own."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from sklearn.multioutput import (
    ClassifierChain,
    MultiOutputClassifier,
    MultiOutputRegressor,
    RegressorChain,
)

from sklambda.signature import Scores
from training.convert.graph.graph import Matrix
from training.convert.graph.outputs import Outputs
from training.convert.graph.responses import (
    each_of,
    label_only,
    label_values,
    response,
    second_class,
)
from training.convert.graph.scope import Convert, Estimator, Scope

type Pairs = Sequence[tuple[Estimator, Outputs]]

_CHAIN: Final = "estimator base_estimator order cv random_state verbose"


def _multi_output_classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free="estimator n_jobs")
    pairs = each_of(estimator, matrix, scope)
    return several(pairs, ["probability"], scope)


def several(pairs: Pairs, kinds: Sequence[Scores], scope: Scope) -> Outputs:
    """Join the outputs for several targets: the first of `kinds` that all have, else labels."""
    for place, (inner, _) in enumerate(pairs):
        if len(inner.classes_) < 2:
            scope.refuse(f"target {place} has one class only: leave that target out")
    pairs = [
        (inner, outputs if outputs.deciding is None else replace(outputs, probabilities=None))
        for inner, outputs in pairs
    ]
    for kind in kinds:
        if all(outputs.scores is not None and outputs.scores[0] == kind for _, outputs in pairs):
            return _together([outputs for _, outputs in pairs], pairs)
    return _together([label_only(outputs, inner, scope) for inner, outputs in pairs], pairs)


def _together(parts: Sequence[Outputs], pairs: Pairs) -> Outputs:
    return Outputs(
        parts=tuple(
            replace(part, classes=inner.classes_)
            for part, (inner, _) in zip(parts, pairs, strict=True)
        )
    )


def _classifier_chain(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free=f"{_CHAIN} chain_method")
    method, graph = estimator.chain_method_, scope.graph
    known, pairs = [matrix], []
    for place, inner in enumerate(estimator.estimators_):
        outputs = scope.predict(f"estimators_[{place}]", inner, graph.join(known))
        pairs.append((inner, outputs))
        if place + 1 < len(estimator.estimators_):
            known.append(_link(outputs, inner, method, scope))
    # The scores of one label are those of its second class, so more classes have none.
    two = all(len(inner.classes_) == 2 for inner, _ in pairs)
    kinds: list[Scores] = ["probability", "decision"] if two else []
    return several([pairs[place] for place in np.argsort(estimator.order_)], kinds, scope)


def _link(outputs: Outputs, inner: Estimator, method: str, scope: Scope) -> Matrix:
    """Return this estimator's output as the next of a chain get it, [N, 1]."""
    if method == "predict":
        return label_values(outputs, inner, scope)
    if method not in ("predict_proba", "decision_function"):
        scope.refuse(
            f"ClassifierChain(chain_method={method!r}) has no exact conversion: "
            "use chain_method='predict_proba' or 'predict'"
        )
    return second_class(outputs, inner, method, scope)


def _multi_output_regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free="estimator n_jobs")
    values = [_value(outputs, inner, scope) for inner, outputs in each_of(estimator, matrix, scope)]
    return Outputs(value=scope.graph.join(values))


def _regressor_chain(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    # Whichever values the chain was fitted on, it predicts from those it has predicted itself.
    scope.admit(estimator, free=_CHAIN)
    graph = scope.graph
    known, values = matrix, []
    for place, inner in enumerate(estimator.estimators_):
        outputs = scope.predict(f"estimators_[{place}]", inner, known)
        values.append(_value(outputs, inner, scope))
        known = graph.join([matrix, *values])
    chained = graph.join(values)
    return Outputs(value=graph.take(chained, np.argsort(estimator.order_).tolist()))


def _value(outputs: Outputs, inner: Estimator, scope: Scope) -> Matrix:
    value = response(outputs, inner, "predict", scope)
    if value.width != 1:
        scope.refuse(
            f"{type(inner).__name__} has several outputs itself: use it without the wrapper"
        )
    return value


CONVERTERS: Final[dict[type, Convert]] = {
    ClassifierChain: _classifier_chain,
    MultiOutputClassifier: _multi_output_classifier,
    MultiOutputRegressor: _multi_output_regressor,
    RegressorChain: _regressor_chain,
}
