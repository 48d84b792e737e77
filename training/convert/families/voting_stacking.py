"""Votes and stacks of other predictors."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from sklearn.ensemble import (
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)

from training.convert.graph.graph import Matrix
from training.convert.graph.outputs import Outputs, class_position, one_hot
from training.convert.graph.responses import label_values, position, response
from training.convert.graph.scope import Convert, Estimator, Scope


def _voting_classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free="estimators voting weights n_jobs flatten_transform verbose")
    return (_hard_vote if estimator.voting == "hard" else _soft_vote)(estimator, matrix, scope)


def _soft_vote(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    votes = [
        response(scope.predict(name, voter, matrix), voter, "predict_proba", scope)
        for name, voter in _members(estimator)
    ]
    if {vote.width for vote in votes} != {len(estimator.classes_)}:
        scope.refuse(
            "VotingClassifier has members with other classes: fit all members on the same labels"
        )
    transformed = scope.graph.join(votes) if estimator.flatten_transform else None
    return Outputs(_average(votes, estimator, scope), transformed=transformed)


def _hard_vote(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    """Count the votes, or add up their weights, one member after the other as numpy does."""
    graph, count = scope.graph, len(estimator.classes_)
    weights = _weights(estimator, scope)
    if weights is not None and min(weights) < 0:
        scope.refuse(
            "VotingClassifier(voting='hard') has a weight below 0: use weights of at least 0"
        )
    places = []
    for name, voter in _members(estimator):
        if not np.array_equal(voter.classes_, range(count)):  # it is fitted on their numbers
            scope.refuse(
                "VotingClassifier has members with other classes: "
                "fit all members on the same labels"
            )
        places.append(position(scope.predict(name, voter, matrix), voter, scope))
    votes = _weighted([one_hot(graph, place, count) for place in places], weights, scope)
    label = one_hot(graph, class_position(graph, votes), count)
    return Outputs(label=label, transformed=graph.join(places))


def _voting_regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free="estimators weights n_jobs verbose")
    votes = [
        response(scope.predict(name, voter, matrix), voter, "predict", scope)
        for name, voter in _members(estimator)
    ]
    if {vote.width for vote in votes} != {1}:
        scope.refuse(
            "VotingRegressor has members with several outputs: "
            "use one for each output, in MultiOutputRegressor"
        )
    return Outputs(value=_average(votes, estimator, scope), transformed=scope.graph.join(votes))


def _members(estimator: Estimator) -> Iterator[tuple[str, Estimator]]:
    for name, member in estimator.named_estimators_.items():
        if not isinstance(member, str):  # "drop"
            yield name, member


def _average(votes: Sequence[Matrix], estimator: Estimator, scope: Scope) -> Matrix:
    """Average as `numpy.average` does, one after the other, so that equal sums stay equal."""
    weights = _weights(estimator, scope)
    total = _weighted(votes, weights, scope)
    divisor = len(votes) if weights is None else np.asarray(weights).sum(dtype=np.float64)
    return total.alike(scope.graph.node("Div", total.tensor, scope.graph.constant(float(divisor))))


def _weights(estimator: Estimator, scope: Scope) -> Sequence[float] | None:
    weights: Sequence[float] | None = estimator._weights_not_none
    if weights is not None and len(weights) != len(list(_members(estimator))):
        scope.refuse(
            f"{type(estimator).__name__} has other members than when it was fitted: fit it again"
        )
    return weights


def _weighted(votes: Sequence[Matrix], weights: Sequence[float] | None, scope: Scope) -> Matrix:
    graph = scope.graph
    tensors = [vote.tensor for vote in votes]
    if weights is not None:
        tensors = [
            graph.node("Mul", tensor, graph.constant(float(weight)))
            for tensor, weight in zip(tensors, weights, strict=True)
        ]
    total = tensors[0]
    for tensor in tensors[1:]:
        total = graph.node("Add", total, tensor)
    return votes[0].alike(total)


def _stacking_classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(
        estimator,
        free="estimators final_estimator cv stack_method n_jobs passthrough verbose",
    )
    if isinstance(estimator.classes_, list):
        scope.refuse(
            "StackingClassifier has several targets: "
            "use one for each target, in MultiOutputClassifier"
        )
    return _stack(estimator, matrix, scope)


def _stacking_regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free="estimators final_estimator cv n_jobs passthrough verbose")
    return _stack(estimator, matrix, scope)


def _stack(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    members = list(_members(estimator))
    columns = [
        _opinion(name, member, method, matrix, scope)
        for (name, member), method in zip(members, estimator.stack_method_, strict=True)
    ]
    if len(getattr(estimator, "classes_", ())) == 2:
        columns = [
            scope.graph.take(column, range(1, column.width))
            if method == "predict_proba"
            else column
            for column, method in zip(columns, estimator.stack_method_, strict=True)
        ]
    if estimator.passthrough:
        if any(vocabulary is not None for vocabulary in matrix.vocabularies):
            scope.refuse(
                f"{type(estimator).__name__}(passthrough=True) has categories: "
                "encode them by a step before it, or use passthrough=False"
            )
        columns.append(matrix)
    stacked = scope.graph.join(columns)
    final = scope.predict("final_estimator", estimator.final_estimator_, stacked)
    return replace(final, transformed=stacked)


def _opinion(name: str, member: Estimator, method: str, matrix: Matrix, scope: Scope) -> Matrix:
    outputs = scope.predict(name, member, matrix)
    if method == "predict" and outputs.value is None:
        return label_values(outputs, member, scope)
    return response(outputs, member, method, scope)


CONVERTERS: Final[dict[type, Convert]] = {
    StackingClassifier: _stacking_classifier,
    StackingRegressor: _stacking_regressor,
    VotingClassifier: _voting_classifier,
    VotingRegressor: _voting_regressor,
}
