"""What is answered to the rows of a part, column by column: `sklambda.predictor.decide` at once."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sklambda.arrays import FloatMatrix
from sklambda.decision import choose
from sklambda.row_warnings import Caution, Lookout
from sklambda.signature import Signature, Target

if TYPE_CHECKING:
    from sklambda.explain.explainer import Explanation


_SINGULAR: Final = {"probabilities": "probability", "values": "value"}
_TYPES: Final = {"b": "BOOLEAN", "i": "BIGINT", "u": "UBIGINT", "f": "DOUBLE"}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the answer.

    Attributes
    ----------
    name : str
        What it is called in a table.
    path : tuple of str
        Where its values stand in a prediction of ``/predict``.
    type : str
        DuckDB's type of its values; the same whatever the scores.
    values : array or str
        Shape [N]; or the value of all rows.
    """

    name: str
    path: tuple[str, ...]
    type: str
    values: NDArray[Any] | str


def decided(target: Target, scores: FloatMatrix) -> Iterator[Column]:
    """Give the columns of labels, scores, probabilities and values; `scores` is [N, C]."""
    start = 0
    for part in target.parts or (target,):
        within = (str(part.name),) if target.parts else ()
        for (member, *rest), values in _members(part, scores[:, start : start + part.width]):
            end = () if len(part.outputs) == 1 else rest
            name = "_".join((_SINGULAR.get(member, member), *within, *end))
            path = (("targets", *within) if within else ()) + (member, *rest)
            yield Column(name, path, _TYPES.get(values.dtype.kind, "VARCHAR"), values)
        start += part.width


type _Member = tuple[tuple[str, ...], NDArray[Any]]


def _members(target: Target, scores: FloatMatrix) -> Iterator[_Member]:
    """Name and give the members of a `Prediction` that apply."""
    if not target.classes:
        for name, values in zip(target.outputs, scores.T, strict=True):
            yield ("values", name), values
        return
    chosen = choose(target, scores)[:, 0]
    yield ("label",), _labels(target)[chosen]
    if target.scores == "label":
        return
    of_label, of_each = target.task != "binary" and target.width > 1, [*scores.T]
    yield ("score",), scores[np.arange(len(scores)), chosen] if of_label else of_each[-1]
    if target.scores == "probability":
        for name, values in zip(target.class_names, of_each, strict=True):
            yield ("probabilities", name), values


def _labels(target: Target) -> NDArray[Any]:
    classes = np.array(target.classes)
    # DuckDB reads strings from objects, of which numpy makes each but once.
    return classes if classes.dtype.kind in _TYPES else np.array(target.class_names, dtype=object)


def warned(
    lookout: Lookout, X: FloatMatrix, coerced: Sequence[tuple[int, str]], *, as_json: bool
) -> Column:
    """Give the column that says what training knew little of."""
    places, distinct = lookout.look_at_many(X, coerced)
    spell, kind = (_json_warnings, "JSON") if as_json else (_text_warnings, "VARCHAR")
    texts = [spell(cautions) for cautions in distinct]
    values = np.array(texts, dtype=object)[places] if len(texts) > 1 else texts[0]
    return Column("warnings", ("warnings",), kind, values)


def _text_warnings(cautions: Sequence[Caution]) -> str:
    return ";".join(f"{caution.feature}:{caution.code}" for caution in cautions)


def _json_warnings(cautions: Sequence[Caution]) -> str:
    return json.dumps([asdict(caution) for caution in cautions], ensure_ascii=False)


type Explanations = Iterable[Sequence["Explanation"]]
"""Those of each row, in order; many, so that they are better made one by one."""


def explained(signature: Signature, rows: int, explanations: Explanations) -> Iterator[Column]:
    """Give the columns of base values, of contributions, and of the scale that both are on."""
    ends = _explained(signature.target)
    numbers = np.empty((rows, len(ends), 1 + len(signature.features)))
    scales = np.empty((rows, len(ends)), dtype=object)
    for row, each in enumerate(explanations):
        numbers[row] = [[one.base, *one.contributions.values()] for one in each]
        scales[row] = [one.scale for one in each]
    for place, end in enumerate(ends):
        base, *contributions = numbers[:, place].T
        yield _flat(f"scale{end}", "VARCHAR", scales[:, place])
        yield _flat(f"base_value{end}", "DOUBLE", base)
        for name, values in zip(signature.names, contributions, strict=True):
            yield _flat(f"contribution{end}_{name}", "DOUBLE", values)


def _flat(name: str, kind: str, values: NDArray[Any]) -> Column:
    return Column(name, (name,), kind, values)


def _explained(target: Target) -> list[str]:
    """Tell apart what is explained, in `Explainer.explain`'s order: targets, or outputs."""
    if target.parts:
        return [f"_{part.name}" for part in target.parts]
    return [f"_{name}" for name in target.outputs] if len(target.outputs) > 1 else [""]


def explained_as_json(explanations: Explanations) -> Column:
    """Give the column of explanations as ``/predict`` shows them."""
    texts = [_json_explanations(row) for row in explanations]
    return Column("explanations", ("explanations",), "JSON", np.array(texts, dtype=object))


def _json_explanations(row: Sequence["Explanation"]) -> str:
    return json.dumps([_finite(asdict(each)) for each in row], ensure_ascii=False)


def _finite(value: Any) -> Any:
    """Say null where there is no number: JSON has no infinity."""
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    return None if isinstance(value, float) and not isfinite(value) else value
