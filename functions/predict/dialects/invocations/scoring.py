"""Scores a table: the predictions, or with ``on_error=skip`` those of the rows without a fault."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from functions.predict.dialects import methods
from functions.predict.dialects.invocations.tables import Table
from functions.predict.dialects.options import Options, select_fields
from functions.predict.dialects.skipping import PartlyScored, score_good_rows, to_rejects
from functions.predict.http import problems
from functions.predict.http.exchange import Caller
from functions.predict.http.problems import BodyFault
from functions.predict.model import PredictionRequest, PredictionResponse, ServedModel
from functions.predict.service import Service
from sklambda.errors import RowsInvalid

WARNINGS: Final = "x-warnings"

_MAX_HALF: Final = 900
"""The most characters of a list in the header."""


@dataclass(frozen=True, slots=True)
class ScoredTable:
    """A table that was scored, with the faults of the rows that were not.

    Attributes
    ----------
    table : Table
        The table.
    options : Options
        The options of the request.
    scored : PartlyScored
        The scored rows.
    """

    table: Table
    options: Options
    scored: PartlyScored

    @property
    def predictions(self) -> list[Any]:
        """The prediction of each scored row."""
        response = self.scored.response
        if response is None:
            return []
        if not self.options.fields:
            return methods.predictions(response, self.options.method)
        return [
            select_fields({**prediction.members, "warnings": warnings}, self.options.fields)
            for prediction, warnings in zip(response.predictions, response.warnings, strict=True)
        ]

    @property
    def document(self) -> dict[str, Any]:
        """The predictions as JSON; with the other rows, if these were skipped."""
        document: dict[str, Any] = {"predictions": self.predictions}
        if not self.options.skip:
            return document
        faults = [(row, fault) for row, fault in self.table.unread.items()]
        faults += ((fault.row, _located(self.table, fault)) for fault in self.scored.faults)
        return document | {"indices": self.scored.indices, "rejects": to_rejects(faults)}

    @property
    def warnings_header(self) -> dict[str, str]:
        """The header with the number of warnings, the first of them, and the rows with each."""
        response, padded = self.scored.response, self.table.padded
        if not padded and not (response and any(response.warnings)):
            return {}
        warnings = list(self._warnings(response))
        first = _as_far_as_fits(
            {"row": row, "feature": feature, "code": code} for row, feature, code in warnings
        )
        members = f'"total": {len(warnings)}, "first": [{first}]'
        if len(self.table.rows) > 1:
            rows = Counter((feature, code) for _, feature, code in warnings)
            counts = _as_far_as_fits(
                {"feature": feature, "code": code, "rows": number}
                for (feature, code), number in rows.most_common()
            )
            members += f', "counts": [{counts}]'
        return {WARNINGS: f"{{{members}}}"}

    def _warnings(self, response: PredictionResponse | None) -> Iterator[tuple[int, str, str]]:
        yield from ((row, feature, "padded") for row, feature in self.table.padded)
        found = response.warnings if response else ()
        for row, warnings in zip(self.scored.indices, found, strict=True):
            yield from ((row, warning.feature, warning.code) for warning in warnings)


def _as_far_as_fits(items: Iterable[Mapping[str, object]]) -> str:
    """Return items of JSON, the first ones whose length fits in half of a header."""
    texts, length = list[str](), 0
    for text in map(json.dumps, items):
        length += len(text) + len(", ")
        if length > _MAX_HALF:
            break
        texts.append(text)
    return ", ".join(texts)


def score_table(
    service: Service,
    table: Table,
    options: Options,
    caller: Caller,
    model: ServedModel | None = None,
    row_ids: Sequence[object] = (),
) -> ScoredTable:
    """Score a table, with the served model that the caller selected if any.

    Raises
    ------
    ProblemRaised
        The table has a fault, or a row has one and these are not skipped.
    """
    request = PredictionRequest(
        table.rows, caller, coerced=table.coerced, model=model, row_ids=row_ids
    )
    if table.faults or (table.unread and not options.skip):
        faults = [*table.faults, *table.unread.values(), *_other_faults(service, table)]
        raise problems.body_invalid(*faults)
    if options.skip:
        scored = score_good_rows(service, request, table.unread.keys())
        return ScoredTable(table, options, scored)
    try:
        response = service.predict(request)
    except RowsInvalid as invalid:
        raise problems.rows_invalid(invalid, table.locate) from None
    scored = PartlyScored(request, response, range(len(table.rows)), ())
    return ScoredTable(table, options, scored)


def _other_faults(service: Service, table: Table) -> Sequence[BodyFault]:
    """Return the faults of the values of a table that is refused already."""
    try:
        service.model.predictor.encode(table.rows)
    except RowsInvalid as invalid:
        return [_located(table, fault) for fault in invalid.faults if not table.reports(fault)]
    return []


def _located(table: Table, fault: Any) -> BodyFault:
    return table.locate(fault), fault.code.value, fault.detail
