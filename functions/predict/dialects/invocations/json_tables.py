"""Tables as JSON: the four shapes of MLflow's scoring protocol, and JSON Lines."""

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from itertools import islice
from typing import Any, Final

from functions.predict.dialects.invocations.tables import (
    MISFIT,
    Header,
    Misfit,
    Table,
    of_columns,
    of_lists,
    of_records,
)
from functions.predict.http import exchange, problems
from functions.predict.http.exchange import Limits
from functions.predict.http.problems import ProblemRaised, pointer
from sklambda.signature import Signature

type _Read = Callable[[Any, Signature, Limits, str], Table]

PARAMETERS: Final = "params"
MEMBERS_OF_A_SPLIT: Final = ("index", "columns", "data")


def read(document: object, signature: Signature, limits: Limits) -> Table:
    """Read the one table of a document; other members than it and "params" are misfits.

    Raises
    ------
    ProblemRaised
        There is not exactly one, or it has not the shape that its name says, or too many rows.
    """
    if not isinstance(document, dict):
        raise problems.body_invalid(("", "type", "must be an object"))
    strangers: list[Misfit] = [
        (pointer(name), "unknown_member", "is not a member of a request")
        for name in document
        if name not in SHAPES and name != PARAMETERS
    ]
    named = [name for name in SHAPES if name in document]
    if len(named) != 1:
        one_of = ("", "shape", f"must hold exactly one of {', '.join(SHAPES)}")
        raise problems.body_invalid(*strangers, one_of)
    [name] = named
    table = SHAPES[name](document[name], signature, limits, name)
    return replace(table, misfits=[*strangers, *table.misfits])


def read_lines(content: bytes, signature: Signature, limits: Limits) -> Table:
    """Read a row from each line that is not blank; a line that is no JSON is a misfit."""
    lines = list(islice(filter(None, map(bytes.strip, BytesIO(content))), limits.rows + 1))
    limits.require_rows(len(lines))
    if not lines:
        raise problems.body_invalid(("", "type", "must hold at least one row"))
    documents, broken = [], []
    for place, line in enumerate(lines):
        try:
            documents.append(exchange.document(line, inf_nan=True))
        except ProblemRaised:
            documents.append(MISFIT)
            broken.append((pointer(place), "not_json", "is no JSON"))
    table = of_records(documents, signature)
    return replace(table, misfits=[*broken, *table.misfits])


def _records(value: Any, signature: Signature, limits: Limits, name: str) -> Table:
    rows = _rows(value, limits, name)
    return of_records(rows, signature, (name,))


def _inputs(value: Any, signature: Signature, limits: Limits, name: str) -> Table:
    if not isinstance(value, dict):
        return _records(value, signature, limits, name)
    limits.require_rows(max((len(v) for v in value.values() if isinstance(v, list)), default=0))
    table = of_columns(value, signature, (name,))
    if not table.rows and not table.misfits:
        raise _no_rows(name)
    return table


def _split(value: Any, signature: Signature, limits: Limits, name: str) -> Table:
    if not isinstance(value, dict):
        raise problems.body_invalid((pointer(name), "type", "must be an object"))
    rows = _rows(value.get("data"), limits, name, "data")
    columns = value.get("columns")
    misfits: list[Misfit] = [
        (pointer(name, member), "unknown_member", "is not a member of a split table")
        for member in value
        if member not in MEMBERS_OF_A_SPLIT
    ]
    if columns is None:
        columns = list(signature.names)
    if not isinstance(columns, list) or not all(isinstance(one, str) for one in columns):
        misfits.append((pointer(name, "columns"), "type", "must be a list of strings"))
    if misfits:
        raise problems.body_invalid(*misfits)
    return of_lists(rows, Header.of(columns, signature, name, "columns"), (name, "data"))


def _rows(value: Any, limits: Limits, *path: str) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise _no_rows(*path)
    limits.require_rows(len(value))
    return value


def _no_rows(*path: str) -> ProblemRaised:
    return problems.body_invalid((pointer(*path), "type", "must hold at least one row"))


SHAPES: Final[dict[str, _Read]] = {
    "dataframe_split": _split,
    "dataframe_records": _records,
    "instances": _records,
    "inputs": _inputs,
}
"""How the value of each member is read; a request has one of them."""
