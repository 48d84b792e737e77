"""Explains scores: a base value, and the contribution of each feature.

The contributions are interventional Shapley values against a fixed background of rows of training.
``docs/explanations.md`` describes their meaning and cost.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import inf
from time import perf_counter
from typing import Final, Literal, Self
from zipfile import BadZipFile

import numpy as np

from sklambda.arrays import FloatMatrix, FloatVector, IntVector
from sklambda.decision import TOLERANCE, label_positions, row_differences
from sklambda.errors import OutOfTime, PackageRefused
from sklambda.explain.closed_form import Exact, ExactShapley, Link, apply_link, read
from sklambda.explain.kernel import contributions, most_coalitions
from sklambda.session import ROWS, Session
from sklambda.signature import Scalar, Scores, Signature, Target

type Method = Literal["linear", "trees", "kernel"]
type Scale = Scores | Literal["log-odds", "margin", "logarithm"]

COALITIONS: Final = 512
"""The greatest number of coalitions of features that are scored without a closed form."""

_MEASUREMENTS: Final = 3
_RUN: Final = 0.1
"""Seconds of one run of the model, between looks at the deadline."""
_LONG_RUN: Final = 0.3
_SECONDS_PER_NUMBER: Final = 4e-9
"""KernelSHAP beside the model: mixing rows takes 1.5 to 3 ns a number here."""

_SCALES: Final[dict[Link, Scale]] = {
    "sigmoid": "log-odds",
    "softmax": "margin",
    "exp": "logarithm",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """The explanation of one score: ``base`` and the contributions add up to ``value``.

    Attributes
    ----------
    answer : bool, int, float or str
        The class, the cluster or the output of the explained score.
    scale : str
        The scale of ``base``, ``value`` and the contributions: the name of the score in the
        signature, or "log-odds" (of the class against the others), "margin"
        (softmax makes probabilities of it) or "logarithm" (of the value).
    base : float
        The mean of the background.
    value : float
        The value of the row.
    contributions : dict of str to float
        By feature, in the order of the signature.
    method : {"linear", "trees", "kernel"}
        "linear" and "trees" are exact; "kernel" is KernelSHAP.
    evaluations : int
        The number of rows that were scored for it.
    target : str or None
        The target of a model with several.
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
    """The Shapley values of all scores of a row."""

    method: Method
    scale: Scale | None  # None for the scale of the scores
    base: FloatVector  # [C]
    values: FloatMatrix  # [F, C]
    evaluations: int


class Explainer:
    """Explains the scores of one model.

    Parameters
    ----------
    background : FloatMatrix
        Shape [B, K]: the rows that others are compared with.
    exact : Exact or None
        The closed form; None for a model without one.
    reason : str or None
        Why training found no closed form.
    session : Session
        The model.
    signature : Signature
        Its features and its target.
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
        self._rows = ROWS  # of one run, as far as is known

    @classmethod
    def open(cls, content: bytes, session: Session, signature: Signature) -> Self:
        """Read ``explainer.npz``.

        Raises
        ------
        PackageRefused
            The content is invalid, or belongs to another model.
        """
        try:
            arrays = read(content)
            background = arrays["background"]
            reason = str(arrays["reason"]) if "reason" in arrays else None
            exact = Exact.from_arrays(arrays) if reason is None else None
        except (AttributeError, BadZipFile, EOFError, KeyError, OSError, ValueError) as error:
            raise PackageRefused("explainer.npz is not a valid explainer") from error
        scores = session.classes if exact is None else len(exact.base)
        if background.shape[1:] != (session.width,) or scores != session.classes:
            raise PackageRefused("explainer.npz belongs to another model")
        return cls(background, exact, reason, session, signature)

    @cached_property
    def seconds(self) -> float:
        """About how many seconds one row takes on this machine, measured at the first access.

        The closed form is measured on a row of the background. Without one it is the number of
        rows that KernelSHAP scores, times what the model needs for one.
        """
        row = self.background[:1]
        count, width = self.background.shape
        each = _measure(lambda: self._session.run(self.background)) / count
        self._limit_runs(each)
        if self._exactly(row, self._session.run(row)) is not None:
            return _measure(lambda: self.explain(row))
        rows = (most_coalitions(len(self._signature.features), COALITIONS) + 1) * count + 1
        seconds: float = rows * (each + width * _SECONDS_PER_NUMBER)
        return seconds

    def explain(
        self, X: FloatMatrix, coalitions: int = COALITIONS, deadline: float = inf
    ) -> list[Explanation]:
        """Explain the prediction of a row.

        Parameters
        ----------
        X : FloatMatrix
            Shape [1, K]: the row, encoded.
        coalitions : int
            The greatest number of coalitions of features that are scored without a closed form.
        deadline : float
            When the time is over, by ``time.perf_counter``, in seconds.

        Returns
        -------
        list of Explanation
            One for each target, or for each value of a regressor: of two classes the second is
            explained, of more the predicted one.

        Raises
        ------
        OutOfTime
            The deadline passed.
        """
        scores = self._score(X, deadline)
        found = self._found(X, scores, coalitions, deadline)
        return [self._explained(found, *one) for one in _predicted(self._signature.target, scores)]

    def explain_all(self, X: FloatMatrix, coalitions: int = COALITIONS) -> list[Explanation]:
        """Explain all scores of a row, in their order; takes what `explain` does."""
        found = self._found(X, self._session.run(X), coalitions)
        return [self._explained(found, *one) for one in _every_score(self._signature.target)]

    def _score(self, X: FloatMatrix, deadline: float) -> FloatMatrix:
        """Score rows in runs that are short beside any deadline, until the deadline."""
        parts, done = list[FloatMatrix](), 0
        while done < len(X):
            start = perf_counter()
            if start > deadline:
                raise OutOfTime
            part = X[done : done + self._rows]
            parts.append(self._session.run(part))
            done += len(part)
            if perf_counter() - start > _LONG_RUN:
                self._limit_runs((perf_counter() - start) / len(part))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _limit_runs(self, each: float) -> None:
        """Set the rows of one run by the seconds of one row, to a power of two up to `ROWS`."""
        most = max(1, int(_RUN / max(each, 1e-9)))
        self._rows = min(ROWS, 1 << (most.bit_length() - 1))

    def _found(
        self, X: FloatMatrix, scores: FloatMatrix, coalitions: int, deadline: float = inf
    ) -> _Found:
        exact = self._exactly(X, scores)
        if exact is not None:
            return exact
        base, values, rows = contributions(
            lambda mixed: self._score(mixed, deadline),
            X[0],
            self.background,
            self._owners,
            coalitions,
        )
        return _Found("kernel", None, base, values, rows + 1)

    def _exactly(self, X: FloatMatrix, scores: FloatMatrix) -> _Found | None:
        """Return exact values if they add up to the scores: far from all data they may not."""
        if self.exact is None or self._shapley is None:
            return None
        values = self._shapley.contributions(X)
        explained = self.exact.base + values.sum(axis=0)
        sums = apply_link(self.exact.link, explained[None])
        if not row_differences(scores, sums)[0] <= TOLERANCE:
            return None
        method: Method = "trees" if self.exact.tables else "linear"
        return _Found(method, _SCALES.get(self.exact.link), self.exact.base, values, 1)

    def _explained(self, found: _Found, target: Target, column: int, answer: Scalar) -> Explanation:
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


def _measure(work: Callable[[], object]) -> float:
    """Return the least seconds of some calls, after a first one."""
    work()
    seconds = []
    for _ in range(_MEASUREMENTS):
        start = perf_counter()
        work()
        seconds.append(perf_counter() - start)
    return min(seconds)


def owners(signature: Signature) -> IntVector:
    """Return the position of the feature of each column of the matrix, [K]."""
    order = {name: place for place, name in enumerate(signature.names)}
    counts = [[order[each.feature]] * each.width for each in signature.counts]
    return np.concatenate([np.arange(len(order)), *counts]).astype(np.intp)


type _Score = tuple[Target, int, Scalar]  # its target, column and class, cluster or output


def _every_score(target: Target) -> Iterator[_Score]:
    start = 0
    for part in target.parts or (target,):
        for place, answer in enumerate(_columns(part), start):
            yield part, place, answer
        start += part.width


def _columns(target: Target) -> tuple[Scalar, ...]:
    """Return the class, cluster or output of each column; a single one is of the second class."""
    return (target.outputs or target.classes)[-target.shown :]


def _predicted(target: Target, scores: FloatMatrix) -> Iterator[_Score]:
    """Yield the scores that explain the prediction of a row, [1, C]."""
    labels, start = iter(label_positions(target, scores)[0].tolist()), 0
    for part in target.parts or (target,):
        places = [*range(part.shown)]
        if part.classes:
            label = next(labels)
            places = [part.shown - 1 if part.task in _TWO_SIDED else label]
        for place in places:
            yield part, start + place, _columns(part)[place]
        start += part.width


_TWO_SIDED: Final = frozenset({"binary", "anomaly"})
