"""The output tensors of a model, and how they are read from a prediction response."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Final

from functions.predict.dialects import methods
from functions.predict.dialects.oip import tensors
from functions.predict.http import exchange
from functions.predict.http.exchange import Caller
from functions.predict.model import PredictionResponse
from sklambda.decision import threshold
from sklambda.signature import Scalar, Signature, Target

type Members = Mapping[str, Any]
type Extract = Callable[[PredictionResponse, Caller], list[Any]]

_INT64: Final = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class Output:
    """One tensor of the response.

    Attributes
    ----------
    name : str
        Name of the tensor.
    datatype : str
        Datatype of its elements.
    extract : callable
        Returns its elements, row by row, from a response to a caller.
    row : tuple of int
        Shape of one row; empty for one element.
    columns : tuple of str
        Names along the last dimension; empty where a row is one element.
    """

    name: str
    datatype: str
    extract: Extract
    row: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()

    def describe(self, rows: int = -1, parameters: Members | None = None) -> dict[str, Any]:
        """Return the tensor without its elements; -1 stands for any number of rows."""
        columns = {"columns": self.columns} if self.columns else {}
        members = {**columns, **(parameters or {})}
        return {
            "name": self.name,
            "datatype": self.datatype,
            "shape": [rows, *self.row],
            **({"parameters": members} if members else {}),
        }


def outputs(target: Target) -> dict[str, Output]:
    """Return the outputs of a model by name, in order."""
    ordered = (
        Output("prediction_id", tensors.BYTES, _ids),
        *_target_outputs(target, "", ()),
        Output("warnings", tensors.BYTES, _warnings),
    )
    return {output.name: output for output in ordered}


def _target_outputs(target: Target, prefix: str, path: tuple[str, ...]) -> Iterator[Output]:
    for part in target.parts:
        name = str(part.name)
        yield from _target_outputs(part, f"{prefix}{name}.", (*path, name))
    if target.task == "regression":
        extract = partial(_vectors, "values", path)
        yield _vector_output(f"{prefix}values", extract, target.outputs)
    elif not target.parts:
        datatype = _datatype(target.classes)
        yield Output(f"{prefix}label", datatype, partial(_labels, datatype, path))
        if target.scores != "label":
            yield Output(f"{prefix}score", "FP64", partial(_scalars, "score", path))
        if target.scores == "probability":
            extract = partial(_vectors, "probabilities", path)
            yield _vector_output(f"{prefix}probabilities", extract, target.class_names)


def method_outputs(target: Target) -> dict[str, Output]:
    """Return the results of scikit-learn's methods as outputs, ``predict`` first.

    MLServer and KServe serve scikit-learn's models with outputs of these names. With several
    targets there is only ``predict``: the probabilities of each are outputs of their own.
    """
    names = methods.available_methods(target)
    ordered = (_method_output(name, target) for name in (names[:1] if target.parts else names))
    return {output.name: output for output in ordered}


def _method_output(name: str, target: Target) -> Output:
    datatype, row = "FP64", tuple[int, ...]()
    if name != methods.PREDICT:
        decision = target.scores == "decision" and target.width == 1
        row = () if decision else (target.shown,)
    elif target.parts:
        datatypes = {_datatype_of_predict(part) for part in target.parts}
        datatype = datatypes.pop() if len(datatypes) == 1 else tensors.BYTES
        row = (len(target.parts),)
    else:
        datatype = _datatype_of_predict(target)
        row = (len(target.outputs),) if len(target.outputs) > 1 else ()
    return Output(name, datatype, partial(_results, name, datatype), row)


def _datatype_of_predict(target: Target) -> str:
    return "FP64" if target.task == "regression" else _datatype(target.classes)


def _results(method: str, datatype: str, response: PredictionResponse, _: Caller) -> list[Any]:
    values = list(_flat(methods.predictions(response, method)))
    return [str(value) for value in values] if datatype == tensors.BYTES else values


def _flat(values: list[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list):
            yield from _flat(value)
        else:
            yield value


def _vector_output(name: str, extract: Extract, columns: tuple[str, ...]) -> Output:
    return Output(name, "FP64", extract, (len(columns),), columns)


def explanations(signature: Signature) -> dict[str, Output]:
    """Return the outputs with explanations by name, in order."""
    parts = signature.target.parts or (signature.target,)
    count = sum(len(part.outputs) or 1 for part in parts)
    each = (count,) if count > 1 else ()
    names = signature.names
    ordered = (
        Output("base", "FP64", _bases, each),
        Output("contributions", "FP64", _contributions, (*each, len(names)), names),
        Output("explanation", tensors.BYTES, _explanations_as_json),
    )
    return {output.name: output for output in ordered}


def _bases(response: PredictionResponse, _: Caller) -> list[Any]:
    return [each.base for row in response.explanations for each in row]


def _contributions(response: PredictionResponse, _: Caller) -> list[Any]:
    dicts = (each.contributions for row in response.explanations for each in row)
    return [value for contributions in dicts for value in contributions.values()]


def _explanations_as_json(response: PredictionResponse, _: Caller) -> list[Any]:
    return [
        exchange.to_json([asdict(each) for each in row]).decode() for row in response.explanations
    ]


def thresholds(target: Target) -> dict[str, float]:
    """Return the decision thresholds by the name of their parameter."""
    targets = {f"{part.name}.threshold": part for part in target.parts} or {"threshold": target}
    thresholds = {name: threshold(part) for name, part in targets.items()}
    return {name: value for name, value in thresholds.items() if value is not None}


def _datatype(classes: Sequence[Scalar]) -> str:
    """Return the datatype of labels: text where no other can represent them all."""
    if all(isinstance(label, bool) for label in classes):
        return tensors.BOOL
    if all(type(label) is int and label in _INT64 for label in classes):
        return "INT64"
    return "FP64" if all(type(label) is float for label in classes) else tensors.BYTES


def _ids(response: PredictionResponse, caller: Caller) -> list[Any]:
    return [caller.prediction_id(index) for index in range(len(response.predictions))]


def _warnings(response: PredictionResponse, _: Caller) -> list[Any]:
    rows = ([{"feature": w.feature, "code": w.code} for w in row] for row in response.warnings)
    return [exchange.to_json(row).decode() for row in rows]


def _members(response: PredictionResponse, path: Sequence[str]) -> Iterator[Members]:
    for prediction in response.predictions:
        members: Members = prediction.members
        for name in path:
            members = members["targets"][name]
        yield members


def _scalars(
    member: str, path: Sequence[str], response: PredictionResponse, _: Caller
) -> list[Any]:
    return [members[member] for members in _members(response, path)]


def _labels(
    datatype: str, path: Sequence[str], response: PredictionResponse, _: Caller
) -> list[Any]:
    labels = _scalars("label", path, response, _)
    return [str(label) for label in labels] if datatype == tensors.BYTES else labels


def _vectors(
    member: str, path: Sequence[str], response: PredictionResponse, _: Caller
) -> list[Any]:
    return [value for members in _members(response, path) for value in members[member].values()]
