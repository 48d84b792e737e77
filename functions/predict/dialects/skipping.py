"""Scores the rows without a fault and lists the others, for requests with ``on_error=skip``."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from functions.predict.http.problems import BodyFault
from functions.predict.model import PredictionRequest, PredictionResponse
from functions.predict.service import Service
from sklambda.errors import Fault, RowsInvalid

ON_ERROR: Final = ("fail", "skip")
"""What a request may say: refuse all rows for one with a fault, or skip these."""

MAX_FAULTS: Final = 10
"""Number of faults that are listed of a row."""


@dataclass(frozen=True, slots=True)
class PartlyScored:
    """The scored rows of a request, and the faults of the others.

    Attributes
    ----------
    request : PredictionRequest
        The request for the scored rows.
    response : PredictionResponse or None
        The response to it; None where no row was scored.
    indices : sequence of int
        The positions of the scored rows in the whole request.
    faults : sequence of Fault
        The faults of the other rows, by their positions in the whole request.
    """

    request: PredictionRequest
    response: PredictionResponse | None
    indices: Sequence[int]
    faults: Sequence[Fault]


def score_good_rows(
    service: Service, request: PredictionRequest, unread: Collection[int] = ()
) -> PartlyScored:
    """Score the rows without a fault; `unread` are rows that have one already.

    Raises
    ------
    ProblemRaised
        The model is not ready, or cannot explain its scores.
    """
    indices = [row for row in range(len(request.rows)) if row not in unread]
    faults: list[Fault] = []
    while indices:
        selected = _select(request, indices)
        try:
            return PartlyScored(selected, service.predict(selected), indices, faults)
        except RowsInvalid as invalid:
            faults += (replace(fault, row=indices[fault.row]) for fault in invalid.faults)
            indices = [indices[row] for row in invalid.good_rows(len(indices))]
    service.require_ready()
    return PartlyScored(_select(request, []), None, [], faults)


def _select(request: PredictionRequest, indices: Sequence[int]) -> PredictionRequest:
    places = {row: place for place, row in enumerate(indices)}
    coerced = [(places[row], name) for row, name in request.coerced if row in places]
    rows = [request.rows[row] for row in indices]
    row_ids = [request.row_ids[row] for row in indices] if request.row_ids else ()
    return replace(request, rows=rows, coerced=coerced, row_ids=row_ids)


def to_rejects(faults: Iterable[tuple[int, BodyFault]]) -> list[dict[str, Any]]:
    """Return the rows that were not scored: the position of each, and its faults."""
    by_row: Mapping[int, list[BodyFault]] = defaultdict(list)
    for row, fault in faults:
        by_row[row].append(fault)
    return [
        {
            "index": row,
            "faults": [
                {"pointer": place, "code": code, "detail": detail}
                for place, code, detail in found[:MAX_FAULTS]
            ],
            "total": len(found),
        }
        for row, found in sorted(by_row.items())
    ]
