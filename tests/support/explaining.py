"""A fitted estimator's explainer, and Shapley values by their definition to compare it with."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from math import factorial
from typing import Any, Final

import numpy as np
import pandas as pd

from sklambda.arrays import FloatMatrix, FloatVector, IntVector
from sklambda.codec.codec import Codec
from sklambda.explain.closed_form import Link
from sklambda.explain.explainer import Explainer, Explanation, owners
from sklambda.session import Session
from sklambda.signature import Signature
from training.explain import explainer_file
from training.frames import client_rows, kinds_of
from training.proof.conversion import Conversion

type Score = Callable[[FloatMatrix], FloatMatrix]

UNLINKED: Final[dict[Link, Score]] = {
    "identity": lambda scores: scores,
    "sigmoid": lambda scores: np.log(scores) - np.log1p(-scores),
    "exp": np.log,
    # Margins are determined up to what they have in common.
    "softmax": lambda scores: np.log(scores) - np.log(scores).mean(axis=1, keepdims=True),
}


@dataclass(frozen=True, slots=True)
class Explained:
    """An explainer beside what it explains."""

    explainer: Explainer
    signature: Signature
    session: Session
    rows: FloatMatrix  # [N, K]: the rows that the estimator was fitted on

    @property
    def link(self) -> Link:
        """What makes the scores of the explained ones."""
        return "identity" if self.explainer.exact is None else self.explainer.exact.link

    def found(self, row: FloatVector) -> FloatMatrix:
        """Return the explainer's values, [F, C]."""
        return contributions(self.explainer.explain_all(row[None]), self.link)

    def expected(self, row: FloatVector) -> FloatMatrix:
        """Return the values by definition, [F, C]."""
        unlinked = UNLINKED[self.link]
        return by_definition(
            lambda X: unlinked(self.session.run(X)),
            row,
            self.explainer.background,
            owners(self.signature),
        )


def explained(estimator: Any, frame: pd.DataFrame) -> Explained:
    """Convert a fitted estimator, and open its explainer."""
    model, signature = Conversion(estimator, frame, kinds_of(frame)).convert()
    rows = Codec(signature).encode(client_rows(frame, signature.kinds))
    session = Session(model)
    content = explainer_file(model, signature, frame)
    return Explained(Explainer.open(content, session, signature), signature, session, rows)


def contributions(explanations: list[Explanation], link: Link = "identity") -> FloatMatrix:
    """Set the contributions side by side, [F, C]."""
    values = np.array([[*each.contributions.values()] for each in explanations]).T
    return values - values.mean(axis=1, keepdims=True) if link == "softmax" else values


def by_definition(
    score: Score, row: FloatVector, background: FloatMatrix, owned: IntVector
) -> FloatMatrix:
    """Compute interventional Shapley values of a row from the scores of all coalitions, [F, C]."""
    features = range(owned.max() + 1)
    worth = {
        coalition: score(np.where(np.array(coalition)[owned], row, background)).mean(axis=0)
        for coalition in product((False, True), repeat=len(features))
    }
    count = len(features)
    weights = [factorial(size) * factorial(count - 1 - size) for size in range(count)]
    values = np.zeros((count, len(worth[(False,) * count])))
    for coalition, without in worth.items():
        for feature in features:
            if not coalition[feature]:
                joined = (*coalition[:feature], True, *coalition[feature + 1 :])
                values[feature] += weights[sum(coalition)] * (worth[joined] - without)
    return values / factorial(count)
