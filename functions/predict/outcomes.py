"""What may become true of a prediction, by the target of the model."""

from collections.abc import Iterator, Mapping
from math import isfinite

from sklambda.signature import Scalar, Target

type Path = tuple[str, ...]
type Misfit = tuple[Path, str, str]


def misfits(target: Target, outcome: object) -> Iterator[Misfit]:
    """Find what keeps a value from being an outcome: its path, a code and a sentence."""
    if target.parts:
        parts = {str(part.name): part for part in target.parts}
        yield from _of_each(parts, outcome)
    elif len(target.outputs) > 1:
        one = target.replace(outputs=target.outputs[:1])
        yield from _of_each(dict.fromkeys(target.outputs, one), outcome)
    elif target.task == "regression":
        if not _is_number(outcome):
            yield (), "type", "must be a number"
    elif _kind(outcome) not in {_kind(label) for label in target.classes}:
        yield (), "type", "must be a label of the model, of the same type"
    elif outcome not in target.classes:
        yield (), "unknown_label", "is not a label of the model"


def _of_each(targets: Mapping[str, Target], outcome: object) -> Iterator[Misfit]:
    if not isinstance(outcome, dict):
        yield (), "type", "must be an object with an outcome for each target"
        return
    for name in outcome.keys() - targets.keys():
        yield (str(name),), "unknown_member", "is not a target of the model"
    for name, target in targets.items():
        if name not in outcome:
            yield (name,), "absent", "is required"
            continue
        for path, code, detail in misfits(target, outcome[name]):
            yield (name, *path), code, detail


def _kind(value: object) -> type:
    """Tell labels apart as JSON does: true is no number, and 1.0 is 1."""
    return float if _is_number(value) else type(value)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)


def canonical(target: Target, outcome: Scalar | Mapping[str, Scalar]) -> object:
    """Write equal outcomes alike: a label as the model writes it, a value as a float."""
    if isinstance(outcome, Mapping):
        parts = {str(part.name): part for part in target.parts}
        return {name: canonical(parts.get(name, target), outcome[name]) for name in sorted(outcome)}
    if target.classes:
        return target.classes[target.classes.index(outcome)]
    return float(outcome)
