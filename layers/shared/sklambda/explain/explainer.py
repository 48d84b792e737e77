"""Why a row has its score: a base value, and what each feature adds to it.

The values are Shapley's, interventional, against a fixed background: rows of the training data.
``docs/explanations.md`` says what that means and what it costs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, Self
from zipfile import BadZipFile

import numpy as np

from sklambda.arrays import FloatMatrix, FloatVector, IntVector
from sklambda.decision import TOLERANCE, choose, distances
from sklambda.errors import PackageRefused
from sklambda.explain.closed_form import Exact, ExactShapley, Link, read, shown
from sklambda.explain.kernel import contributions
from sklambda.session import Session
from sklambda.signature import Scalar, Scores, Signature, Target

type Method = Literal["linear", "trees", "kernel"]
type Scale = Scores | Literal["log-odds", "margin", "logarithm"]

COALITIONS: Final = 512
"""How many coalitions of features are scored at most, where there is no closed form."""

_SCALES: Final[dict[Link, Scale]] = {
    "sigmoid": "log-odds",
    "softmax": "margin",
    "exp": "logarithm",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one score is what it is: ``base`` and the contributions add up to ``value``.

    Attributes
    ----------
    answer : bool, int, float or str
        The class, the cluster or the output whose score is explained.
    scale : str
        What ``base``, ``value`` and the contributions are: the score as it is shown, by the name
        that the signature has for it, or "log-odds" (of the class against the others), "margin"
        (softmax makes probabilities of it) or "logarithm" (of the value).
    base : float
        The mean over the background.
    value : float
        That of the row.
    contributions : dict of str to float
        By feature, in the order of the signature.
    method : {"linear", "trees", "kernel"}
        The first two are exact; "kernel" is KernelSHAP.
    evaluations : int
        How many rows the model scored for it.
    target : str or None
        The target, where the model has several.
    """

    answer: Scalar
    scale: Scale
    base: float
    value: float
    contributions: dict[str, float]
    method: Method
    evaluations: int
    target: str | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """The values of all scores of a row."""

    method: Method
    scale: Scale | None  # None where it is that of the scores
    base: FloatVector  # [C]
    values: FloatMatrix  # [F, C]
    evaluations: int


class Explainer:
    """Explains the scores of one model.

    Parameters
    ----------
    background : FloatMatrix
        Shape [B, K]: what rows are compared with.
    exact : Exact or None
        What exact values need; None for a model that has no closed form.
    reason : str or None
        Why it has none, as training saw it.
    session : Session
        The model.
    signature : Signature
        Its inputs and its answer.
    """

    def __init__(
        self,
        background: FloatMatrix,
        exact: Exact | None,
        reason: str | None,
        session: Session,
        signature: Signature,
    ) -> None:
        self.background, self.exact, self.reason = background, exact, reason
        self._shapley = ExactShapley(exact, len(signature.features)) if exact else None
        self._session, self._signature = session, signature
        self._owners = owners(signature)

    @classmethod
    def open(cls, content: bytes, session: Session, signature: Signature) -> Self:
        """Read the file of a package.

        Raises
        ------
        PackageRefused
            It is no such file, or that of another model.
        """
        try:
            arrays = read(content)
            background = arrays["background"]
            reason = str(arrays["reason"]) if "reason" in arrays else None
            exact = Exact.from_arrays(arrays) if reason is None else None
        except (AttributeError, BadZipFile, EOFError, KeyError, OSError, ValueError) as error:
            raise PackageRefused("explainer.npz is not what training writes") from error
        scores = session.classes if exact is None else len(exact.base)
        if background.shape[1:] != (session.width,) or scores != session.classes:
            raise PackageRefused("explainer.npz is that of another model")
        return cls(background, exact, reason, session, signature)

    def explain(self, X: FloatMatrix, coalitions: int = COALITIONS) -> list[Explanation]:
        """Explain what a row is answered.

        Parameters
        ----------
        X : FloatMatrix
            Shape [1, K]: the row, encoded.
        coalitions : int
            How many coalitions of features are scored at most, where there is no closed form.

        Returns
        -------
        list of Explanation
            One for each target, or for each value of a regressor: of two classes the second is
            explained, of more the one that the label names.
        """
        scores = self._session.run(X)
        found = self._found(X, scores, coalitions)
        return [self._named(found, *asked) for asked in _told(self._signature.target, scores)]

    def explain_all(self, X: FloatMatrix, coalitions: int = COALITIONS) -> list[Explanation]:
        """Explain all scores of a row, in their order; takes what `explain` does."""
        found = self._found(X, self._session.run(X), coalitions)
        return [self._named(found, *each) for each in _all(self._signature.target)]

    def _found(self, X: FloatMatrix, scores: FloatMatrix, coalitions: int) -> _Found:
        exact = self._exactly(X, scores)
        if exact is not None:
            return exact
        base, values, rows = contributions(
            self._session.run, X[0], self.background, self._owners, coalitions
        )
        return _Found("kernel", None, base, values, rows + 1)

    def _exactly(self, X: FloatMatrix, scores: FloatMatrix) -> _Found | None:
        """Give exact values if they explain what is shown: far from all data, sums may not."""
        if self.exact is None or self._shapley is None:
            return None
        values = self._shapley.contributions(X)
        explained = self.exact.base + values.sum(axis=0)
        if not distances(scores, shown(self.exact.link, explained[None]))[0] <= TOLERANCE:
            return None
        method: Method = "trees" if self.exact.tables else "linear"
        return _Found(method, _SCALES.get(self.exact.link), self.exact.base, values, 1)

    def _named(self, found: _Found, target: Target, column: int, answer: Scalar) -> Explanation:
        values = found.values[:, column].tolist()
        base = float(found.base[column])
        return Explanation(
            answer=answer,
            scale=found.scale or target.scores,
            base=base,
            value=base + sum(values),
            contributions=dict(zip(self._signature.names, values, strict=True)),
            method=found.method,
            evaluations=found.evaluations,
            target=target.name if self._signature.target.parts else None,
        )


def owners(signature: Signature) -> IntVector:
    """Give the position of the feature that each column of the matrix belongs to, [K]."""
    order = {name: place for place, name in enumerate(signature.names)}
    counts = [[order[each.feature]] * len(each.terms) for each in signature.counts]
    return np.concatenate([np.arange(len(order)), *counts]).astype(np.intp)


type _Asked = tuple[Target, int, Scalar]  # whose score it is, its column, and of what


def _all(target: Target) -> Iterator[_Asked]:
    start = 0
    for part in target.parts or (target,):
        for place, answer in enumerate(_answers(part), start):
            yield part, place, answer
        start += part.width


def _answers(target: Target) -> tuple[Scalar, ...]:
    """Name the columns of the scores: one for two classes is that of the second."""
    return (target.outputs or target.classes)[-target.width :]


def _told(target: Target, scores: FloatMatrix) -> Iterator[_Asked]:
    """Pick the scores that explain the answer to a row, [1, C]."""
    labels, start = iter(choose(target, scores)[0].tolist()), 0
    for part in target.parts or (target,):
        places = [*range(part.width)]
        if part.classes:
            label = next(labels)
            places = [part.width - 1 if part.task in _TWO_SIDED else label]
        for place in places:
            yield part, start + place, _answers(part)[place]
        start += part.width


_TWO_SIDED: Final = frozenset({"binary", "anomaly"})
