"""Fairness: the rates of the groups of a declared column."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from functions.monitor.counting.predictions import MISSING_GROUP, Predictions
from functions.monitor.outcomes import LabelledPredictions
from functions.monitor.statistics.intervals import Interval, share_interval
from functions.monitor.targets import WatchedTarget
from functions.monitor.watched_model import WatchedModel
from sklambda.arrays import Flags, FloatVector, IntVector
from sklambda.signature import UNSEEN, Feature


@dataclass(frozen=True, slots=True)
class GroupRates:
    """The rates of a group.

    Attributes
    ----------
    rows, labelled : int
        The number of its predictions, and of those with an outcome.
    selection : Interval
        The selection rate: the share that was predicted the second class.
    true_positive, false_positive : Interval
        That share among the rows of the second and of the first class.
    """

    rows: int
    labelled: int
    selection: Interval
    true_positive: Interval
    false_positive: Interval


@dataclass(frozen=True, slots=True)
class ColumnFairness:
    """The rates of the groups of a declared column.

    Attributes
    ----------
    column : str
        The feature.
    treatments : dict of str to GroupRates
        By the name of the group.
    """

    column: str
    treatments: dict[str, GroupRates]


def column_fairness(
    model: WatchedModel,
    watched: WatchedTarget,
    predictions: Predictions,
    labelled: LabelledPredictions,
) -> Iterator[ColumnFairness]:
    """Compare the groups of each declared column of a target with two classes.

    Selection rates are of the predictions of the window, the other rates of all labelled ones.
    """
    if not watched.is_binary or not len(predictions):
        return
    features = {feature.name: feature for feature in model.signature.features}
    for column, name in enumerate(model.watching.groups):
        rates = _rates_by_code(watched, column, predictions, labelled)
        by_group = {_group_name(features[name], code): one for code, one in rates.items()}
        yield ColumnFairness(name, by_group)


def _rates_by_code(
    watched: WatchedTarget, column: int, predictions: Predictions, labelled: LabelledPredictions
) -> dict[int, GroupRates]:
    selected = group_rates(
        predictions.groups[:, column],
        predictions.labels[:, watched.label_column] == 1,
        np.full(len(predictions), np.nan),
    )
    realised = group_rates(
        labelled.predictions.groups[:, column],
        labelled.predictions.labels[:, watched.label_column] == 1,
        labelled.true[:, watched.outcome_column],
        labelled.selection,
    )
    return {
        code: replace(realised[code], rows=one.rows, selection=one.selection)
        if code in realised
        else one
        for code, one in selected.items()
    }


def _group_name(feature: Feature, code: int) -> str:
    if code == MISSING_GROUP:
        return "missing"
    if code == UNSEEN:
        return "unseen"
    return ("false", "true")[code] if feature.kind == "boolean" else feature.vocabulary[code]


def group_rates(
    groups: IntVector, positive: Flags, true: FloatVector, selection: FloatVector | None = None
) -> dict[int, GroupRates]:
    """Return the rates of groups, with Wilson's intervals.

    Parameters
    ----------
    groups : IntVector
        Shape [n]: the code of each row's group.
    positive : Flags
        Shape [n]: whether the second class was predicted.
    true : FloatVector
        Shape [n]: 1 if it was true, 0 if not, NaN without an outcome.
    selection : FloatVector, optional
        Shape [n]: the probability that the outcome of a row was requested.

    Returns
    -------
    dict of int to GroupRates
        By the code of the group. Rates that need outcomes are NaN without any.
    """
    weights = np.ones(len(groups)) if selection is None else 1 / selection
    return {
        group: _rates(groups == group, positive, true, weights)
        for group in np.unique(groups).tolist()
    }


def _rates(members: Flags, positive: Flags, true: FloatVector, weights: FloatVector) -> GroupRates:
    selected = positive.astype(np.float64)
    ones, zeros = members & (true == 1), members & (true == 0)
    return GroupRates(
        rows=int(members.sum()),
        labelled=int(ones.sum() + zeros.sum()),
        selection=share_interval(selected[members], np.ones(int(members.sum()))),
        true_positive=share_interval(selected[ones], weights[ones]),
        false_positive=share_interval(selected[zeros], weights[zeros]),
    )
