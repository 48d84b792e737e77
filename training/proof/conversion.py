"""The conversion of a fitted pipeline: its graph, its signature, their proof."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from sklambda.arrays import Flags, FloatMatrix, FloatVector, IntVector
from sklambda.codec.codec import Codec
from sklambda.decision import TOLERANCE
from sklambda.manifest import ParityReport
from sklambda.session import Session
from sklambda.signature import Feature, Kind, Signature, Target, TermCounts
from training.convert import CONVERTERS, convert, convert_steps
from training.convert.families.compose import predicting
from training.convert.families.text import pipeline_input
from training.convert.graph.scope import Converters, Estimator, Follow
from training.convert.graph.vocabulary import Vocabulary
from training.convert.tracing import user_code
from training.convert.unconverted import qualified
from training.errors import ConversionRefused
from training.frames import ClientRow, FrameMaker, client_rows, feature_of
from training.proof.adversary import FULL, NUMERIC, STRINGS, Budget, Case, adversarial, real
from training.proof.boundaries import boundaries
from training.proof.equality import Equality
from training.proof.parity import Candidate, prove, require_same_as_json
from training.proof.probing import (
    Trial,
    accepts,
    accepts_any,
    bounds_accepted,
    choices_accepted,
    gaps_accepted,
    probe,
    unseen,
)
from training.proof.reference import MakeFrame, Reference
from training.proof.sampling import Samples, sample_rows
from training.proof.surface import near_ties
from training.targets import target_of

_SEED: Final = 0
_IN_ROUNDS: Final = "sklearn.impute.IterativeImputer"
_COPIES: Final = 16


@dataclass(frozen=True)
class Conversion:
    """The conversion of a fitted pipeline.

    Attributes
    ----------
    pipeline : estimator
        A fitted classifier or regressor.
    frame : DataFrame
        Shape [N, K]: the columns that it was fitted on.
    kinds : mapping of str to kind
        The kind of each feature, in the order of the columns; the other columns are never read.
    converters : mapping of type or str to Convert
        The estimators that can be converted.
    """

    pipeline: Estimator
    frame: pd.DataFrame
    kinds: Mapping[str, Kind]
    converters: Converters = field(default_factory=lambda: CONVERTERS)
    _limited: set[str] = field(default_factory=set, init=False, repr=False, compare=False)
    """Columns whose values the conversion limits to those of training, missing ones excluded."""

    @cached_property
    def _rows(self) -> list[ClientRow]:
        """The rows of the frame as clients send them."""
        return client_rows(self.frame, self.kinds)

    def reference(self, target: Target) -> Reference:
        """Return scikit-learn's side, with the scores and labels of the target."""
        return Reference(self.pipeline, self._make_frame(), target)

    def convert(
        self, targets: Sequence[str] = (), row_id: str | None = None
    ) -> tuple[bytes, Signature]:
        """Return the graph and the signature; raise `ConversionRefused`."""
        vocabularies = self._vocabularies()
        converted = convert(
            self.pipeline,
            vocabularies,
            self.converters,
            self._unread,
            self._user_code(),
            self._columns,
        )
        self._limited.update(self._columns[place] for place in converted.present | converted.known)
        target = target_of(self.pipeline, converted.outputs, targets)
        reference = self.reference(target)
        known = dict(zip(self._columns, vocabularies, strict=True))
        base = self._base_rows(reference)
        infinite = {self._columns[place]: found for place, found in converted.infinite.items()}
        present = {self._columns[place] for place in converted.present}
        trials = {
            name: self._trial(name, base, known[name], infinite.get(name, ()), name in present)
            for name in self.kinds
        }
        accepted = probe(reference, base, trials)
        for name in {self._columns[place] for place in converted.known}:
            accepted[name] = accepted[name] | self._own_numbers(name)
        features = [self._feature(name, accepted[name], known[name]) for name in self.kinds]
        sent = {*self.kinds, row_id}
        signature = Signature(
            features=tuple(features),
            target=target,
            row_id=row_id,
            counts=tuple(self._counts(vocabularies)),
            partial=converted.is_partial,
            ignored=tuple(name for name in self._columns if name not in sent),
        )
        return converted.model, signature

    def _base_rows(self, reference: Reference) -> list[ClientRow]:
        """Return the rows on which numbers are tried, one at a time.

        Imputing in rounds reads a number only where others are missing: the second row has none.
        """
        rows = client_rows(self.frame.head(1), self.kinds)
        if not _imputes_in_rounds(self.pipeline):
            return rows
        trials = {name: accepts(None) for name in self.kinds if self.kinds[name] != "datetime"}
        able = [name for name, yes in probe(reference, rows, trials).items() if yes]
        return [*rows, rows[0] | dict.fromkeys(able)]

    @property
    def _columns(self) -> list[str]:
        return [str(name) for name in self.frame.columns]

    @property
    def _unread(self) -> list[int]:
        return [place for place, name in enumerate(self._columns) if name not in self.kinds]

    def _user_code(self) -> Follow:
        counted = [name for name, kind in self.kinds.items() if kind == "integer"]
        whole = [name for name in counted if not self.frame[name].hasnans]
        rows = partial(sample_rows, self._rows, self.kinds)
        return user_code(Samples(self.pipeline, rows, self._make_frame(), whole).of)

    def _make_frame(self) -> MakeFrame:
        frame_of = FrameMaker(self.frame, self.kinds)
        return lambda rows: pipeline_input(self.pipeline, frame_of(rows))

    def _counts(self, vocabularies: Sequence[Vocabulary | None]) -> list[TermCounts]:
        """Return the counted terms of texts, in the order of their columns."""
        found = {
            first: counts.replace(feature=name)
            for name, vocabulary in zip(self._columns, vocabularies, strict=True)
            if vocabulary is not None
            for first, counts in vocabulary.counts.items()
        }
        return [found[first] for first in sorted(found)]

    def cases(
        self,
        model: bytes,
        signature: Signature,
        held_out: pd.DataFrame | None = None,
        budget: Budget = FULL,
    ) -> list[Case]:
        """Return the rows of the proof: all real ones, and adversarial ones."""
        rows = self._rows
        more = [] if held_out is None else client_rows(held_out, self.kinds)
        return [
            *real("training", rows),
            *real("held-out", more),
            *adversarial(rows, signature.kinds, self._limits(model, signature), _SEED, budget),
            *near_ties(model, signature, rows, _SEED, budget.near_ties),
        ]

    def prove(
        self,
        model: bytes,
        signature: Signature,
        cases: Sequence[Case],
        progress: Callable[[int, int], None] = lambda done, total: None,
        equality: Equality | None = None,
    ) -> ParityReport:
        """Compare the graph with scikit-learn on the cases; raise `ParityFailed`."""
        codec, reference = Codec(signature), self.reference(signature.target)
        equality = equality or self.equality(model, signature)
        require_same_as_json(reference, equality, self.frame, self._rows)

        def name_step(row: ClientRow) -> tuple[str, str]:
            return blamed(
                self.pipeline,
                lambda part: convert_steps(
                    part,
                    self._vocabularies(),
                    self.converters,
                    self._unread,
                    self._user_code(),
                    self._columns,
                ),
                # Of several rows onnxruntime computes other last bits than of one.
                reference.frame([row] * _COPIES),
                codec.encode([row] * _COPIES),
                has_trees=b"TreeEnsemble" in model,
            )

        candidate = Candidate(signature, codec, model, self._closed(signature, reference))
        return prove(reference, candidate, cases, equality, name_step=name_step, progress=progress)

    def equality(self, model: bytes, signature: Signature) -> Equality:
        """Return what compares predictions; it loads the graph once for its bounds."""
        return Equality(self.reference(signature.target), model, signature, self.frame)

    def _vocabularies(self) -> list[Vocabulary | None]:
        return [
            Vocabulary(sorted(self.frame[name].dropna().unique()))
            if self.kinds.get(name) == "category"
            else None
            for name in self._columns
        ]

    def _feature(
        self, name: str, accepted: Mapping[str, Any], vocabulary: Vocabulary | None
    ) -> Feature:
        column, kind = self.frame[name], self.kinds[name]
        if vocabulary is None:
            return feature_of(column, kind, **accepted)
        if vocabulary.is_torn:
            raise ConversionRefused(
                "",
                f"column {name!r} is used both as a category and as a text: give one of the two "
                "steps a copy of the column under another name, in the frame",
            )
        if vocabulary.counts:
            return feature_of(column, "text", **accepted)
        if not accepted["accepts_unseen"]:
            _require_repeated(column, closed=vocabulary.is_closed)
        return feature_of(column, "category", vocabulary=vocabulary.categories, **accepted)

    def _trial(
        self,
        name: str,
        base: Sequence[ClientRow],
        vocabulary: Vocabulary | None,
        infinite: Sequence[float],
        is_present: bool,
    ) -> Trial[dict[str, Any]]:
        """Try values of a feature; return what is accepted, as members of it."""
        kind = self.kinds[name]
        # scikit-learn reads a missing date as a number, without an error.
        null = not is_present and kind != "datetime" and (yield from accepts(None))
        found: dict[str, Any] = {"nullable": null, "accepts_unseen": False}
        if vocabulary is not None:
            if not (vocabulary.counts or vocabulary.is_closed):
                found["accepts_unseen"] = yield from accepts(unseen(vocabulary.categories))
        elif kind in NUMERIC:
            found |= yield from self._numbers(name, [row[name] for row in base], infinite)
        return found

    def _own_numbers(self, name: str) -> dict[str, Any]:
        """Return the numbers of training as the only ones that are accepted."""
        present = self.frame[name].astype("float64")
        return {"choices": np.unique(present).tolist(), "example": int(present.mode().iloc[0])}

    def _numbers(
        self, name: str, own: Sequence[Any], infinite: Sequence[float]
    ) -> Trial[dict[str, object]]:
        kind = self.kinds[name]
        present = self.frame[name].dropna().astype("float64")
        choices = yield from choices_accepted(kind, np.unique(present))
        if choices:
            usual = present[present.isin(choices)].mode().iloc[0]
            return {"choices": choices, "example": int(usual) if kind == "integer" else usual}
        least, greatest = yield from bounds_accepted(kind, own)
        # Beside other values a number of training may give no score; beside its own it did.
        if least is not None and len(present):
            least = min(least, float(present.min()))
        if greatest is not None and len(present):
            greatest = max(greatest, float(present.max()))
        gaps = yield from gaps_accepted(kind, (least, greatest), infinite)
        return {"least": least, "greatest": greatest, "gaps": gaps}

    def _closed(self, signature: Signature, reference: Reference) -> frozenset[str]:
        """Return the features of which only scikit-learn accepts unseen categories.

        What the user's code makes of those is not known, nor of some whole numbers and texts.
        """
        trials = {
            feature.name: accepts_any(
                [
                    text
                    for text in (*STRINGS, unseen(feature.vocabulary))
                    if text not in feature.vocabulary
                ]
            )
            for feature in signature.features
            if feature.kind == "category" and not feature.accepts_unseen
        }
        found = probe(reference, client_rows(self.frame.head(1), self.kinds), trials)
        texts = {one.name for one in signature.features if signature.partial and one.kind == "text"}
        return frozenset({*self._limited, *texts, *(name for name, yes in found.items() if yes)})

    def _limits(self, model: bytes, signature: Signature) -> dict[str, FloatVector]:
        base = Codec(signature).encode([signature.example])[0]
        names = list(self.kinds)
        counted = (*NUMERIC, "datetime")
        numeric = [place for place, kind in enumerate(self.kinds.values()) if kind in counted]
        found = boundaries(model, base, numeric)
        return {
            names[place]: _within(
                signature.features[place],
                np.concatenate([values, np.ravel(signature.features[place].gaps)]),
            )
            for place, values in found.items()
        }


_FEW_ROWS: Final = 50
_DISTINCT: Final = 0.5


def _imputes_in_rounds(estimator: Estimator) -> bool:
    """Return whether other columns are read where one is missing, as they are not otherwise."""
    parts = estimator.get_params(deep=True).values() if hasattr(estimator, "get_params") else ()
    return any(qualified(part) == _IN_ROUNDS for part in (estimator, *parts))


def _require_repeated(column: "pd.Series[Any]", *, closed: bool) -> None:
    """Refuse a column whose next values would nearly all be refused, since none is known."""
    present = column.dropna()
    different = present.nunique()
    if len(present) < _FEW_ROWS or different <= _DISTINCT * len(present):
        return
    remedy = (
        "compute what the code makes of it before training, as a column of numbers or of few texts"
        if closed
        else "leave it out, or set handle_unknown='ignore' in its encoder"
    )
    raise ConversionRefused(
        "",
        f"column {column.name!r} has {different} different texts in {len(present)} rows, and the "
        f"pipeline refuses others: nearly every new row would be refused; {remedy}",
    )


def _within(feature: Feature, values: FloatVector) -> FloatVector:
    least = -np.inf if feature.least is None else feature.least
    greatest = np.inf if feature.greatest is None else feature.greatest
    return values[(values >= least) & (values <= greatest)]


type ConvertPart = Callable[[Estimator], bytes]


def blamed(
    pipeline: Estimator,
    convert: ConvertPart,
    frame: pd.DataFrame,
    X: FloatMatrix,
    *,
    has_trees: bool,
) -> tuple[str, str]:
    """Return the step that differs on a row, and what to do about it.

    Parameters are those of `differing_step`. Where all steps before trees agree within the
    tolerance, the first that differs in the last bit is the cause: a tree takes another branch.
    """
    step = differing_step(pipeline, convert, frame, X)
    if _is_around_xgboost(pipeline, step):
        return step, (
            ". What XGBoost answers is float32, and scikit-learn computes in float32 what it makes "
            "of it, in other last digits on other processors: use XGBoost alone, or LightGBM, "
            "CatBoost or HistGradientBoosting in its place"
        )
    if not has_trees or not isinstance(pipeline, Pipeline) or step != pipeline.steps[-1][0]:
        return step, ""
    inexact = differing_step(pipeline, convert, frame, X, tolerance=0.0)
    if inexact == step:
        return step, ""
    culprit = pipeline.named_steps[inexact.partition(" > ")[0]]
    return inexact, (
        f". The results of {qualified(culprit)} differ in the last bit between processors, and the "
        "trees behind it take another branch by it: give the trees the columns that the step was "
        "given, or put a model without trees behind it"
    )


def _is_around_xgboost(pipeline: Estimator, step: str) -> bool:
    """Return whether a step, or the estimator, holds XGBoost's and is none of them itself."""
    if isinstance(pipeline, Pipeline):
        if step != pipeline.steps[-1][0]:
            return False
        pipeline = pipeline.steps[-1][1]
    if hasattr(pipeline, "best_estimator_") or not hasattr(pipeline, "get_params"):
        return False
    held = pipeline.get_params().values()
    return any(type(each).__module__.startswith("xgboost.") for each in held)


def differing_step(
    pipeline: Estimator,
    convert: ConvertPart,
    frame: pd.DataFrame,
    X: FloatMatrix,
    tolerance: float = TOLERANCE,
) -> str:
    """Name the first step whose output differs from scikit-learn's.

    Parameters
    ----------
    pipeline : estimator
        The fitted pipeline.
    convert : callable
        Converts a part of it.
    frame, X
        The same row, as input of scikit-learn and of the graph.
    tolerance : float
        The greatest relative difference that is none.

    Returns
    -------
    str
        The step's place, as ``preprocess > numbers``; the last step where all before it agree.
    """
    if not isinstance(pipeline, Pipeline):
        return type(pipeline).__name__
    steps = predicting(pipeline)
    for count in range(1, len(steps)):
        part = Pipeline(steps[:count])
        name, step = part.steps[-1]
        session = Session(convert(part))
        # The columns of terms that a later step counts come after the columns of this part.
        found = session.run(X[:, : session.width])
        differs = _differs(part.transform(frame), found, tolerance)
        if differs.any():
            return " > ".join([name, *_inner(step, np.flatnonzero(differs))])
    return steps[-1][0]


def _differs(expected: Estimator, found: FloatMatrix, tolerance: float) -> Flags:
    dense = np.asarray(expected.toarray() if hasattr(expected, "toarray") else expected)
    if dense.dtype == object:  # categories still: the graph holds their codes
        return np.zeros(found.shape[1], dtype=bool)
    apart = ~np.isclose(dense.astype(np.float64), found, rtol=tolerance, atol=0, equal_nan=True)
    differs: Flags = apart.any(axis=0)
    return differs


def _inner(step: Estimator, columns: IntVector) -> list[str]:
    if not isinstance(step, ColumnTransformer):
        return []
    places = step.output_indices_.items()
    return [name for name, place in places if place.start <= columns[0] < place.stop][:1]
