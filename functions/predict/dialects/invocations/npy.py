"""Arrays in numpy's NPY format, as SageMaker's serializers write them; never a pickle."""

import ast
import re
from collections.abc import Sequence
from io import BytesIO
from math import prod
from typing import Any, Final

import numpy as np

from functions.predict.dialects import matrix
from functions.predict.dialects.invocations.tables import Header, Table, from_lists
from functions.predict.http import problems
from functions.predict.http.exchange import Limits
from sklambda.signature import Signature

_MAGIC: Final = b"\x93NUMPY"
_LENGTH_BYTES: Final = {1: 2, 2: 4, 3: 4}
"""How many bytes hold the length of the header, by the version of the format."""

_LONGEST_HEADER: Final = 1000
_NUMERIC: Final = re.compile(r"[<>|=]?[biuf][1248]")
_FLOAT64_BYTES: Final = 8


def read(content: bytes, signature: Signature, limits: Limits) -> Table:
    """Read an array [N, F] with the features in the order of the signature, or [F] for one row.

    Raises
    ------
    ProblemRaised
        The content is no array of numbers in NPY format, has another shape or too many rows, or
        the model has features that are not numeric.
    """
    refusal = matrix.why_refused(signature)
    if refusal is not None:
        detail = f"the body must be CSV or JSON: an array holds numbers only, and {refusal}"
        raise problems.body_invalid(("", "matrix", detail))
    dtype, fortran, shape, start = _header(content)
    count = len(signature.names)
    if len(shape) == 1:
        shape = (1, *shape) if count > 1 else (*shape, 1)
    if len(shape) != 2 or shape[1] != count or shape[0] < 1:
        detail = f"the array must have the shape [N, {count}] with at least one row"
        raise problems.body_invalid(("", "shape", detail))
    limits.require_rows(shape[0])
    if len(content) - start != prod(shape) * dtype.itemsize:
        raise problems.not_npy("the length of the data differs from the shape")
    array = np.frombuffer(content, dtype, offset=start).reshape(
        shape, order="F" if fortran else "C"
    )
    return _table(array, signature)


def _table(array: np.ndarray[Any, np.dtype[Any]], signature: Signature) -> Table:
    columns: list[list[object]] = array.T.tolist()
    coerced = []
    narrow = array.dtype.kind == "f" and array.dtype.itemsize < _FLOAT64_BYTES
    for position, (name, kind) in enumerate(signature.kinds.items()):
        converted = kind == "boolean" and array.dtype.kind != "b"
        if converted:
            columns[position] = matrix.to_booleans(columns[position])
        if converted or narrow:
            values = enumerate(columns[position])
            coerced += [(row, name) for row, value in values if value == value]  # NaN is not
    rows = [list(row) for row in zip(*columns, strict=True)]
    header = Header.of(signature.names, signature)
    table = from_lists(rows, header, ())
    return Table(table.rows, table.locate, columnar=True, coerced=coerced)


def _header(content: bytes) -> tuple[np.dtype[Any], bool, tuple[int, ...], int]:
    """Return the dtype, whether the order is Fortran's, the shape, and where the data starts."""
    size = _LENGTH_BYTES.get(content[len(_MAGIC)] if len(content) > len(_MAGIC) else 0)
    if not content.startswith(_MAGIC) or size is None:
        raise problems.not_npy("expected the format's magic bytes and version 1, 2 or 3")
    first = len(_MAGIC) + 2
    start = first + size + int.from_bytes(content[first : first + size], "little")
    try:
        if start > first + size + _LONGEST_HEADER:
            raise ValueError("the header is too long")
        members = ast.literal_eval(content[first + size : start].decode().strip())
        descr, fortran, shape = (members[name] for name in ("descr", "fortran_order", "shape"))
        if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
            raise ValueError("the shape is no tuple of counts")
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
        raise problems.not_npy("the header cannot be read") from None
    if not isinstance(descr, str) or not _NUMERIC.fullmatch(descr):
        raise problems.not_npy("expected an array of booleans or numbers of at most 64 bits")
    try:
        return np.dtype(descr), fortran is True, shape, start
    except TypeError:  # numpy has no such type: f1, b8
        raise problems.not_npy("the type of the array is unknown") from None


def write(predictions: Sequence[Any]) -> bytes | None:
    """Write predictions as an array; None where they are not all numbers, or not all texts."""
    if len(_types(predictions)) > 1:
        return None
    try:
        array = np.array(predictions)
    except ValueError:  # targets with different numbers of classes
        return None
    if array.dtype.kind not in "biufU":
        return None
    stream = BytesIO()
    np.lib.format.write_array(stream, array, allow_pickle=False)
    return stream.getvalue()


def _types(values: Sequence[Any]) -> set[str]:
    """Return whether there are texts, booleans and numbers among the values of a nested list."""
    found = set()
    for value in values:
        if isinstance(value, list):
            found |= _types(value)
        elif isinstance(value, (str, bool)):
            found.add(type(value).__name__)
        else:
            found.add("number")
    return found
