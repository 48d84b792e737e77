"""A request of the Open Inference Protocol, read against what a model takes and gives."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from functions.predict.dialects.oip import inputs, tensors
from functions.predict.dialects.oip.document import Node
from functions.predict.dialects.oip.inputs import Blobs, Tensor
from functions.predict.dialects.oip.tensors import MISFIT
from functions.predict.http import exchange, problems
from functions.predict.http.exchange import Limits
from sklambda.codec.codec import Row
from sklambda.errors import Fault, RowsInvalid
from sklambda.signature import Signature

MEMBERS: Final = frozenset({"id", "parameters", "inputs", "outputs"})
MEMBERS_OF_AN_OUTPUT: Final = frozenset({"name", "parameters"})

_NOT_GIVEN: Final = ("classification", "shared_memory_region")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request whose tensors fit together; their values are the codec's to judge.

    Attributes
    ----------
    id : str or None
        The request's own name, for the answer.
    tensors : mapping of str to Tensor
        One a feature, by its name.
    outputs : mapping of str to bool
        What to answer, and whether as bytes.
    explain : bool
        Whether each score is to be explained.
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
        """The numbers that came in fewer bits than those that the model was trained on."""
        return [
            (row, tensor.name)
            for tensor in self.tensors.values()
            if tensor.datatype in tensors.NARROW
            for row, value in enumerate(tensor.values)
            if value is not None and value == value  # NaN is not
        ]

    def locate(self, fault: Fault) -> str:
        """Point to a value with which something is wrong."""
        return self._tensor(fault).pointer(fault.row)

    def with_datatypes(self, invalid: RowsInvalid) -> RowsInvalid:
        """Name the datatype wherever a value is none of it."""
        return RowsInvalid([self._named(fault) for fault in invalid.faults])

    def _named(self, fault: Fault) -> Fault:
        tensor = self._tensor(fault)
        if tensor.values[fault.row] is not MISFIT:
            return fault
        return replace(fault, detail=f"is no {tensor.datatype}")

    def _tensor(self, fault: Fault) -> Tensor:
        return self.tensors[fault.feature or ""]


@dataclass(frozen=True, slots=True)
class Form:
    """What a request is read against.

    Attributes
    ----------
    signature : Signature
        What the model takes.
    outputs : collection of str
        The names of what it gives to everybody.
    explanations : collection of str
        The names of what it gives to who asks for explanations, or for one of these.
    """

    signature: Signature
    outputs: Collection[str]
    explanations: Collection[str]

    def read(self, header: bytes, blobs: bytes, limits: Limits) -> Asked:
        """Read a request: the JSON document, and the bytes after it.

        Raises
        ------
        ProblemRaised
            It is no JSON, has too many rows, or its parts do not fit; names all that do not.
        """
        document = Node(exchange.document(header, inf_nan=True), (), [])
        document.expect_object(MEMBERS)
        parameters, left = document.at("parameters"), Blobs(blobs)
        parameters.expect_object_if_any()
        explain = parameters.at("explain").flag(False)
        as_bytes = parameters.at("binary_data_output").flag(False)
        outputs = self._outputs(document.at("outputs"), explain, as_bytes)
        asked = Asked(
            document.at("id").string(),
            inputs.read(document.at("inputs"), left, self.signature, limits),
            outputs,
            explain or not outputs.keys().isdisjoint(self.explanations),
        )
        if left.any:
            document.wrong("length", "has bytes after the JSON that no tensor names")
        if document.faults:
            raise problems.body_invalid(*document.faults)
        return asked

    def _outputs(self, outputs: Node, explain: bool, as_bytes: bool) -> dict[str, bool]:
        """Read what is to be answered; all that is due where nothing is named."""
        known = (*self.outputs, *self.explanations)
        if outputs.value is None or outputs.value == []:
            return dict.fromkeys(known if explain else self.outputs, as_bytes)
        wanted: dict[str, bool] = {}
        for node in outputs.items():
            node.expect_object(MEMBERS_OF_AN_OUTPUT)
            name = node.at("name").one_of(known, "unknown_output", "is no output of this model")
            if name is not None and name in wanted:
                node.at("name").wrong("duplicate", "stands twice")
            wanted[name or ""] = _form(node.at("parameters"), as_bytes)
        return wanted


def _form(parameters: Node, as_bytes: bool) -> bool:
    """Read whether an output is to come as bytes."""
    parameters.expect_object_if_any()
    for name in _NOT_GIVEN:
        if parameters.at(name).value is not None:
            parameters.at(name).wrong("unsupported", "is not given here")
    return parameters.at("binary_data").flag(as_bytes)
