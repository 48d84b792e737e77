"""Trees, to the tables that explain them where they are served."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from sklambda.arrays import Flags, FloatMatrix, FloatVector, IntVector
from sklambda.explain.trees import Conditions, TreeTable
from training.explain.additive import Trees
from training.explain.ensembles import Boxes, boxes

_NUMBER: Final = -1


def tree_table(
    trees: Trees, places: Mapping[int, int], owners: IntVector, background: FloatMatrix
) -> TreeTable | None:
    """Make the table of some trees; None where they add the same to every row.

    Parameters
    ----------
    trees : Trees
        The trees.
    places : mapping of int to int
        By column that they look at: where it stands in the prepared matrix.
    owners : ndarray of int, shape [P]
        The feature that each column of the prepared matrix depends on.
    background : FloatMatrix
        Shape [B, P]: the background, prepared.
    """
    values = trees.values
    if trees.leaves.all():
        # What all leaves of a tree share changes no Shapley value, and a leaf of 0 needs no box.
        values = values - _commonest(values)
    asked = boxes(trees.forest, trees.leaves & values.any(axis=1))
    if asked is None:
        return None
    columns = np.array([places[column] for column in asked.column.tolist()])
    order = np.lexsort((columns, owners[columns], asked.leaf))
    leaf, feature = asked.leaf[order], owners[columns][order]
    literals = np.flatnonzero(_changes(leaf) | _changes(feature))
    leaves = np.flatnonzero(_changes(leaf[literals]))
    return TreeTable.of(
        _conditions(asked, columns, order),
        background,
        literals=literals[: 0 if len(literals) == len(leaf) else None].astype(np.int32),
        features=feature[literals].astype(np.int32),
        leaves=leaves.astype(np.int32),
        values=values[leaf[literals][leaves]],
        mix=trees.mix,
    )


def _commonest(values: FloatMatrix) -> FloatVector:
    rows, counts = np.unique(values, axis=0, return_counts=True)
    common: FloatVector = rows[counts.argmax()]
    return common


def _changes(values: IntVector) -> Flags:
    changed: Flags = np.append(True, values[1:] != values[:-1])
    return changed


def _conditions(asked: Boxes, columns: IntVector, order: IntVector) -> Conditions:
    members, sets = np.unique(asked.words[order], axis=0, return_inverse=True)
    sets = np.where(asked.categorical[order], sets.ravel(), _NUMBER)
    return Conditions(
        columns=columns[order].astype(np.int32),
        low=asked.low[order],
        high=asked.high[order],
        missing=asked.missing[order],
        sets=sets[: None if asked.categorical.any() else 0].astype(np.int32),
        members=members,
    )
