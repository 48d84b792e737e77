"""Input tensors: one per feature, or one matrix for all features of a numeric model."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from functions.predict.dialects import matrix
from functions.predict.dialects.oip import tensors
from functions.predict.dialects.oip.node import BinaryData, Node
from functions.predict.dialects.oip.tensors import Values
from functions.predict.http.exchange import Limits
from functions.predict.http.problems import pointer
from sklambda.signature import Kind, Signature

_INPUT_MEMBERS: Final = frozenset({"name", "shape", "datatype", "parameters", "data"})

_ACCEPTED_DATATYPES: Final[dict[Kind, tuple[str, ...]]] = {
    "number": tensors.NUMBERS,
    "integer": tensors.NUMBERS,
    "boolean": (tensors.BOOL,),
    "category": (tensors.BYTES,),
    "text": (tensors.BYTES,),
    "datetime": (tensors.BYTES,),
}
_PREFERRED_DATATYPES: Final[dict[Kind, str]] = {"number": "FP64", "integer": "INT64"}


def preferred_datatypes(signature: Signature) -> dict[str, str]:
    """Return the datatype of each feature in the metadata."""
    return {
        name: _PREFERRED_DATATYPES.get(kind, _ACCEPTED_DATATYPES[kind][0])
        for name, kind in signature.kinds.items()
    }


def accepted_datatypes(signature: Signature) -> dict[str, tuple[str, ...]]:
    """Return the datatypes that each feature accepts; what no score depends on accepts any."""
    accepted = {name: _ACCEPTED_DATATYPES[kind] for name, kind in signature.kinds.items()}
    return accepted | dict.fromkeys(signature.unscored, tensors.DATATYPES)


@dataclass(frozen=True, slots=True)
class Tensor:
    """The values of one feature, and their place in the request.

    Attributes
    ----------
    name : str
        The feature.
    datatype : str
        The datatype of the tensor.
    values : list of object
        One per row.
    index : int
        Position of the tensor in the request.
    nested : bool
        Whether the data of each row is a list.
    column, width : int
        Position of the feature in the rows of the tensor, and the length of these rows.
    converted : bool
        Whether the values had another type in the tensor.
    """

    name: str
    datatype: str
    values: Values
    index: int
    nested: bool
    column: int = 0
    width: int = 1
    converted: bool = False

    def pointer(self, row: int) -> str:
        """Return the JSON Pointer of a value, as in JSON even where it was sent as bytes."""
        place = [row, self.column] if self.nested else [row * self.width + self.column]
        return pointer("inputs", self.index, "data", *place)


def read_inputs(
    inputs: Node, binary: BinaryData, signature: Signature, limits: Limits
) -> dict[str, Tensor]:
    """Read the input tensors; notes their faults, and returns the tensors without one.

    Raises
    ------
    ProblemRaised
        There are too many rows.
    """
    nodes = inputs.items()
    accepted = accepted_datatypes(signature)
    _require_each_once(inputs, nodes, signature)
    counts = [_count(node.at("shape"), limits) for node in nodes]
    _require_equal(nodes, counts)
    tensors = [
        _tensor(node, index, count, accepted, binary)
        for index, (node, count) in enumerate(zip(nodes, counts, strict=True))
    ]
    return {each.name: each for each in tensors if each and each.name not in signature.unscored}


def _require_each_once(inputs: Node, nodes: Iterable[Node], signature: Signature) -> None:
    names = set()
    for node in (node.at("name") for node in nodes):
        if isinstance(node.value, str) and node.value in names:
            node.fault("duplicate", "is a duplicate tensor")
        elif isinstance(node.value, str):
            names.add(node.value)
    for feature in signature.names:
        if feature not in names:
            inputs.fault("absent", f"must have a tensor {feature!r}")


def _count(shape: Node, limits: Limits) -> int | None:
    """Read the number of rows from a shape [N] or [N, 1]."""
    match shape.value:
        case [int(count)] | [int(count), 1] if count > 0 and not isinstance(count, bool):
            limits.require_rows(count)
            return count
    shape.fault("shape", "must be [N] or [N, 1] with at least one row")
    return None


def _require_equal(nodes: Iterable[Node], counts: Iterable[int | None]) -> None:
    valid = [(node, count) for node, count in zip(nodes, counts, strict=True) if count is not None]
    for node, count in valid:
        if count != valid[0][1]:
            node.at("shape").fault("ragged", "must have as many rows as the first tensor")


def _tensor(
    node: Node,
    index: int,
    count: int | None,
    accepted: Mapping[str, Collection[str]],
    binary: BinaryData,
) -> Tensor | None:
    node.require_object(_INPUT_MEMBERS)
    content = _content(node, binary)
    name = node.at("name").one_of(accepted, "unknown_feature", "is not a feature of this model")
    choices = tensors.DATATYPES if name is None else accepted[name]
    datatype = node.at("datatype").one_of(choices, "type")
    if name is None or datatype is None or count is None or content is None:
        return None
    values = _values(node, datatype, content, count)
    if values is None:
        return None
    nested = isinstance(content, list) and isinstance(content[0], list)
    return Tensor(name, datatype, values, index, nested)


def is_matrix(inputs: Node, signature: Signature) -> bool:
    """Return whether one tensor holds all features: its name is no feature's, its shape [N, F]."""
    match inputs.value:
        case [{"name": str(name), "shape": [_, width]}]:
            columns = len(signature.names)
            return name not in accepted_datatypes(signature) and (width != 1 or columns == 1)
    return False


def read_matrix(
    inputs: Node, binary: BinaryData, signature: Signature, limits: Limits
) -> dict[str, Tensor]:
    """Read one tensor [N, F] with all features in the order of the signature; notes its faults.

    Raises
    ------
    ProblemRaised
        There are too many rows.
    """
    [node] = inputs.items()
    node.require_object(_INPUT_MEMBERS)
    content, kinds = _content(node, binary), signature.kinds
    datatype = node.at("datatype").one_of((*tensors.NUMBERS, tensors.BOOL), "type")
    count = _count_of_matrix(node.at("shape"), len(kinds), limits)
    refusal = matrix.why_refused(signature)
    if refusal is not None:
        node.fault("matrix", f"holds all features, but {refusal}; send one tensor per feature")
    if datatype is None or count is None or content is None or refusal is not None:
        return {}
    nested = isinstance(content, list) and isinstance(content[0] if content else None, list)
    if isinstance(content, list) and nested:
        content = _flattened(node.at("data"), content, count, len(kinds))
    values = None if content is None else _values(node, datatype, content, count * len(kinds))
    if values is None:
        return {}
    found = {}
    for column, (name, kind) in enumerate(kinds.items()):
        cells = values[column :: len(kinds)]
        converted = kind == "boolean" and datatype != tensors.BOOL
        cells = matrix.to_booleans(cells) if converted else cells
        found[name] = Tensor(name, datatype, cells, 0, nested, column, len(kinds), converted)
    return found


def _count_of_matrix(shape: Node, width: int, limits: Limits) -> int | None:
    match shape.value:
        case [int(count), int(columns)] if count > 0 and columns == width:
            if not isinstance(count, bool) and not isinstance(columns, bool):
                limits.require_rows(count)
                return count
    detail = f"must be [N, {width}] with at least one row: a column for each feature, in order"
    shape.fault("shape", detail)
    return None


def _flattened(data: Node, rows: list[Any], count: int, width: int) -> list[Any] | None:
    if len(rows) != count:
        data.fault("length", "must have as many rows as the shape")
        return None
    wrong = [k for k, row in enumerate(rows) if not isinstance(row, list) or len(row) != width]
    for k in wrong:
        fault = (pointer(*data.path, k), "length", f"must be a list of {width} values")
        data.faults.append(fault)
    return None if wrong else [value for row in rows for value in row]


def _content(node: Node, binary: BinaryData) -> bytes | list[Any] | None:
    """Return the content of a tensor, from the document or from the bytes after it."""
    parameters, data = node.at("parameters"), node.at("data")
    parameters.require_object_or_absent()
    size = parameters.at("binary_data_size")
    if size.value is not None:
        if data.value is not None:
            data.fault("type", "must be absent beside binary_data_size")
        return _binary_content(size, binary)
    if isinstance(data.value, list):
        return data.value
    data.fault("type", "must be a list of values")
    return None


def _binary_content(size: Node, binary: BinaryData) -> bytes | None:
    if not isinstance(size.value, int) or isinstance(size.value, bool) or size.value < 0:
        size.fault("type", "must be a whole number, at least 0")
        return None
    content = binary.read(size.value)
    if len(content) == size.value:
        return content
    size.fault("length", "exceeds the bytes in the body")
    return None


def _values(node: Node, datatype: str, content: bytes | list[Any], count: int) -> Values | None:
    if isinstance(content, bytes):
        values = tensors.from_bytes(datatype, content, count)
        if values is None:
            node.at("parameters").at("binary_data_size").fault("length", "must match the shape")
        return values
    if len(content) != count:
        node.at("data").fault("length", "must have as many values as the shape")
        return None
    return tensors.from_json(datatype, map(_scalar, content))


def _scalar(value: object) -> object:
    """Return the value of a row of one value, in a tensor of the shape [N, 1]."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value
