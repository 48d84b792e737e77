"""A fitted pipeline on its way to a package: its graph, its signature, and their proof."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd

from sklambda.arrays import FloatVector
from sklambda.codec import Codec
from sklambda.manifest import GoldenRow, ParityReport
from sklambda.session import Session
from sklambda.signature import Feature, Kind, Signature, Target
from training.adversary import Case, adversarial, real
from training.blame import guilty_step
from training.boundaries import boundaries
from training.convert import CONVERTERS, Converted, convert
from training.convert.scope import Convert, Estimator
from training.convert.vocabulary import Vocabulary
from training.errors import ConversionRefused
from training.frames import ClientRow, client_rows, feature_of, reference_frame
from training.parity import (
    Candidate,
    Reference,
    accepts_unseen,
    greatest_accepted,
    nullable,
    prove,
)

_GOLDEN_DATA: Final = 32
_GOLDEN_EDGES: Final = 32
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
        return Reference(self.pipeline, self._reference_frame, target.scores, target.width)

    def convert(self, target: str | None, row_id: str | None) -> tuple[bytes, Signature]:
        """Convert; gives the graph and the signature, or raises `ConversionRefused`."""
        vocabularies = self._vocabularies()
        converted = convert(self.pipeline, vocabularies, self.converters)
        answer = target_of(self.pipeline, converted, target)
        reference = self.reference(answer)
        rows = client_rows(self.frame.head(1), self.kinds)
        features = [
            self._feature(name, reference, rows, vocabulary)
            for name, vocabulary in zip(self.kinds, vocabularies, strict=True)
        ]
        signature = Signature(features=tuple(features), target=answer, row_id=row_id)
        return converted.model, signature

    def _reference_frame(self, rows: Sequence[ClientRow]) -> pd.DataFrame:
        return reference_frame(rows, self.frame, self.kinds)

    def cases(
        self, model: bytes, signature: Signature, holdout: pd.DataFrame | None = None
    ) -> list[Case]:
        """Choose the rows of the proof: all real ones, and those that real data lacks."""
        rows = client_rows(self.frame, self.kinds)
        more = [] if holdout is None else client_rows(holdout, self.kinds)
        return [
            *real("training", rows),
            *real("held-out", more),
            *adversarial(rows, self.kinds, self._limits(model, signature), _SEED),
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

        def guilty(row: ClientRow) -> str:
            return guilty_step(
                self.pipeline,
                lambda part: convert(part, self._vocabularies(), self.converters).model,
                reference.frame([row]),
                codec.encode([row]),
            )

        candidate = Candidate(signature, codec, Session(model))
        return prove(reference, candidate, cases, guilty=guilty, progress=progress)

    def golden(self, cases: Sequence[Case], target: Target) -> list[GoldenRow]:
        """Keep some cases for good, with scikit-learn's own answers where they are finite."""
        chosen = _choose(cases)
        answers = self.reference(target).answers([case.row for case in chosen])
        labels = target.classes or (None,)
        return [
            GoldenRow(
                name=case.name, row=case.row, scores=tuple(scores.tolist()), label=labels[label]
            )
            for case, scores, label in zip(chosen, answers.scores, answers.labels, strict=True)
            if label >= 0 and np.isfinite(scores).all()
        ]

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
        categories = () if vocabulary is None else vocabulary.categories
        return feature_of(
            self.frame[name],
            self.kinds[name],
            nullable=nullable(reference, rows, name),
            accepts_unseen=vocabulary is not None
            and accepts_unseen(reference, rows, name, categories),
            greatest=greatest_accepted(reference, rows, name)
            if self.kinds[name] == "number"
            else None,
            vocabulary=categories,
        )

    def _limits(self, model: bytes, signature: Signature) -> dict[str, FloatVector]:
        base = Codec(signature).encode([signature.example])[0]
        names = list(self.kinds)
        numeric = [
            place for place, kind in enumerate(self.kinds.values()) if kind in ("number", "integer")
        ]
        found = boundaries(model, base, numeric)
        greatest = [feature.greatest or np.inf for feature in signature.features]
        return {
            names[place]: values[np.abs(values) <= greatest[place]]
            for place, values in found.items()
        }


def target_of(pipeline: Estimator, converted: Converted, name: str | None) -> Target:
    """Describe what a converted estimator answers; `name` is the target's column."""
    if converted.scores is None:
        raise ConversionRefused("", f"{type(pipeline).__name__} predicts nothing")
    if converted.scores == "value":
        outputs: tuple[str, ...] = (name or "value",)
        if converted.width > 1:
            outputs = tuple(f"{outputs[0]}_{place}" for place in range(converted.width))
        return Target(name=name, task="regression", scores="value", outputs=outputs)
    classes = tuple(pipeline.classes_.tolist())
    return Target(
        name=name,
        task="binary" if len(classes) == 2 else "multiclass",
        scores=converted.scores,
        classes=classes,
        threshold=converted.threshold,
    )


def _choose(cases: Sequence[Case]) -> list[Case]:
    """Pick real rows and edge cases for good, the same ones for the same cases."""
    generator = np.random.default_rng(_SEED)
    edges = [case for case in cases if case.group != "data"]
    real_rows = [case for case in cases if case.group == "data"]
    chosen = []
    for pool, count in ((real_rows, _GOLDEN_DATA), (edges, _GOLDEN_EDGES)):
        places = generator.choice(len(pool), min(count, len(pool)), replace=False)
        chosen += [pool[place] for place in sorted(places)]
    return chosen
