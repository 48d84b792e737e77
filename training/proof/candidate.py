"""A fitted pipeline on its way to a package: its graph, its signature, and their proof."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd

from sklambda.arrays import FloatVector
from sklambda.codec.codec import Codec
from sklambda.manifest import GoldenRow, ParityReport
from sklambda.session import Session
from sklambda.signature import Feature, Kind, Signature, Target, TermCounts
from training.convert import CONVERTERS, convert, convert_steps
from training.convert.families.text import as_taken
from training.convert.graph.scope import Convert, Estimator
from training.convert.graph.vocabulary import Vocabulary
from training.errors import ConversionRefused
from training.frames import ClientRow, client_rows, feature_of, reference_frame
from training.proof.acceptance import accepts_unseen, bounds_accepted, choices_accepted, nullable
from training.proof.adversary import NUMERIC, Case, adversarial, real
from training.proof.as_given import require_as_given
from training.proof.blame import guilty_step
from training.proof.boundaries import boundaries
from training.proof.equality import Equality
from training.proof.golden import golden
from training.proof.parity import Candidate, prove
from training.proof.reference import Given, Reference
from training.targets import target_of

_SEED: Final = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """A fitted pipeline on its way to a package.

    Attributes
    ----------
    pipeline : estimator
        A fitted classifier or regressor.
    frame : DataFrame
        Shape [N, K]: the features that it was fitted on.
    kinds : mapping of str to kind
        How each feature is written.
    converters : mapping of type to Convert
        The estimators that can be converted.
    """

    pipeline: Estimator
    frame: pd.DataFrame
    kinds: Mapping[str, Kind]
    converters: Mapping[type, Convert] = field(default_factory=lambda: CONVERTERS)

    def reference(self, target: Target) -> Reference:
        """Give scikit-learn's side, which answers what the target says."""
        return Reference(self.pipeline, self._reference_frame, target)

    def convert(
        self, targets: Sequence[str] = (), row_id: str | None = None
    ) -> tuple[bytes, Signature]:
        """Convert; gives the graph and the signature, or raises `ConversionRefused`."""
        vocabularies = self._vocabularies()
        converted = convert(self.pipeline, vocabularies, self.converters)
        target = target_of(self.pipeline, converted.outputs, targets)
        reference = self.reference(target)
        rows = client_rows(self.frame.head(1), self.kinds)
        features = [
            self._feature(name, reference, rows, vocabulary)
            for name, vocabulary in zip(self.kinds, vocabularies, strict=True)
        ]
        counts = tuple(self._counts(vocabularies))
        signature = Signature(features=tuple(features), target=target, row_id=row_id, counts=counts)
        return converted.model, signature

    def _reference_frame(self, rows: Sequence[ClientRow]) -> Given:
        return as_taken(self.pipeline, reference_frame(rows, self.frame, self.kinds))

    def _counts(self, vocabularies: Sequence[Vocabulary | None]) -> list[TermCounts]:
        """List what is counted in texts, in the order of its columns."""
        found = {
            first: TermCounts(feature=name, analyzer=analyzer, terms=terms)
            for name, vocabulary in zip(self.kinds, vocabularies, strict=True)
            if vocabulary is not None
            for (analyzer, terms), first in vocabulary.counts.items()
        }
        return [found[first] for first in sorted(found)]

    def cases(
        self, model: bytes, signature: Signature, holdout: pd.DataFrame | None = None
    ) -> list[Case]:
        """Choose the rows of the proof: all real ones, and those that real data lacks."""
        rows = client_rows(self.frame, self.kinds)
        more = [] if holdout is None else client_rows(holdout, self.kinds)
        return [
            *real("training", rows),
            *real("held-out", more),
            *adversarial(rows, signature.kinds, self._limits(model, signature), _SEED),
        ]

    def prove(
        self,
        model: bytes,
        signature: Signature,
        cases: Sequence[Case],
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> ParityReport:
        """Compare the graph with scikit-learn on the cases; raises `ParityFailed`."""
        codec, reference = Codec(signature), self.reference(signature.target)
        equality = Equality(reference, model, signature, self.frame)
        require_as_given(reference, equality, self.frame, client_rows(self.frame, self.kinds))

        def guilty(row: ClientRow) -> str:
            return guilty_step(
                self.pipeline,
                lambda part: convert_steps(part, self._vocabularies(), self.converters),
                reference.frame([row]),
                codec.encode([row]),
            )

        candidate = Candidate(signature, codec, Session(model))
        return prove(reference, candidate, cases, equality, guilty=guilty, progress=progress)

    def golden(self, model: bytes, signature: Signature, cases: Sequence[Case]) -> list[GoldenRow]:
        """Keep some cases for good, with scikit-learn's own answers where they are finite."""
        reference = self.reference(signature.target)
        equality = Equality(reference, model, signature, self.frame)
        return golden(reference, equality, cases)

    def _vocabularies(self) -> list[Vocabulary | None]:
        return [
            Vocabulary(sorted(self.frame[name].dropna().unique())) if kind == "category" else None
            for name, kind in self.kinds.items()
        ]

    def _feature(
        self,
        name: str,
        reference: Reference,
        rows: Sequence[ClientRow],
        vocabulary: Vocabulary | None,
    ) -> Feature:
        column, kind = self.frame[name], self.kinds[name]
        # scikit-learn takes a missing date for a number, and says nothing.
        null = kind != "datetime" and nullable(reference, rows, name)
        if vocabulary is None:
            accepted = self._accepted(name, reference, rows)
            return feature_of(column, kind, nullable=null, accepts_unseen=False, **accepted)
        if vocabulary.is_torn:
            raise ConversionRefused("", f"column {name!r} is both a category and a text")
        if vocabulary.counts:
            return feature_of(column, "text", nullable=null, accepts_unseen=False)
        known = vocabulary.categories
        unseen = accepts_unseen(reference, rows, name, known)
        return feature_of(
            column, "category", nullable=null, accepts_unseen=unseen, vocabulary=known
        )

    def _accepted(
        self, name: str, reference: Reference, rows: Sequence[ClientRow]
    ) -> dict[str, object]:
        """Find the numbers that the pipeline accepts, as members of a feature."""
        kind = self.kinds[name]
        if kind not in NUMERIC:
            return {}
        present = self.frame[name].dropna().astype("float64")
        choices = choices_accepted(reference, rows, name, kind, np.unique(present))
        if choices:
            usual = present[present.isin(choices)].mode().iloc[0]
            return {"choices": choices, "example": int(usual) if kind == "integer" else usual}
        least, greatest = bounds_accepted(reference, rows, name, kind)
        return {"least": least, "greatest": greatest}

    def _limits(self, model: bytes, signature: Signature) -> dict[str, FloatVector]:
        base = Codec(signature).encode([signature.example])[0]
        names = list(self.kinds)
        counted = (*NUMERIC, "datetime")
        numeric = [place for place, kind in enumerate(self.kinds.values()) if kind in counted]
        found = boundaries(model, base, numeric)
        return {
            names[place]: _within(signature.features[place], values)
            for place, values in found.items()
        }


def _within(feature: Feature, values: FloatVector) -> FloatVector:
    least = -np.inf if feature.least is None else feature.least
    greatest = np.inf if feature.greatest is None else feature.greatest
    return values[(values >= least) & (values <= greatest)]
