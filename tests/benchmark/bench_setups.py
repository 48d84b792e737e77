"""Set-ups as people write them, here and in the standard converter: exact, wrong or refused.

Usage: python -m tests.benchmark.bench_setups [PART OF A TITLE ...], which prints the tables of
docs/benchmarks.md, of all set-ups or of those alone whose titles have one of the parts.
"""

import re
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from sklearn.base import is_classifier, is_regressor
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from threadpoolctl import threadpool_limits

import training
from sklambda.decision import Prediction, score_differences
from sklambda.errors import RowsInvalid
from sklambda.predictor import Predictor
from sklambda.session import InferenceSession, SessionOptions
from tests.benchmark.setups import classifiers, others, regressors
from tests.benchmark.setups.setup import SETUPS, Fitted
from training.errors import TrainingError
from training.frames import client_rows

NEAR: Final = 1e-5
"""The greatest difference of a score that is exact here: absolute up to 1, relative above."""

OPSETS: Final = {"": 22, "ai.onnx.ml": 3}
"""The newest that all its converters know."""

FILES: Final = (classifiers, regressors, others)
"""The files of set-ups, which are added as these are imported."""

KINDS: Final = ("exact", "wrong", "needs another library", "refused", "crashed")

type Kind = Literal["exact", "wrong", "refused", "crashed", "needs another library"]


@dataclass(frozen=True, slots=True)
class Answers:
    """What a pipeline answers for the held-out rows.

    Attributes
    ----------
    scores : array or None
        Shape [N, C]: probabilities, else decisions, else values; None where there are none.
    labels : array or None
        Shape [N, L]: the predicted classes, clusters or anomalies; None for values.
    """

    scores: NDArray[np.float64] | None
    labels: NDArray[Any] | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a converter makes of a set-up."""

    kind: Kind
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}" if self.detail else self.kind


def main(parts: Sequence[str] = ()) -> None:
    """Print the counts, and the set-ups of which the two make something else."""
    titles = [title for title in SETUPS if not parts or any(part in title for part in parts)]
    ours, stock = {}, {}
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for title in track(titles, "Converting", console=Console(stderr=True)):
            fitted = SETUPS[title]()
            expected = scikit_learn(fitted)
            ours[title], stock[title] = sklambda(fitted, expected), skl2onnx(fitted, expected)
    print("\n".join(tables(ours, stock)))


def tables(ours: dict[str, Outcome], stock: dict[str, Outcome]) -> Iterator[str]:
    """Write the tables of two sides, each by title."""
    counts = [Counter(one.kind for one in side.values()) for side in (ours, stock)]
    yield f"| {len(ours)} set-ups | " + " | ".join(KINDS) + " |"
    yield "|---" * (len(KINDS) + 1) + "|"
    for name, count in zip(("sklambda", "skl2onnx"), counts, strict=True):
        yield f"| {name} | " + " | ".join(str(count[kind]) for kind in KINDS) + " |"
    yield ""
    yield "| set-up | sklambda | skl2onnx |"
    yield "|---|---|---|"
    for title in ours:
        if ours[title].kind != stock[title].kind:
            yield f"| {title} | {ours[title]} | {stock[title]} |"


def scikit_learn(fitted: Fitted) -> Answers:
    """Return scikit-learn's own answers."""
    model, rows = fitted.pipeline, fitted.held_out
    method = next(
        (name for name in ("predict_proba", "decision_function") if hasattr(model, name)), None
    )
    labels = None if is_regressor(model) else _columns(model.predict(rows), len(rows))
    if method is None and labels is not None:
        return Answers(None, labels)
    return Answers(_flat(getattr(model, method or "predict")(rows), len(rows)), labels)


def sklambda(fitted: Fitted, expected: Answers) -> Outcome:
    """Export a pipeline, and compare the answers of its package."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "package")
        try:
            training.export(fitted.pipeline, fitted.learnt, out=path, name="m", time_limit=None)
        except TrainingError as error:
            return Outcome("refused", str(error).splitlines()[0])
        predictor = Predictor.open(path)
        target, kinds = predictor.package.signature.target, predictor.package.signature.kinds
        rows = client_rows(_frame(fitted.held_out), kinds)
        try:
            scores, predictions = predictor.score(rows), predictor.predict(rows)
        except RowsInvalid as error:
            return Outcome("wrong", f"refuses held-out rows: {error}")
    labels = (
        None
        if target.task == "regression"
        else _columns(list(map(_labels, predictions)), len(rows))
    )
    return compared(expected, Answers(scores, labels))


def _labels(prediction: Prediction) -> list[Any]:
    if prediction.targets is None:
        return [prediction.label]
    return [members["label"] for members in prediction.targets.values()]


def skl2onnx(fitted: Fitted, expected: Answers) -> Outcome:
    """Convert by skl2onnx, run in onnxruntime; of several inputs and options the best counts."""
    found = [
        _converted(fitted, expected, types, feeds, options)
        for types, feeds in _inputs(fitted)
        for options in _options(fitted.pipeline)
    ]
    return min(reversed(found), key=lambda outcome: KINDS.index(outcome.kind))


def _converted(
    fitted: Fitted,
    expected: Answers,
    types: Sequence[Any],
    feeds: dict[str, NDArray[Any]],
    options: dict[Any, Any],
) -> Outcome:
    import skl2onnx as stock

    rows = len(fitted.held_out)
    try:
        graph = stock.convert_sklearn(
            fitted.pipeline, initial_types=types, options=options, target_opset=OPSETS
        )
    except Exception as error:  # whatever it cannot convert
        if "lightgbm" in str(error) or "xgboost" in str(error):
            return Outcome("needs another library", "onnxmltools converts boosting")
        return Outcome("refused", _sentence(error))
    try:
        session = InferenceSession(graph.SerializeToString(), _silent())
        found = session.run(None, feeds)
    except Exception as error:  # onnxruntime has errors of its own
        return Outcome("crashed", _sentence(error))
    if expected.labels is None:
        return compared(expected, Answers(_flat(found[0], rows), None))
    scores = None if expected.scores is None else _flat(found[1], rows)
    return compared(expected, Answers(scores, _columns(found[0], rows)))


def _options(model: Any) -> Iterator[dict[Any, Any]]:
    """Yield options of a conversion: probabilities as a matrix, decisions as they are, or none."""
    texts = {kind: {"locale": "C"} for kind in (CountVectorizer, TfidfVectorizer)}
    if is_classifier(model):
        raw = {} if hasattr(model, "predict_proba") else {"raw_scores": True}
        yield {id(model): {"zipmap": False, **raw}, **texts}
        yield {id(model): raw, **texts}
    yield texts


def _silent() -> SessionOptions:
    options = SessionOptions()  # as its users have them
    options.log_severity_level = 4
    return options


def _inputs(fitted: Fitted) -> Iterator[tuple[list[Any], dict[str, NDArray[Any]]]]:
    """Yield types and values of inputs, as the documentation of skl2onnx has them.

    A column each, numbers with decimals as float32 and whole ones as int64; all as float32, which
    columns that are put together need; or one matrix, where there are numbers alone. A missing
    string is an empty one, or "nan".
    """
    from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType

    held_out = _frame(fitted.held_out)
    numeric = [name for name in held_out if pd.api.types.is_numeric_dtype(held_out[name])]
    gaps = held_out.drop(columns=numeric).isna().to_numpy().any()
    for whole, gap in product((Int64TensorType, FloatTensorType), ("", "nan") if gaps else ("",)):
        types: list[Any] = []
        feeds: dict[str, NDArray[Any]] = {}
        for name in held_out:
            column = held_out[name]
            if name not in numeric:
                kind, values = StringTensorType, column.astype(object).fillna(gap).to_numpy(object)
            elif column.dtype == np.int64 and whole is Int64TensorType:
                kind, values = Int64TensorType, column.to_numpy()
            else:
                kind, values = FloatTensorType, column.to_numpy(dtype=np.float32)
            types.append((name, kind([None, 1])))
            feeds[re.sub(r"\W", "_", str(name))] = values.reshape(-1, 1)
        yield types, feeds
    if len(numeric) == held_out.shape[1]:
        matrix = held_out.to_numpy(dtype=np.float32)
        yield [("X", FloatTensorType([None, matrix.shape[1]]))], {"X": matrix}


def _frame(rows: Any) -> pd.DataFrame:
    return rows.to_frame() if isinstance(rows, pd.Series) else rows


def compared(expected: Answers, found: Answers) -> Outcome:
    """Compare two answers for the same rows."""
    faults = []
    if expected.scores is not None and found.scores is not None:
        scores = found.scores
        if expected.scores.shape[1] == 1:  # a decision, of which some give the opposite too
            scores = scores[:, -1:]
        if scores.shape != expected.scores.shape:
            return Outcome("wrong", "other scores than scikit-learn's")
        apart = score_differences(expected.scores, scores).max(axis=1)
        far = ~(apart <= NEAR)
        if far.any():
            faults.append(
                f"scores of {far.sum()} of {len(far)} rows by up to {apart[far].max():.0e}"
            )
    if expected.labels is not None and found.labels is not None:
        other = (expected.labels != found.labels).any(axis=1)
        if other.any():
            faults.append(f"labels of {other.sum()} of {len(other)} rows")
    return Outcome("wrong", ", ".join(faults)) if faults else Outcome("exact")


def _columns(labels: Any, rows: int) -> NDArray[Any]:
    return np.asarray(labels).reshape(rows, -1).astype(object)


def _flat(scores: Any, rows: int) -> NDArray[np.float64]:
    """Return [N, C] of what may be [N], a matrix for each of several targets, or dictionaries."""
    if isinstance(scores, list) and isinstance(scores[0], dict):
        return np.array([list(row.values()) for row in scores], dtype=np.float64)
    if isinstance(scores, list) or np.ndim(scores) == 3:
        return np.hstack([np.asarray(each, dtype=np.float64) for each in scores])
    return np.asarray(scores, dtype=np.float64).reshape(rows, -1)


def _sentence(error: Exception) -> str:
    """Return the beginning of an error's message, to be read in a table."""
    text = re.sub(r"<class '[\w.]*?(\w+)'>", r"\1", " ".join(str(error).split())).replace("|", "/")
    short = text if len(text) <= _LONGEST else text[:_LONGEST].rsplit(" ", 1)[0] + " ..."
    return f"{type(error).__name__}: {short}"


_LONGEST: Final = 100


if __name__ == "__main__":
    main(sys.argv[1:])
