"""The output of a part, column by column, as `sklambda.decision.to_predictions` row by row."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sklambda.arrays import FloatMatrix
from sklambda.codec.row_warnings import CheckedRows, RowWarning
from sklambda.decision import label_positions
from sklambda.signature import Signature, Target

if TYPE_CHECKING:
    from sklambda.explain.explainer import Explanation

type Explanations = Iterable[Sequence["Explanation"]]
"""Those of each row, in order; a generator saves the memory of all of them."""

type _Member = tuple[tuple[str, ...], NDArray[Any]]

_SINGULAR: Final = {"probabilities": "probability", "values": "value"}
_TYPES: Final = {"b": "BOOLEAN", "i": "BIGINT", "u": "UBIGINT", "f": "DOUBLE"}


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """One column of the output.

    Attributes
    ----------
    name : str
        Its name in a table.
    path : tuple of str
        The path of its values in a prediction of ``/predict``.
    type : str
        DuckDB's type of its values; the same for all scores.
    values : array or str
        Shape [N]; or one value for all rows.
    """

    name: str
    path: tuple[str, ...]
    type: str
    values: NDArray[Any] | str


def prediction_columns(target: Target, scores: FloatMatrix) -> Iterator[OutputColumn]:
    """Yield the columns of labels, scores, probabilities and values; `scores` is [N, C]."""
    start = 0
    for part in target.parts or (target,):
        within = (str(part.name),) if target.parts else ()
        for (member, *rest), values in _members(part, scores[:, start : start + part.width]):
            end = () if len(part.outputs) == 1 else rest
            name = "_".join((_SINGULAR.get(member, member), *within, *end))
            path = (("targets", *within) if within else ()) + (member, *rest)
            yield OutputColumn(name, path, _TYPES.get(values.dtype.kind, "VARCHAR"), values)
        start += part.width


def _members(target: Target, scores: FloatMatrix) -> Iterator[_Member]:
    """Yield path and values of the members of a `Prediction` that apply."""
    if not target.classes:
        for name, values in zip(target.outputs, scores.T, strict=True):
            yield ("values", name), values
        return
    labels = label_positions(target, scores)[:, 0]
    scores = scores[:, : target.shown]
    yield ("label",), _classes(target)[labels]
    if target.scores == "label":
        return
    of_label, of_each = target.task != "binary" and target.shown > 1, [*scores.T]
    yield ("score",), scores[np.arange(len(scores)), labels] if of_label else of_each[-1]
    if target.scores == "probability":
        for name, values in zip(target.class_names, of_each, strict=True):
            yield ("probabilities", name), values


def _classes(target: Target) -> NDArray[Any]:
    classes = np.array(target.classes)
    # DuckDB reads strings from objects; indexing this array repeats one object per class.
    return classes if classes.dtype.kind in _TYPES else np.array(target.class_names, dtype=object)


def warning_column(checked: CheckedRows, *, as_json: bool) -> OutputColumn:
    """Return the column of row warnings."""
    serialize, type_ = (_json_warnings, "JSON") if as_json else (_text_warnings, "VARCHAR")
    texts = [serialize(warnings) for warnings in checked.lists]
    values = np.array(texts, dtype=object)[checked.places] if len(texts) > 1 else texts[0]
    return OutputColumn("warnings", ("warnings",), type_, values)


def _text_warnings(warnings: Sequence[RowWarning]) -> str:
    return ";".join(f"{warning.feature}:{warning.code}" for warning in warnings)


def _json_warnings(warnings: Sequence[RowWarning]) -> str:
    return json.dumps([asdict(warning) for warning in warnings], ensure_ascii=False)


def explanation_columns(
    signature: Signature, rows: int, explanations: Explanations
) -> Iterator[OutputColumn]:
    """Yield the columns of base values, of contributions, and of the scale of both."""
    suffixes = _explained_suffixes(signature.target)
    numbers = np.empty((rows, len(suffixes), 1 + len(signature.features)))
    scales = np.empty((rows, len(suffixes)), dtype=object)
    for row, each in enumerate(explanations):
        numbers[row] = [[one.base, *one.contributions.values()] for one in each]
        scales[row] = [one.scale for one in each]
    for place, suffix in enumerate(suffixes):
        base, *contributions = numbers[:, place].T
        yield _flat(f"scale{suffix}", "VARCHAR", scales[:, place])
        yield _flat(f"base_value{suffix}", "DOUBLE", base)
        for name, values in zip(signature.names, contributions, strict=True):
            yield _flat(f"contribution{suffix}_{name}", "DOUBLE", values)


def _flat(name: str, type_: str, values: NDArray[Any]) -> OutputColumn:
    return OutputColumn(name, (name,), type_, values)


def _explained_suffixes(target: Target) -> list[str]:
    """Return a suffix for each target or output, in the order of `Explainer.explain`."""
    if target.parts:
        return [f"_{part.name}" for part in target.parts]
    return [f"_{name}" for name in target.outputs] if len(target.outputs) > 1 else [""]


def json_explanation_column(explanations: Explanations) -> OutputColumn:
    """Return the column of explanations as ``/predict`` returns them."""
    texts = [_json_explanations(row) for row in explanations]
    return OutputColumn("explanations", ("explanations",), "JSON", np.array(texts, dtype=object))


def _json_explanations(row: Sequence["Explanation"]) -> str:
    return json.dumps([_finite(asdict(each)) for each in row], ensure_ascii=False)


def _finite(value: Any) -> Any:
    """Replace what is not finite by null, for JSON has no infinity."""
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    return None if isinstance(value, float) and not isfinite(value) else value
