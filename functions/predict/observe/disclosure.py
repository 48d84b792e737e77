"""What captures tell of scores: no more than the captured features do.

A score at full precision gives away what a capture leaves out: the model is known to readers of
captures, and only one value of a redacted feature, or one number in a bin, has just this score. So
the score of a capture is the mean of the model's scores over the values that the capture leaves
open, and the label is that of the mean. Rows that are captured alike have the same score and label,
whatever the model: nothing can be inferred of one that is not in its captured features.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final, NamedTuple, Self

import numpy as np

from functions.predict.model import PredictionRequest, PredictionResponse, ServedModel
from functions.predict.observe.sampling import is_sampled
from sklambda.arrays import FloatMatrix, FloatVector, IntVector
from sklambda.decision import label_positions, to_predictions
from sklambda.signature import Feature, Target
from sklambda.sketch.baseline import Baseline, codes
from sklambda.sketch.merging import merge_codes, merge_tenths, merged_codes, part_width
from sklambda.sketch.ruler import TENTHS, equal_parts
from sklambda.sketch.sketch import Mode
from sklambda.sketch.watched_scores import class_counts, watched_scores

HIDDEN_CASES: Final[dict[Mode, int]] = {"raw": 8, "binned": 4}
"""The greatest number of cases of redacted features that are scored for each row."""

BIN_CASES: Final = 16
"""The number of cases within the bins of a row."""

CROWD_SHARE: Final = 0.25
"""The least share of the cases within the bins that a label needs to be captured."""

STEPS: Final = 100
"""The number of steps that a score is rounded to, over its range in training."""

_PURPOSE: Final = "capture"
_SEED: Final = 0

type Listener = Callable[[PredictionRequest, PredictionResponse], None]


class Bins(NamedTuple):
    """The bins of one feature; columns of them replace its values.

    Attributes
    ----------
    name : str
        The feature.
    column : int
        Its column in the encoded rows.
    low, width : float
        The start of the range of training, and a tenth of it.
    part : int
        How many tenths are one bin; 0 for codes.
    codes : IntVector or None
        For each code the first one of its group.
    """

    name: str
    column: int
    low: float
    width: float
    part: int
    codes: IntVector | None

    @property
    def last(self) -> int:
        """The last bin, which is above the range, or the last code."""
        return TENTHS if self.codes is None else len(self.codes) - 1

    @property
    def merged(self) -> FloatVector:
        """The first one of the group of each tenth, or code."""
        if self.codes is None:
            return merge_tenths(np.arange(TENTHS, dtype=np.float64), self.part)
        return self.codes.astype(np.float64)

    def of(self, values: FloatVector) -> FloatVector:
        """Return the bins of values, [n]; NaN where missing."""
        if self.codes is None:
            return merge_tenths(equal_parts(values, self.low, self.width, TENTHS), self.part)
        return merge_codes(values, self.codes)

    def middle_values(self, index: int, shares: FloatVector) -> FloatVector:
        """Return a value, [n], for each share of a bin of which training has no value."""
        if self.codes is not None:
            return np.full(len(shares), float(index))
        size = self.part if 0 <= index < TENTHS else 1
        values: FloatVector = self.low + self.width * (index + size * shares)
        return values


def feature_bins(model: ServedModel, baseline: Baseline | None) -> list[Bins]:
    """Return the bins of the features that a binned capture holds."""
    found = []
    for column, feature in enumerate(model.signature.features):
        reference = None if baseline is None else baseline.features[feature.name]
        if codes(feature):
            counts = () if reference is None else reference.column.counts
            merged = merged_codes(counts) if counts else np.arange(codes(feature))
            found.append(Bins(feature.name, column, 0.0, 1.0, 0, merged))
        elif feature.kind == "category":
            found.append(Bins(feature.name, column, 0.0, 1.0, 0, np.arange(0)))
        elif feature.span is not None and feature.span[0] < feature.span[1]:
            low, high = feature.span
            edges = _edges(feature) if reference is None else np.array(reference.ruler.edges)
            width = (high - low) / TENTHS
            found.append(Bins(feature.name, column, low, width, part_width(edges), None))
    return found


def _edges(feature: Feature) -> FloatVector:
    """Return numbers that are as close as the values of a feature may be, without a baseline."""
    low, high = feature.span or (0.0, 0.0)
    near = low + 1.0 if feature.kind == "integer" else low + (high - low) / 1000
    return np.array([low, near, high] if near < high else [low, high])


class BinTable:
    """The bins of all features that a binned capture holds, of which one look-up finds all.

    Parameters
    ----------
    bins : sequence of Bins
        Of each feature.
    picks : sequence of FloatMatrix
        Shapes [B, `BIN_CASES`]: values of each bin of a feature, from the bin -1 on.
    """

    def __init__(self, bins: Sequence[Bins], picks: Sequence[FloatMatrix]) -> None:
        self.names = [one.name for one in bins]
        self._columns = [one.column for one in bins]
        scales = [(one.low, one.width, TENTHS if one.codes is None else np.inf) for one in bins]
        self._low, self._width, self._parts = np.array(scales).reshape(-1, 3).T
        merged = [one.merged for one in bins]
        self._sizes = np.array([len(one) for one in merged], dtype=np.intp)
        self._firsts = np.cumsum(self._sizes) - self._sizes
        self._merged = np.concatenate([*merged, np.zeros(1)])
        rows = np.array([len(one) for one in picks], dtype=np.intp)
        self._starts = np.cumsum(rows) - rows + 1
        self._picks = np.concatenate([*picks, np.zeros((1, BIN_CASES))])

    def of(self, X: FloatMatrix) -> FloatMatrix:
        """Return the bins, [N, J], of encoded rows, [N, K]; NaN where missing."""
        bins = equal_parts(X[:, self._columns], self._low, self._width, self._parts)
        inside = (bins >= 0) & (bins < self._sizes)
        places = self._firsts + np.where(inside, bins, 0).astype(np.intp)
        merged: FloatMatrix = np.where(inside, self._merged[places], bins)
        return merged

    def fill(self, cases: FloatMatrix, bins: FloatMatrix) -> None:
        """Write values of the bins, [N, J], into the cases, [N, `BIN_CASES`, K]."""
        missing = np.isnan(bins)
        values = self._picks[self._starts + np.where(missing, 0, bins).astype(np.intp)]
        values[missing] = np.nan
        cases[:, :, self._columns] = values.transpose(0, 2, 1)


class Disclosure:
    """What captures of a model tell of its scores.

    Parameters
    ----------
    champion : ServedModel
        The champion, which encodes the rows. Cases are drawn from its baseline, as far as it has
        one.
    mode : {"raw", "binned"}
        How features are captured.
    redacted : collection of str
        The features that are not captured.
    """

    def __init__(self, champion: ServedModel, mode: Mode, redacted: Sequence[str]) -> None:
        model, self._redacted = champion, frozenset(redacted)
        baseline = model.predictor.package.baseline
        bins = feature_bins(model, baseline) if mode == "binned" else []
        bins = [one for one in bins if one.name not in redacted]
        features = list(enumerate(model.signature.features))
        binned = {one.name for one in bins} | set(redacted)
        left_out = [one for one in features if mode == "binned" and one[1].name not in binned]
        own = [one for one in left_out if one[1].kind != "text"]
        hidden = [one for one in features if one[1].name in redacted]
        self._hidden = Cases.of(model, baseline, hidden, HIDDEN_CASES[mode])
        self._left_out = Cases.of(model, baseline, own, BIN_CASES, exact=False)
        levels = (np.arange(BIN_CASES) + 0.5) / BIN_CASES
        draw = np.random.default_rng(_SEED)
        picks = [
            _picks(one, _table(features[one.column][1], baseline), draw.permutation(levels))
            for one in bins
        ]
        self.bins = BinTable(bins, picks) if mode == "binned" else None
        self._steps = _steps(model, baseline)

    def of(self, response: PredictionResponse, rows: Sequence[int]) -> PredictionResponse:
        """Return a response as captures tell of it, in some of its rows.

        A model that cannot score the cases has NaN for its scores, and its own labels.
        """
        model, target, at = response.model, response.model.signature.target, np.array(rows)
        expected = self._expected(model, response.X[at], response.scores[at])
        disclosed = self._round(expected)
        predictions, warnings = list(response.predictions), list(response.warnings)
        rounded, labelled = to_predictions(target, disclosed), to_predictions(target, expected)
        if model.score_shared(response.X[:0]) is None:
            labelled = [predictions[row] for row in rows]
        for row, one, label in zip(rows, rounded, labelled, strict=True):
            predictions[row] = replace(one, label=label.label, targets=label.targets)
            warnings[row] = [each for each in warnings[row] if each.feature not in self._redacted]
        scores = response.scores.copy()
        scores[at] = disclosed
        return replace(response, scores=scores, predictions=predictions, warnings=warnings)

    def hides(self, faults: Sequence[Mapping[str, object]]) -> bool:
        """Return whether faults of a row are of a redacted feature."""
        return any(fault["feature"] in self._redacted for fault in faults)

    def _expected(self, model: ServedModel, X: FloatMatrix, scores: FloatMatrix) -> FloatMatrix:
        """Return the mean score of each row, [N, C], over what its capture leaves open."""
        if self._hidden.columns:
            scores = self._without_hidden(model, X)
        if self.bins is not None:
            scores = self._within_bins(model, self.bins, X, scores)
        return scores

    def _without_hidden(self, model: ServedModel, X: FloatMatrix) -> FloatMatrix:
        """Return the mean score of each row over the cases of redacted features."""
        if not self._hidden.columns:
            return _score(model, X)
        cases = self._hidden.repeat(X)
        scores = _score(model, cases.reshape(-1, X.shape[1])).reshape(*cases.shape[:2], -1)
        means: FloatMatrix = np.einsum("nks,k->ns", scores, self._hidden.weights)
        return means

    def _within_bins(
        self, model: ServedModel, bins: BinTable, X: FloatMatrix, scores: FloatMatrix
    ) -> FloatMatrix:
        """Return the mean score of each row over its bins, of the same label.

        A label is that of at least `CROWD_SHARE` of the cases; a rarer one, which would show where
        in its bins a row lies, counts as the most frequent one.
        """
        cases = self._left_out.repeat(X)
        bins.fill(cases, bins.of(X))
        flat = self._without_hidden(model, cases.reshape(-1, X.shape[1]))
        by_case = flat.reshape(*cases.shape[:2], -1)
        alike = _alike(model.signature.target, scores, by_case)
        shares = alike / alike.sum(axis=1, keepdims=True)
        means: FloatMatrix = np.einsum("nks,nk->ns", by_case, shares)
        return means

    def _round(self, scores: FloatMatrix) -> FloatMatrix:
        """Return the middle of the step of each score."""
        with np.errstate(invalid="ignore", divide="ignore"):
            middles = (np.floor(scores / self._steps) + 0.5) * self._steps
        rounded: FloatMatrix = np.where(self._steps > 0, middles, scores)
        return rounded


def _score(model: ServedModel, X: FloatMatrix) -> FloatMatrix:
    """Score rows as the champion encodes them, [N, K]; NaN where a challenger cannot."""
    scores = model.score_shared(X)
    return np.full((len(X), model.signature.target.width), np.nan) if scores is None else scores


@dataclass(frozen=True, slots=True)
class Disclosing:
    """A listener that passes responses on as captures may tell of them.

    Attributes
    ----------
    disclosure : Disclosure
        What captures tell.
    share : float
        Share of the predictions that are captured; the others are passed on as they are.
    listeners : tuple of Listener
        What writes to the log: captures and metrics of the same requests.
    """

    disclosure: Disclosure
    share: float
    listeners: tuple[Listener, ...]

    def __call__(self, request: PredictionRequest, response: PredictionResponse) -> None:
        """Pass a response on."""
        sampled = list(sample(request, response, self.share))
        if sampled:
            response = self.disclosure.of(response, sampled)
        for listener in self.listeners:
            listener(request, response)


def sample(
    request: PredictionRequest, response: PredictionResponse, share: float
) -> Mapping[int, str]:
    """Return the ids of the predictions in the sample, by their rows."""
    ids = map(request.caller.prediction_id, range(len(response.predictions)))
    return {row: name for row, name in enumerate(ids) if is_sampled(name, share, _PURPOSE)}


@dataclass(frozen=True, slots=True)
class Cases:
    """Cases of some features, that take the place of a row's own values.

    Attributes
    ----------
    columns : list of int
        The columns of the encoded rows.
    values : FloatMatrix
        Shape [k, J]: the values of each case.
    weights : FloatVector
        Shape [k]: the share of each case.
    """

    columns: list[int]
    values: FloatMatrix
    weights: FloatVector

    @classmethod
    def of(
        cls,
        model: ServedModel,
        baseline: Baseline | None,
        features: Sequence[tuple[int, Feature]],
        count: int,
        exact: bool = True,
    ) -> Self:
        """Return all combinations of values, if they are at most `count` cases, else a sample."""
        tables = [_table(feature, baseline) for _, feature in features]
        columns = [column for column, _ in features]
        if exact and np.prod([len(values) for values, _ in tables]) <= count:
            values = np.array(list(product(*(values for values, _ in tables))))
            shares = list(product(*(shares for _, shares in tables)))
            weights = np.array([np.prod(one) for one in shares])
        else:
            draw, levels = np.random.default_rng(_SEED + 1), (np.arange(count) + 0.5) / count
            drawn = [_quantiles(table, draw.permutation(levels)) for table in tables]
            values = np.array(drawn).reshape(len(tables), count).T
            weights = np.ones(count)
        texts = _texts(model, features, len(weights))
        values = np.column_stack([values.reshape(len(weights), -1), *texts.values()])
        return cls([*columns, *texts], values, weights / weights.sum())

    def repeat(self, X: FloatMatrix) -> FloatMatrix:
        """Return the cases of each row, [N, k, K], of encoded rows [N, K]."""
        cases = np.repeat(X, len(self.weights), axis=0).reshape(len(X), len(self.weights), -1)
        cases[:, :, self.columns] = self.values
        return cases


def _alike(target: Target, scores: FloatMatrix, cases: FloatMatrix) -> FloatMatrix:
    """Return which cases, [N, k], are captured as one with their row: 1, else 0.

    Those with the row's label if they are at least `CROWD_SHARE`; else those with the most frequent
    label, and with all rare ones.
    """
    if not class_counts(target):
        return np.ones(cases.shape[:2])
    own = label_positions(target, scores)[:, None]
    labels = label_positions(target, cases.reshape(-1, cases.shape[2]))
    labels = labels.reshape(*cases.shape[:2], -1)
    shares = (labels[:, :, None] == labels[:, None]).all(axis=3).mean(axis=2)
    most = labels[np.arange(len(labels)), shares.argmax(axis=1)][:, None]
    pooled = (labels == most).all(axis=2) | (shares < CROWD_SHARE)
    same = (labels == own).all(axis=2)
    is_apart = (same.mean(axis=1) >= CROWD_SHARE) & (own != most).any(axis=2)[:, 0]
    alike: FloatMatrix = np.where(is_apart[:, None], same, pooled).astype(np.float64)
    return alike


type _Table = tuple[FloatVector, FloatVector]
"""The values of a feature, and the share of each in training."""


def _table(feature: Feature, baseline: Baseline | None) -> _Table:
    """Return the values of an open feature, and their shares in training."""
    reference = None if baseline is None else baseline.features[feature.name]
    if feature.kind == "text":
        return np.zeros(1), np.ones(1)
    values: FloatVector
    counts: FloatVector
    if (number := codes(feature)) > 0:
        counts = np.ones(number) if reference is None else np.array(reference.column.counts) + 0.0
        values = np.arange(number, dtype=np.float64)
    elif reference is None or not reference.ruler.edges:
        low, high = feature.span or (0.0, 0.0)
        values, counts = np.array([low + (high - low) * k / 8 for k in range(1, 8)]), np.ones(7)
    else:
        counts = np.array(reference.column.counts) + 0.0
        gaps: FloatVector = np.array(reference.column.gaps) / np.maximum(counts, 1)
        values = np.array(reference.ruler.edges, dtype=np.float64) - gaps
    missing = 0 if reference is None or not feature.nullable else reference.column.missing
    if missing:
        values = np.concatenate([values, np.array([np.nan])])
        counts = np.concatenate([counts, np.array([missing], dtype=np.float64)])
    present = counts > 0
    if not present.any():
        return values[:1], np.ones(1)
    return values[present], counts[present] / counts.sum()


def _picks(bins: Bins, table: _Table, levels: FloatVector) -> FloatMatrix:
    """Return values, [B, n], of each bin from -1 on: as in training, or evenly spread."""
    values, shares = table
    places, picks = bins.of(values), []
    for index in range(-1, bins.last + 1):
        inside = places == index
        if inside.any():
            own = values[inside], shares[inside] / shares[inside].sum()
            picks.append(_quantiles(own, levels))
        else:
            picks.append(bins.middle_values(index, levels))
    return np.array(picks)


def _quantiles(table: _Table, levels: FloatVector) -> FloatVector:
    """Return the values at levels from 0 to 1, [n]."""
    values, shares = table
    places = np.searchsorted(np.cumsum(shares), levels)
    return values[np.minimum(places, len(values) - 1)]


def _texts(
    model: ServedModel, open_features: Sequence[tuple[int, Feature]], cases: int
) -> dict[int, FloatVector]:
    """Return the counts of terms, [cases], of open texts: those of golden rows, by column."""
    names = {feature.name for _, feature in open_features if feature.kind == "text"}
    if not names:
        return {}
    rows = [golden.row for golden in model.predictor.package.golden] or [model.signature.example]
    X = model.predictor.encode(rows)[np.arange(cases) * len(rows) // cases]
    columns: dict[int, FloatVector] = {}
    start = len(model.signature.features)
    for counts in model.signature.counts:
        end = start + counts.width
        if counts.feature in names:
            columns |= {column: X[:, column] for column in range(start, end)}
        start = end
    return columns


def _steps(model: ServedModel, baseline: Baseline | None) -> FloatVector:
    """Return the step of each score, [C]; 0 for one that is not rounded."""
    target = model.signature.target
    steps = [np.full(part.width, _step(part)) for part in target.parts or (target,)]
    found = np.concatenate(steps)
    for one in watched_scores(target):
        if baseline is not None and not found[one.first] and one.last - one.first == 1:
            edges = baseline.scores[one.name].ruler.edges
            found[one.first] = (edges[-1] - edges[0]) / STEPS if edges else 0.0
    return found


def _step(target: Target) -> float:
    return 1 / STEPS if target.scores == "probability" else 0.0
