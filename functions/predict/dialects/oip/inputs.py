"""The input tensors of a request, read against the features of a model."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from functions.predict.dialects.oip import tensors
from functions.predict.dialects.oip.document import Node
from functions.predict.dialects.oip.tensors import Values
from functions.predict.http.exchange import Limits
from functions.predict.http.problems import pointer
from sklambda.signature import Kind, Signature

MEMBERS: Final = frozenset({"name", "shape", "datatype", "parameters", "data"})

_TAKES: Final[dict[Kind, tuple[str, ...]]] = {
    "number": tensors.NUMERIC,
    "integer": tensors.NUMERIC,
    "boolean": (tensors.TRUTH,),
    "category": (tensors.TEXT,),
    "text": (tensors.TEXT,),
    "datetime": (tensors.TEXT,),
}


_PREFERS: Final[dict[Kind, str]] = {"number": "FP64", "integer": "INT64"}


def preferred(signature: Signature) -> dict[str, str]:
    """Give the datatype that the metadata names for each feature."""
    return {name: _PREFERS.get(kind, _TAKES[kind][0]) for name, kind in signature.kinds.items()}


def datatypes(signature: Signature) -> dict[str, tuple[str, ...]]:
    """Give the datatypes in which each feature may come; the row's id may have any."""
    taken = {name: _TAKES[kind] for name, kind in signature.kinds.items()}
    return taken if signature.row_id is None else taken | {signature.row_id: tensors.DATATYPES}


@dataclass(frozen=True, slots=True)
class Tensor:
    """The values of one feature, and where they stood."""

    name: str
    datatype: str
    values: Values
    place: int
    nested: bool

    def pointer(self, row: int) -> str:
        """Point to a value, as if it stood in JSON where it came as bytes."""
        return pointer("inputs", self.place, "data", row, *([0] if self.nested else []))


@dataclass(slots=True)
class Blobs:
    """The bytes after the JSON document, taken from the front."""

    content: bytes
    start: int = 0

    def take(self, size: int) -> bytes:
        """Take the next bytes; fewer where there are no more."""
        part = self.content[self.start : self.start + size]
        self.start += size
        return part

    @property
    def any(self) -> bool:
        """Whether some are left."""
        return self.start < len(self.content)


def read(inputs: Node, blobs: Blobs, signature: Signature, limits: Limits) -> dict[str, Tensor]:
    """Read the tensors; notes what is wrong, and gives those with which nothing is.

    Raises
    ------
    ProblemRaised
        There are too many rows.
    """
    nodes = inputs.items()
    takes = datatypes(signature)
    _expect_each_once(inputs, nodes, signature)
    counts = [_count(node.at("shape"), limits) for node in nodes]
    _expect_equal(nodes, counts)
    tensors = [
        _tensor(node, place, count, takes, blobs)
        for place, (node, count) in enumerate(zip(nodes, counts, strict=True))
    ]
    return {one.name: one for one in tensors if one and one.name != signature.row_id}


def _expect_each_once(inputs: Node, nodes: Iterable[Node], signature: Signature) -> None:
    seen = set()
    for name in (node.at("name") for node in nodes):
        if isinstance(name.value, str) and name.value in seen:
            name.wrong("duplicate", "stands twice")
        elif isinstance(name.value, str):
            seen.add(name.value)
    for feature in signature.names:
        if feature not in seen:
            inputs.wrong("absent", f"has no tensor {feature!r}")


def _count(shape: Node, limits: Limits) -> int | None:
    """Take the number of rows, from [N] or [N, 1]."""
    match shape.value:
        case [int(count)] | [int(count), 1] if count > 0 and not isinstance(count, bool):
            limits.require_rows(count)
            return count
    shape.wrong("shape", "must be [N] or [N, 1] with a row or more")
    return None


def _expect_equal(nodes: Iterable[Node], counts: Iterable[int | None]) -> None:
    known = [(node, count) for node, count in zip(nodes, counts, strict=True) if count is not None]
    for node, count in known:
        if count != known[0][1]:
            node.at("shape").wrong("ragged", "must have as many rows as the first tensor")


def _tensor(
    node: Node,
    place: int,
    count: int | None,
    takes: Mapping[str, Collection[str]],
    blobs: Blobs,
) -> Tensor | None:
    node.expect_object(MEMBERS)
    content = _content(node, blobs)
    name = node.at("name").one_of(takes, "unknown_feature", "is not a feature of this model")
    choices = tensors.DATATYPES if name is None else takes[name]
    datatype = node.at("datatype").one_of(choices, "type")
    if name is None or datatype is None or count is None or content is None:
        return None
    values = _values(node, datatype, content, count)
    if values is None:
        return None
    nested = isinstance(content, list) and isinstance(content[0], list)
    return Tensor(name, datatype, values, place, nested)


def _content(node: Node, blobs: Blobs) -> bytes | list[Any] | None:
    """Take what a tensor holds, be it in the document or in the bytes after it."""
    parameters, data = node.at("parameters"), node.at("data")
    parameters.expect_object_if_any()
    size = parameters.at("binary_data_size")
    if size.value is not None:
        if data.value is not None:
            data.wrong("type", "must not stand beside binary_data_size")
        return _taken(size, blobs)
    if isinstance(data.value, list):
        return data.value
    data.wrong("type", "must be a list of values")
    return None


def _taken(size: Node, blobs: Blobs) -> bytes | None:
    if not isinstance(size.value, int) or isinstance(size.value, bool) or size.value < 0:
        size.wrong("type", "must be a whole number from 0")
        return None
    content = blobs.take(size.value)
    if len(content) == size.value:
        return content
    size.wrong("length", "is more than the body holds")
    return None


def _values(node: Node, datatype: str, content: bytes | list[Any], count: int) -> Values | None:
    if isinstance(content, bytes):
        values = tensors.from_bytes(datatype, content, count)
        if values is None:
            node.at("parameters").at("binary_data_size").wrong("length", "does not fit the shape")
        return values
    if len(content) != count:
        node.at("data").wrong("length", "must hold as many values as the shape says")
        return None
    return tensors.from_json(datatype, map(_alone, content))


def _alone(value: object) -> object:
    """Take the value out of a row of one, as the shape [N, 1] has it."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value
