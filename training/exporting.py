"""A fitted pipeline, to a model package that has proven itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from sklambda.codec import Codec
from sklambda.package import Facts, GoldenRow, MetricInterval, ModelPackage, ParityReport
from sklambda.session import Session
from sklambda.signature import Feature, Kind, Scalar, Signature, Target
from training.adversary import Case, adversarial, real
from training.blame import guilty_step
from training.boundaries import boundaries
from training.convert import convert
from training.convert.scope import Estimator
from training.convert.vocabulary import Vocabulary
from training.errors import ConversionRefused, DataError
from training.frames import ClientRow, client_rows, feature_of, kinds_of, reference_frame
from training.parity import Candidate, Reference, accepts_unseen, nullable, prove

type Progress = Callable[[str, int, int], None]

_LIBRARIES: Final = ("numpy", "onnx", "onnxruntime", "pandas", "scikit-learn", "scipy")
_GOLDEN_DATA: Final = 32
_GOLDEN_EDGES: Final = 32
_SEED: Final = 0


@dataclass(frozen=True, slots=True)
class Record:
    """What a training run knows beyond the pipeline and its frame.

    Attributes
    ----------
    metrics : mapping of str to MetricInterval
        Metrics on held-out rows.
    gates : mapping of str to float
        The least value of each metric that had to be reached.
    data_digest, code_digest : str or None
        SHA-256 of the data, and of the code that made the pipeline.
    row_id : str or None
        A column of the source that clients may send along.
    holdout : DataFrame or None
        Further rows of features to prove the conversion on.
    """

    metrics: Mapping[str, MetricInterval] = field(default_factory=dict)
    gates: Mapping[str, float] = field(default_factory=dict)
    data_digest: str | None = None
    code_digest: str | None = None
    row_id: str | None = None
    holdout: pd.DataFrame | None = None


def _silent(stage: str, done: int, total: int) -> None:
    """Tell nobody."""


def export(
    pipeline: Estimator,
    frame: pd.DataFrame,
    *,
    out: Path | str,
    name: str,
    target: str | None = None,
    record: Record | None = None,
    progress: Progress = _silent,
) -> ModelPackage:
    """Convert a fitted pipeline, prove the conversion, and write a model package.

    Parameters
    ----------
    pipeline : estimator
        A fitted scikit-learn classifier, or a pipeline that ends in one.
    frame : DataFrame
        Shape [N, K]: the rows that it was fitted on, as it was given them. They say how values are
        written, which categories there are, and what is typical.
    out : path
        Directory of the package; a package that stands there is replaced, once this one is proven.
    name : str
        The model's name.
    target : str, optional
        The target's column; may stand in `frame`.
    record : Record, optional
        What goes into the manifest beside that.
    progress : callable, optional
        Told the stage ("convert", "prove", "write"), how much is done, and of how much.

    Returns
    -------
    ModelPackage
        The package as it was written, read back and checked.

    Raises
    ------
    DataError
        The frame is no frame of features that a client could send.
    ConversionRefused
        A step has no exact conversion, or the graph does not answer as scikit-learn does.
    sklambda.errors.PackageRefused
        Something that is no model package stands at `out`.
    """
    record = record or Record()
    _check_classifier(pipeline)
    features = _features_frame(pipeline, frame, target)
    draft = _Draft(pipeline, features, kinds_of(features))
    progress("convert", 0, 1)
    model, signature = draft.convert(target, record.row_id)
    progress("convert", 1, 1)
    cases = draft.cases(model, signature, record.holdout)
    parity = draft.prove(model, signature, cases, lambda *done: progress("prove", *done))
    progress("write", 0, 1)
    package = ModelPackage.write(
        Path(out), model, signature, draft.golden(cases), _facts(name, record, parity)
    )
    progress("write", 1, 1)
    return package


@dataclass(frozen=True, slots=True)
class _Draft:
    """A pipeline on its way to a package."""

    pipeline: Estimator
    frame: pd.DataFrame
    kinds: Mapping[str, Kind]

    @property
    def reference(self) -> Reference:
        return Reference(self.pipeline, lambda rows: reference_frame(rows, self.frame, self.kinds))

    def vocabularies(self) -> list[Vocabulary | None]:
        return [
            Vocabulary(sorted(self.frame[name].dropna().unique())) if kind == "category" else None
            for name, kind in self.kinds.items()
        ]

    def convert(self, target: str | None, row_id: str | None) -> tuple[bytes, Signature]:
        vocabularies = self.vocabularies()
        model = convert(self.pipeline, vocabularies)
        rows = client_rows(self.frame.head(1), self.kinds)
        features = [
            self._feature(name, rows, vocabulary)
            for name, vocabulary in zip(self.kinds, vocabularies, strict=True)
        ]
        classes = tuple(self.pipeline.classes_.tolist())
        task = "binary" if len(classes) == 2 else "multiclass"
        answer = Target(name=target, task=task, classes=classes)
        return model, Signature(features=tuple(features), target=answer, row_id=row_id)

    def _feature(
        self, name: str, rows: Sequence[ClientRow], vocabulary: Vocabulary | None
    ) -> Feature:
        return feature_of(
            self.frame[name],
            self.kinds[name],
            nullable=nullable(self.reference, rows, name),
            accepts_unseen=vocabulary is not None and accepts_unseen(self.reference, rows, name),
            vocabulary=() if vocabulary is None else vocabulary.categories,
        )

    def cases(self, model: bytes, signature: Signature, holdout: pd.DataFrame | None) -> list[Case]:
        rows = client_rows(self.frame, self.kinds)
        more = [] if holdout is None else client_rows(holdout, self.kinds)
        base = Codec(signature).encode([signature.example])[0]
        numeric = [
            place for place, kind in enumerate(self.kinds.values()) if kind in ("number", "integer")
        ]
        names = list(self.kinds)
        limits = {
            names[place]: values for place, values in boundaries(model, base, numeric).items()
        }
        return [
            *real("training", rows),
            *real("held-out", more),
            *adversarial(rows, self.kinds, limits, _SEED),
        ]

    def prove(
        self,
        model: bytes,
        signature: Signature,
        cases: Sequence[Case],
        progress: Callable[[int, int], None],
    ) -> ParityReport:
        codec, reference = Codec(signature), self.reference
        candidate = Candidate(signature, codec, Session(model))

        def guilty(row: ClientRow) -> str:
            return guilty_step(
                self.pipeline,
                lambda part: convert(part, self.vocabularies()),
                reference.frame([row]),
                codec.encode([row]),
            )

        return prove(reference, candidate, cases, guilty=guilty, progress=progress)

    def golden(self, cases: Sequence[Case]) -> list[GoldenRow]:
        chosen = _choose(cases)
        answers = self.reference.answers([case.row for case in chosen])
        labels: list[Scalar] = self.pipeline.classes_.tolist()
        return [
            GoldenRow(
                name=case.name, row=case.row, scores=tuple(scores.tolist()), label=labels[label]
            )
            for case, scores, label in zip(chosen, answers.scores, answers.labels, strict=True)
            if label >= 0
        ]


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


def _check_classifier(pipeline: Estimator) -> None:
    kind = type(pipeline).__name__
    try:
        check_is_fitted(pipeline)
    except (NotFittedError, TypeError) as error:
        raise ConversionRefused("", f"{kind} is no fitted scikit-learn estimator") from error
    classes = getattr(pipeline, "classes_", None)
    if not hasattr(pipeline, "predict_proba") or not isinstance(classes, np.ndarray):
        raise ConversionRefused("", f"{kind} is not a classifier that gives probabilities")


def _features_frame(pipeline: Estimator, frame: pd.DataFrame, target: str | None) -> pd.DataFrame:
    features = frame.drop(columns=[target], errors="ignore") if target else frame
    names = getattr(pipeline, "feature_names_in_", features.columns)
    absent = [name for name in names if name not in features.columns]
    if absent:
        raise DataError(f"the pipeline was fitted on column {absent[0]!r}; the frame has none")
    if features.empty:
        raise DataError("the frame has no rows")
    return features[list(names)].reset_index(drop=True)


def _facts(name: str, record: Record, parity: ParityReport) -> Facts:
    return Facts(
        name=name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        libraries={library: version(library) for library in _LIBRARIES},
        parity=parity,
        metrics=record.metrics,
        gates=record.gates,
        data_digest=record.data_digest,
        code_digest=record.code_digest,
    )
