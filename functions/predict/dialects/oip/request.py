"""Requests of the Open Inference Protocol: input tensors by feature, and the requested outputs.

A request is read as a whole, so that all faults of its structure are reported at once.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from functions.predict.dialects.oip import tensors
from functions.predict.dialects.oip.tensors import INVALID, Values
from functions.predict.http import problems
from functions.predict.http.exchange import Limits
from functions.predict.http.json_reader import parse_json
from functions.predict.http.problems import BodyFault, pointer
from sklambda.codec.codec import Row
from sklambda.errors import Fault, RowsInvalid
from sklambda.signature import Kind, Signature

_MEMBERS: Final = frozenset({"id", "parameters", "inputs", "outputs"})
_INPUT_MEMBERS: Final = frozenset({"name", "shape", "datatype", "parameters", "data"})
_OUTPUT_MEMBERS: Final = frozenset({"name", "parameters"})
_UNSUPPORTED: Final = ("classification", "shared_memory_region")

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
    """Return the datatypes that each feature accepts; the row id accepts any."""
    accepted = {name: _ACCEPTED_DATATYPES[kind] for name, kind in signature.kinds.items()}
    if signature.row_id is None:
        return accepted
    return accepted | {signature.row_id: tensors.DATATYPES}


@dataclass(frozen=True, slots=True)
class Tensor:
    """The values of one feature, and their place in the request."""

    name: str
    datatype: str
    values: Values
    index: int
    nested: bool

    def pointer(self, row: int) -> str:
        """Return the JSON Pointer of a value, as in JSON even where it was sent as bytes."""
        return pointer("inputs", self.index, "data", row, *([0] if self.nested else []))


@dataclass(frozen=True, slots=True)
class InferenceRequest:
    """A request with a valid structure; the codec checks its values.

    Attributes
    ----------
    id : str or None
        The client's id of the request, for the response.
    tensors : mapping of str to Tensor
        One per feature, by its name.
    outputs : mapping of str to bool
        The requested outputs, and whether to send them as bytes.
    explain : bool
        Whether to explain each score.
    """

    id: str | None
    tensors: Mapping[str, Tensor]
    outputs: Mapping[str, bool]
    explain: bool

    @property
    def rows(self) -> list[Row]:
        """The values by row."""
        columns = [tensor.values for tensor in self.tensors.values()]
        return [dict(zip(self.tensors, row, strict=True)) for row in zip(*columns, strict=True)]

    @property
    def coerced(self) -> list[tuple[int, str]]:
        """Row and feature of the numbers that were sent with less precision than in training."""
        return [
            (row, tensor.name)
            for tensor in self.tensors.values()
            if tensor.datatype in tensors.NARROW
            for row, value in enumerate(tensor.values)
            if value is not None and value == value  # NaN is not
        ]

    def locate(self, fault: Fault) -> str:
        """Return the JSON Pointer of the value with a fault."""
        return self._tensor(fault).pointer(fault.row)

    def with_datatypes(self, invalid: RowsInvalid) -> RowsInvalid:
        """Name the datatype in the faults of values that do not have it."""
        return RowsInvalid([self._with_datatype(fault) for fault in invalid.faults])

    def _with_datatype(self, fault: Fault) -> Fault:
        tensor = self._tensor(fault)
        if tensor.values[fault.row] is not INVALID:
            return fault
        return replace(fault, detail=f"must be {tensor.datatype}")

    def _tensor(self, fault: Fault) -> Tensor:
        return self.tensors[fault.feature or ""]


@dataclass(frozen=True, slots=True)
class RequestReader:
    """Reads the requests for one model.

    Attributes
    ----------
    signature : Signature
        The features of the model.
    outputs : collection of str
        The outputs of every response.
    explanations : collection of str
        The outputs of a response with explanations; naming one requests them.
    """

    signature: Signature
    outputs: Collection[str]
    explanations: Collection[str]

    def read(self, header: bytes, binary: bytes, limits: Limits) -> InferenceRequest:
        """Read a request: the JSON document, and the bytes after it.

        Raises
        ------
        ProblemRaised
            It is not JSON, has too many rows, or its structure is invalid; lists all faults.
        """
        document = Node(parse_json(header, inf_nan=True), (), [])
        document.require_object(_MEMBERS)
        parameters, remaining = document.at("parameters"), BinaryData(binary)
        parameters.require_object_or_absent()
        explain = parameters.at("explain").flag(False)
        as_bytes = parameters.at("binary_data_output").flag(False)
        outputs = self._outputs(document.at("outputs"), explain, as_bytes)
        request = InferenceRequest(
            document.at("id").string(),
            read_inputs(document.at("inputs"), remaining, self.signature, limits),
            outputs,
            explain or not outputs.keys().isdisjoint(self.explanations),
        )
        if remaining.any:
            document.fault("length", "has bytes after the JSON that belong to no tensor")
        if document.faults:
            raise problems.body_invalid(*document.faults)
        return request

    def _outputs(self, outputs: "Node", explain: bool, as_bytes: bool) -> dict[str, bool]:
        """Read the requested outputs; all of them where none is named."""
        known = (*self.outputs, *self.explanations)
        if outputs.value is None or outputs.value == []:
            return dict.fromkeys(known if explain else self.outputs, as_bytes)
        requested: dict[str, bool] = {}
        for node in outputs.items():
            node.require_object(_OUTPUT_MEMBERS)
            name = node.at("name").one_of(known, "unknown_output", "is not an output of this model")
            if name is not None and name in requested:
                node.at("name").fault("duplicate", "is a duplicate output")
            parameters = node.at("parameters")
            parameters.require_object_or_absent()
            for member in _UNSUPPORTED:
                if parameters.at(member).value is not None:
                    parameters.at(member).fault("unsupported", "is not supported")
            requested[name or ""] = parameters.at("binary_data").flag(as_bytes)
        return requested


def read_inputs(
    inputs: "Node", binary: "BinaryData", signature: Signature, limits: Limits
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
    return {each.name: each for each in tensors if each and each.name != signature.row_id}


def _require_each_once(inputs: "Node", nodes: Iterable["Node"], signature: Signature) -> None:
    names = set()
    for node in (node.at("name") for node in nodes):
        if isinstance(node.value, str) and node.value in names:
            node.fault("duplicate", "is a duplicate tensor")
        elif isinstance(node.value, str):
            names.add(node.value)
    for feature in signature.names:
        if feature not in names:
            inputs.fault("absent", f"must have a tensor {feature!r}")


def _count(shape: "Node", limits: Limits) -> int | None:
    """Read the number of rows from a shape [N] or [N, 1]."""
    match shape.value:
        case [int(count)] | [int(count), 1] if count > 0 and not isinstance(count, bool):
            limits.require_rows(count)
            return count
    shape.fault("shape", "must be [N] or [N, 1] with at least one row")
    return None


def _require_equal(nodes: Iterable["Node"], counts: Iterable[int | None]) -> None:
    valid = [(node, count) for node, count in zip(nodes, counts, strict=True) if count is not None]
    for node, count in valid:
        if count != valid[0][1]:
            node.at("shape").fault("ragged", "must have as many rows as the first tensor")


def _tensor(
    node: "Node",
    index: int,
    count: int | None,
    accepted: Mapping[str, Collection[str]],
    binary: "BinaryData",
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


def _content(node: "Node", binary: "BinaryData") -> bytes | list[Any] | None:
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


def _binary_content(size: "Node", binary: "BinaryData") -> bytes | None:
    if not isinstance(size.value, int) or isinstance(size.value, bool) or size.value < 0:
        size.fault("type", "must be a whole number, at least 0")
        return None
    content = binary.read(size.value)
    if len(content) == size.value:
        return content
    size.fault("length", "exceeds the bytes in the body")
    return None


def _values(node: "Node", datatype: str, content: bytes | list[Any], count: int) -> Values | None:
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


@dataclass(slots=True)
class BinaryData:
    """The bytes after the JSON document, read from the front."""

    content: bytes
    start: int = 0

    def read(self, size: int) -> bytes:
        """Return the next bytes; fewer at the end."""
        part = self.content[self.start : self.start + size]
        self.start += size
        return part

    @property
    def any(self) -> bool:
        """Whether bytes are left."""
        return self.start < len(self.content)


class Node(NamedTuple):  # a request has hundreds, and a tuple is made in half the time
    """One value of a JSON document, which collects the faults of the whole document.

    Attributes
    ----------
    value : object
        The JSON value; None where it is absent.
    path : tuple of str or int
        Its path in the document.
    faults : list of (str, str, str)
        JSON Pointer, code and detail of the faults of the document.
    """

    value: Any
    path: tuple[str | int, ...]
    faults: list[BodyFault]

    def fault(self, code: str, detail: str) -> None:
        """Note a fault of this value."""
        self.faults.append((pointer(*self.path), code, detail))

    def at(self, member: str) -> "Node":
        """Return a member of an object; it is absent in any other value."""
        value = self.value.get(member) if isinstance(self.value, dict) else None
        return Node(value, (*self.path, member), self.faults)

    def require_object(self, members: Collection[str] | None = None) -> None:
        """Check that this is an object, without any other than the named members."""
        if not isinstance(self.value, dict):
            self.fault("type", "must be an object")
        elif members is not None:
            for name in self.value:
                if name not in members:
                    self.at(name).fault("unknown_member", "is an unknown member")

    def require_object_or_absent(self) -> None:
        """Check that this is an object or absent."""
        if self.value is not None:
            self.require_object()

    def items(self) -> list["Node"]:
        """Return the items of a list; a fault for any other value."""
        if not isinstance(self.value, list):
            self.fault("type", "must be a list of objects")
            return []
        return [Node(item, (*self.path, i), self.faults) for i, item in enumerate(self.value)]

    def string(self) -> str | None:
        """Return a string, or None where it is absent; a fault for any other value."""
        if self.value is not None and not isinstance(self.value, str):
            self.fault("type", "must be a string")
            return None
        return self.value

    def one_of(self, choices: Collection[str], code: str, detail: str | None = None) -> str | None:
        """Return one of the choices; a fault for any other value."""
        if isinstance(self.value, str) and self.value in choices:
            return self.value
        self.fault(code, detail or f"must be {' or '.join(choices)}")
        return None

    def flag(self, default: bool) -> bool:
        """Return a boolean, or the default where it is absent; a fault for any other value."""
        if self.value is not None and not isinstance(self.value, bool):
            self.fault("type", "must be true or false")
        return self.value if isinstance(self.value, bool) else default
