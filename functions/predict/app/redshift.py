"""Amazon Redshift's external functions: rows by position, one result a row, as a JSON string.

A name that ends in a method of scikit-learn, as `churn_predict_proba`, selects the method; every
other name has the labels or values of `predict`. Of several models, the name begins with that of
the one that is meant.
"""

import re
from collections.abc import Mapping, Sequence
from json import dumps
from typing import Any, Final

from functions.predict.app import direct
from functions.predict.app.api import Application
from functions.predict.app.http_events import as_body
from functions.predict.app.results import written_bytes
from functions.predict.http import payload, problems
from functions.predict.http.json_reader import parse_text
from functions.predict.http.problems import ProblemRaised
from functions.predict.http.response import Response

type Event = Mapping[str, Any]

_PROBABILITY: Final = "predict_proba"
_METHODS: Final = (_PROBABILITY, "decision_function")
_PAIR: Final = 2
_NAMED: Final = "The external function's name must begin with that of a model."
_PLACE: Final = re.compile(r"/instances/(\d+)")


def matches(event: Event, context: Any) -> bool:
    """Return whether an event is a batch of rows of an external function."""
    return "arguments" in event and not {"num_records", "external_function"}.isdisjoint(event)


def answer(app: Application, event: Event, context: Any) -> str:
    """Return the results, or the reason why there are none, which fails the query."""
    rows = event["arguments"]
    results: list[Any] = []
    method, model = _method(event), _model(event, app.models)
    if model is None:
        return _failure(f"{problems.unknown_model(app.models).detail} {_NAMED}")
    if not isinstance(rows, list):
        return _failure("arguments must be a list of rows")
    size = app.limits.rows
    for first in range(0, len(rows), size):  # Redshift decides how many rows a batch has
        try:
            part = [_row(row, k) for k, row in enumerate(rows[first : first + size], first)]
        except ProblemRaised as raised:
            return _failure(raised.detail)
        body = {"instances": part, "params": {"method": method}}
        route = direct.route_at(app, direct.INVOCATIONS, model)
        response = direct.dispatch(app, route, as_body(body), context, written=_unwritten)
        answered = direct.document(response)
        if "predictions" not in answered:
            return _failure(_reason(answered, part, first) + _hint(part))
        results += [_result(each, method) for each in answered["predictions"]]
    reply = _reply(success=True, num_records=len(results), results=results)
    size = written_bytes(reply)
    if size > payload.MAX_BYTES:
        return _failure(
            f"the results of {len(rows)} rows have {size} bytes, above Lambda's limit of "
            f"{payload.MAX_BYTES}: create the external function with MAX_BATCH_ROWS "
            f"{payload.fitting_rows(len(rows), size)}"
        )
    return reply


def _unwritten(response: Response) -> None:
    """Return what the runtime writes of a part: nothing; the limit is that of all results."""


def _method(event: Event) -> str:
    name = str(event.get("external_function", "")).lower()
    return next((method for method in _METHODS if name.endswith(method)), "predict")


def _model(event: Event, models: Sequence[str]) -> str | None:
    """Return the model whose name the function's begins with; with one model it is that one."""
    if len(models) == 1:
        return models[0]
    function = _folded(str(event.get("external_function", "")).rpartition(".")[2]) + "_"
    found = [name for name in models if function.startswith(f"{_folded(name)}_")]
    return max(found, key=len, default=None)


def _folded(name: object) -> str:
    """Return a name as one of Redshift may write it: small letters, digits and underscores."""
    return re.sub(r"[^a-z0-9_]", "_", str(name).lower())


def _reason(problem: Mapping[str, Any], part: list[Any], first: int) -> str:
    """Return the detail of a problem of a part, which begins with a row of the batch.

    The place of its fault becomes that of the batch: `/arguments`, the row, its argument.
    """
    reason = str(problem.get("detail", "the rows were not scored"))
    faults = problem.get("errors") or [{}]
    found = _PLACE.match(str(faults[0].get("pointer")))
    if found is None:
        return reason
    row = int(found[1])
    as_text = "/0" if isinstance(part[row], dict) else ""
    return reason.replace(found[0], f"/arguments/{first + row}{as_text}", 1)


def _hint(rows: list[Any]) -> str:
    """Return what is expected of a text, where one holds a list or is no JSON."""
    other = any(_is_text(row, start) for row in rows for start in "[{")
    return " A row as JSON must be an object, with the features by name." if other else ""


def _is_text(row: object, start: str) -> bool:
    """Return whether a row is one text that starts like that."""
    return isinstance(row, list) and len(row) == 1 and str(row[0]).lstrip().startswith(start)


def _row(row: Any, place: int) -> object:
    """Return a row; of a function with one VARCHAR the object that its text holds.

    Raises the problem of duplicate members in it.
    """
    if _is_text(row, "{"):
        try:
            return parse_text(str(row[0]), "arguments", place, 0)
        except ValueError:
            return row
    return row


def _result(prediction: Any, method: str) -> Any:
    """Return one value for a prediction: of two probabilities the second, else a list as JSON."""
    if not isinstance(prediction, list):
        return prediction
    is_pair = len(prediction) == _PAIR and all(isinstance(each, float) for each in prediction)
    return prediction[1] if is_pair and method == _PROBABILITY else dumps(prediction)


def _failure(reason: str) -> str:
    return _reply(success=False, error_msg=reason, num_records=0, results=[])


def _reply(**members: Any) -> str:
    return dumps(members, ensure_ascii=False)
