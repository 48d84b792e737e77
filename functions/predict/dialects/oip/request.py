"""Requests of the Open Inference Protocol: input tensors by feature, and the requested outputs.

A request is read as a whole, so that all faults of its structure are reported at once.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from functions.predict.dialects.oip import tensors
from functions.predict.dialects.oip.inputs import Tensor, is_matrix, read_inputs, read_matrix
from functions.predict.dialects.oip.node import BinaryData, Node
from functions.predict.dialects.oip.tensors import INVALID
from functions.predict.http import problems
from functions.predict.http.exchange import Limits
from functions.predict.http.json_reader import parse_json
from sklambda.codec.codec import Row
from sklambda.errors import Fault, RowsInvalid
from sklambda.signature import Signature

_OF_CLIENTS: Final = ("model_name", "model_version", "from_grpc")
"""Members that KServe's client adds to a request: the first two must agree with the path."""
_MEMBERS: Final = frozenset({"id", "parameters", "inputs", "outputs", *_OF_CLIENTS})
_OUTPUT_MEMBERS: Final = frozenset({"name", "parameters"})
_UNSUPPORTED: Final = ("classification", "shared_memory_region")


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
    version : str or None
        The version that the body names; None where it names none.
    """

    id: str | None
    tensors: Mapping[str, Tensor]
    outputs: Mapping[str, bool]
    explain: bool
    version: str | None = None

    @property
    def rows(self) -> list[Row]:
        """The values by row."""
        columns = [tensor.values for tensor in self.tensors.values()]
        return [dict(zip(self.tensors, row, strict=True)) for row in zip(*columns, strict=True)]

    @property
    def coerced(self) -> list[tuple[int, str]]:
        """Row and feature of the values that had another type, or less precision than float64."""
        return [
            (row, tensor.name)
            for tensor in self.tensors.values()
            if tensor.datatype in tensors.NARROW or tensor.converted
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
    name : str
        The name of the model.
    signature : Signature
        The features of the model.
    outputs : collection of str
        The outputs of every response.
    explanations : collection of str
        The outputs of a response with explanations; naming one requests them.
    methods : collection of str
        The outputs that are results of scikit-learn's methods, where they are named. The first is
        the output of a request with one tensor for all features.
    """

    name: str
    signature: Signature
    outputs: Collection[str]
    explanations: Collection[str]
    methods: Collection[str]

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
        inputs = document.at("inputs")
        together = is_matrix(inputs, self.signature)
        outputs = self._outputs(document.at("outputs"), explain, as_bytes, together)
        if document.at("model_name").value not in (None, "", self.name):
            document.at("model_name").fault("model_name", "must be the model of the path")
        read = read_matrix if together else read_inputs
        request = InferenceRequest(
            document.at("id").string(),
            read(inputs, remaining, self.signature, limits),
            outputs,
            explain or not outputs.keys().isdisjoint(self.explanations),
            document.at("model_version").string() or None,
        )
        if remaining.any:
            inputs.fault("length", "must have a tensor for all bytes after the JSON")
        if document.faults:
            raise problems.body_invalid(*document.faults)
        return request

    def _outputs(
        self, outputs: Node, explain: bool, as_bytes: bool, together: bool
    ) -> dict[str, bool]:
        """Read the requested outputs; the usual ones where none is named."""
        known = (*self.outputs, *self.explanations, *self.methods)
        if outputs.value is None or outputs.value == []:
            usual = [*self.methods][:1] if together else [*self.outputs]
            return dict.fromkeys([*usual, *(self.explanations if explain else ())], as_bytes)
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
