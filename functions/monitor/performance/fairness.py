"""Fairness: the rates of the groups of a declared column."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from functions.monitor.counting.predictions import ABSENT, Answers
from functions.monitor.outcomes import Evidence
from functions.monitor.statistics.intervals import Interval, share
from functions.monitor.targets import Aim
from functions.monitor.watched_model import Subject
from sklambda.arrays import Flags, FloatVector, IntVector
from sklambda.signature import UNSEEN, Feature


@dataclass(frozen=True, slots=True)
class Treatment:
    """What happened to one group.

    Attributes
    ----------
    rows, labelled : int
        How many it has, and how many of them an outcome.
    selection : Interval
        The share that got the second label.
    true_positive, false_positive : Interval
        The share that got it of those of whom it was true, and of those of whom it was not.
    """

    rows: int
    labelled: int
    selection: Interval
    true_positive: Interval
    false_positive: Interval


@dataclass(frozen=True, slots=True)
class Group:
    """How the groups of a declared column are treated.

    Attributes
    ----------
    column : str
        The feature.
    treatments : dict of str to Treatment
        By the name of the group.
    """

    column: str
    treatments: dict[str, Treatment]


def groups(subject: Subject, aim: Aim, answers: Answers, evidence: Evidence) -> Iterator[Group]:
    """Compare the groups of each declared column; nothing where there are not two classes.

    How many get the second label is counted in the window, what is right about it among all rows
    whose outcome is known.
    """
    if not aim.two or not len(answers):
        return
    features = {feature.name: feature for feature in subject.signature.features}
    for column, name in enumerate(subject.watching.groups):
        treatments = _treatments(aim, column, answers, evidence)
        named = {_name(features[name], code): one for code, one in treatments.items()}
        yield Group(name, named)


def _treatments(
    aim: Aim, column: int, answers: Answers, evidence: Evidence
) -> dict[int, Treatment]:
    labels, known = answers.labels[:, aim.place], evidence.answers
    unknown = np.full(len(answers), np.nan)
    found = fairness(answers.groups[:, column], labels == 1, unknown)
    seen = fairness(
        known.groups[:, column],
        known.labels[:, aim.place] == 1,
        evidence.true[:, aim.outcome],
        evidence.selection,
    )
    return {
        code: replace(seen[code], rows=one.rows, selection=one.selection) if code in seen else one
        for code, one in found.items()
    }


def _name(feature: Feature, code: int) -> str:
    if code == ABSENT:
        return "missing"
    if code == UNSEEN:
        return "unseen"
    return ("false", "true")[code] if feature.kind == "boolean" else feature.vocabulary[code]


def fairness(
    groups: IntVector, positive: Flags, true: FloatVector, selection: FloatVector | None = None
) -> dict[int, Treatment]:
    """Compare groups, with Wilson's intervals.

    Parameters
    ----------
    groups : IntVector
        Shape [n]: the code of each row's group.
    positive : Flags
        Shape [n]: whether the second class is the label.
    true : FloatVector
        Shape [n]: 1 where it was true, 0 where not, NaN where nobody knows yet.
    selection : FloatVector, optional
        Shape [n]: the chance that each row had to get an outcome.

    Returns
    -------
    dict of int to Treatment
        By the code of the group. Rates of groups without outcomes are NaN.
    """
    weights = np.ones(len(groups)) if selection is None else 1 / selection
    return {
        group: _treatment(groups == group, positive, true, weights)
        for group in np.unique(groups).tolist()
    }


def _treatment(
    members: Flags, positive: Flags, true: FloatVector, weights: FloatVector
) -> Treatment:
    label = positive.astype(np.float64)
    yes, no = members & (true == 1), members & (true == 0)
    return Treatment(
        rows=int(members.sum()),
        labelled=int(yes.sum() + no.sum()),
        selection=share(label[members], np.ones(int(members.sum()))),
        true_positive=share(label[yes], weights[yes]),
        false_positive=share(label[no], weights[no]),
    )
