"""The output tensors of a model, and an answer made of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Final

from functions.predict.dialects.oip import tensors
from functions.predict.http import exchange
from functions.predict.http.exchange import Caller
from functions.predict.model import Reply
from sklambda.decision import threshold
from sklambda.signature import Scalar, Signature, Target

type Members = Mapping[str, Any]
type Take = Callable[[Reply, Caller], list[Any]]

_INT64: Final = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class Output:
    """One tensor of the answer.

    Attributes
    ----------
    name : str
        As it is asked for.
    datatype : str
        Of its elements.
    take : callable
        Takes its elements, row by row, from a reply to a caller.
    row : tuple of int
        The shape of one row of it; empty for one element.
    columns : tuple of str
        What stands in the last dimension; empty where a row is one element.
    """

    name: str
    datatype: str
    take: Take
    row: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()

    def described(self, rows: int = -1, parameters: Members | None = None) -> dict[str, Any]:
        """Describe it, its elements left out; -1 stands for any number of rows."""
        columns = {"columns": self.columns} if self.columns else {}
        shown = {**columns, **(parameters or {})}
        return {
            "name": self.name,
            "datatype": self.datatype,
            "shape": [rows, *self.row],
            **({"parameters": shown} if shown else {}),
        }


def outputs(target: Target) -> dict[str, Output]:
    """Give the outputs of a model with this target, by name, in order."""
    given = (
        Output("prediction_id", tensors.TEXT, _ids),
        *_of_target(target, "", ()),
        Output("warnings", tensors.TEXT, _warnings),
    )
    return {output.name: output for output in given}


def _of_target(target: Target, prefix: str, path: tuple[str, ...]) -> Iterator[Output]:
    for part in target.parts:
        name = str(part.name)
        yield from _of_target(part, f"{prefix}{name}.", (*path, name))
    if target.task == "regression":
        take = partial(_rows_of, "values", path)
        yield _table(f"{prefix}values", take, target.outputs)
    elif not target.parts:
        datatype = _datatype(target.classes)
        yield Output(f"{prefix}label", datatype, partial(_labels, datatype, path))
        if target.scores != "label":
            yield Output(f"{prefix}score", "FP64", partial(_each, "score", path))
        if target.scores == "probability":
            take = partial(_rows_of, "probabilities", path)
            yield _table(f"{prefix}probabilities", take, target.class_names)


def _table(name: str, take: Take, columns: tuple[str, ...]) -> Output:
    return Output(name, "FP64", take, (len(columns),), columns)


def explanations(signature: Signature) -> dict[str, Output]:
    """Give the outputs that explain the others, by name, in order."""
    parts = signature.target.parts or (signature.target,)
    count = sum(len(part.outputs) or 1 for part in parts)
    each = (count,) if count > 1 else ()
    names = signature.names
    given = (
        Output("base", "FP64", _bases, each),
        Output("contributions", "FP64", _contributions, (*each, len(names)), names),
        Output("explanation", tensors.TEXT, _whole),
    )
    return {output.name: output for output in given}


def _bases(reply: Reply, _: Caller) -> list[Any]:
    return [each.base for row in reply.explanations for each in row]


def _contributions(reply: Reply, _: Caller) -> list[Any]:
    found = (each.contributions for row in reply.explanations for each in row)
    return [value for contributions in found for value in contributions.values()]


def _whole(reply: Reply, _: Caller) -> list[Any]:
    return [exchange.written([asdict(each) for each in row]).decode() for row in reply.explanations]


def thresholds(target: Target) -> dict[str, float]:
    """Give the thresholds that decide, each by the name of its parameter."""
    named = {f"{part.name}.threshold": part for part in target.parts} or {"threshold": target}
    found = {name: threshold(part) for name, part in named.items()}
    return {name: value for name, value in found.items() if value is not None}


def _datatype(classes: Sequence[Scalar]) -> str:
    """Choose the datatype of labels; as text where no other holds them all."""
    if all(isinstance(label, bool) for label in classes):
        return tensors.TRUTH
    if all(type(label) is int and label in _INT64 for label in classes):
        return "INT64"
    return "FP64" if all(type(label) is float for label in classes) else tensors.TEXT


def _ids(reply: Reply, caller: Caller) -> list[Any]:
    return [caller.prediction_id(place) for place in range(len(reply.predictions))]


def _warnings(reply: Reply, _: Caller) -> list[Any]:
    shown = ([{"feature": c.feature, "code": c.code} for c in row] for row in reply.cautions)
    return [exchange.written(row).decode() for row in shown]


def _members(reply: Reply, path: Sequence[str]) -> Iterator[Members]:
    for prediction in reply.predictions:
        members: Members = prediction.members
        for name in path:
            members = members["targets"][name]
        yield members


def _each(member: str, path: Sequence[str], reply: Reply, _: Caller) -> list[Any]:
    return [members[member] for members in _members(reply, path)]


def _labels(datatype: str, path: Sequence[str], reply: Reply, _: Caller) -> list[Any]:
    labels = _each("label", path, reply, _)
    return [str(label) for label in labels] if datatype == tensors.TEXT else labels


def _rows_of(member: str, path: Sequence[str], reply: Reply, _: Caller) -> list[Any]:
    return [value for members in _members(reply, path) for value in members[member].values()]
