"""How a model treats the groups of a declared column."""

from dataclasses import dataclass

import numpy as np

from functions.monitor.interval import Interval, share
from sklambda.arrays import Flags, FloatVector, IntVector


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
