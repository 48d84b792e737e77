"""The errors of the service as RFC 9457 problem details, in one format for all dialects.

A problem names places and codes. It never contains a value of the request, a file path or a
stack trace.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from pydantic_core import to_json

from functions.predict.http.response import Response
from sklambda.errors import Fault, RowsInvalid

type BodyFault = tuple[str, str, str]
"""JSON Pointer, code and detail of a fault in a body."""

type Locate = Callable[[Fault], str]
"""Returns the JSON Pointer of a fault that the codec found."""

MEDIA_TYPE: Final = "application/problem+json"
MAX_ERRORS: Final = 100
"""Number of faults that one response lists; `total` counts all."""

_MAX_POINTER_LENGTH: Final = 200
_MAX_NAMES: Final = 20


@dataclass(eq=False)  # not frozen: raising an exception writes its traceback into it
class ProblemRaised(Exception):
    """A request that is answered with a problem.

    Attributes
    ----------
    status : HTTPStatus
        The HTTP status.
    kind : str
        The last segment of the problem type.
    detail : str
        One sentence for people.
    members : mapping of str to object
        Further members of the problem.
    headers : mapping of str to str
        Headers of the response.
    media_type : str
        The media type of the response.
    """

    status: HTTPStatus
    kind: str
    detail: str
    members: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = MEDIA_TYPE

    def response(self) -> Response:
        """Return the HTTP response."""
        body = {
            "type": f"urn:sklambda:problem:{self.kind}",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
            "error": self.detail,  # required by the Open Inference Protocol
            "message": self.detail,  # what boto3 shows
            **self.members,
        }
        return Response(
            to_json(body), self.media_type, self.status.value, dict(self.headers), problem=self.kind
        )


def pointer(*path: str | int) -> str:
    """Return a JSON Pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def not_json(position: str) -> ProblemRaised:
    """Return the problem of a body that is not JSON."""
    return ProblemRaised(HTTPStatus.BAD_REQUEST, "not-json", f"The body is not JSON: {position}.")


def not_base64() -> ProblemRaised:
    """Return the problem of an event whose body is not the base64 that it declares."""
    detail = "The event declares a base64 body, and its body is not base64."
    return ProblemRaised(HTTPStatus.BAD_REQUEST, "not-base64", detail)


def event_unknown() -> ProblemRaised:
    """Return the problem of a direct invocation with a payload that is no request."""
    detail = (
        'Unknown event: expected {"instances": [{...}, ...]}, a body of another dialect, or an '
        "event of an API."
    )
    return ProblemRaised(HTTPStatus.BAD_REQUEST, "event-unknown", detail)


def not_csv(position: str) -> ProblemRaised:
    """Return the problem of a body that is not CSV."""
    return ProblemRaised(HTTPStatus.BAD_REQUEST, "not-csv", f"The body is not CSV: {position}.")


def not_npy(reason: str) -> ProblemRaised:
    """Return the problem of a body that is not an array in NPY format."""
    detail = f"The body is not an array in NPY format: {reason}."
    return ProblemRaised(HTTPStatus.BAD_REQUEST, "not-npy", detail)


def body_invalid(*faults: BodyFault) -> ProblemRaised:
    """Return the problem of a body whose structure is invalid."""
    return _invalid("body-invalid", "The request body is invalid", faults)


def rows_invalid(invalid: RowsInvalid, locate: Locate) -> ProblemRaised:
    """Return the problem of rows with invalid values; `locate` finds them in the body."""
    listed = invalid.faults[:MAX_ERRORS]
    faults = [(locate(fault), fault.code.value, fault.detail) for fault in listed]
    return _invalid("rows-invalid", "No row was scored", faults, len(invalid.faults))


def _invalid(
    kind: str, summary: str, faults: Sequence[BodyFault], total: int | None = None
) -> ProblemRaised:
    """Return a problem that lists faults; its detail names the first one."""
    total = len(faults) if total is None else total
    errors = [
        {"pointer": place, "code": code, "detail": detail}
        for place, code, detail in faults[:MAX_ERRORS]
    ]
    place, _, detail = faults[0]
    if len(place) > _MAX_POINTER_LENGTH:  # the names of members in it are the client's
        place = f"{place[:_MAX_POINTER_LENGTH]}…"
    first = f"{place} {detail}".strip()
    others = f" (and {total - 1} more)" if total > 1 else ""
    return ProblemRaised(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        kind,
        f"{summary}: {first}{others}.",
        {"errors": errors, "total": total},
    )


def too_many_rows(limit: int) -> ProblemRaised:
    """Return the problem of more rows than the limit."""
    return ProblemRaised(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too-many-rows",
        f"The request exceeds the limit of {limit} rows.",
        {"limit": limit},
    )


def explanations_too_slow(rows: int, seconds: float, each: float = 0) -> ProblemRaised:
    """Return the problem of more explanations than there is time for; `rows` fit.

    `each` are the seconds of one row, which are said where not one fits.
    """
    reason = "" if rows else f", as a row takes about {each:.2g} s"
    return ProblemRaised(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too-many-rows",
        f"Explanations of this model take long: {rows or 'not one'} of the rows can be explained "
        f"within {seconds:g} s (EXPLAIN_SECONDS){reason}; predictions without them have no such "
        "limit.",
        {"limit": rows},
    )


def busy(seconds: float) -> ProblemRaised:
    """Return the problem of a request that waited too long for others."""
    return ProblemRaised(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "busy",
        f"Other explanations took the {seconds:g} s of this request: try again.",
        headers={"retry-after": "1"},
    )


def explanation_stopped(seconds: float) -> ProblemRaised:
    """Return the problem of one row whose explanation took far longer than measured."""
    return ProblemRaised(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "busy",
        f"The explanation of one row took longer than {seconds:g} s (EXPLAIN_SECONDS), and less "
        "when it was measured: the machine is busy, try again.",
        headers={"retry-after": "1"},
    )


def too_many_bytes(limit: int) -> ProblemRaised:
    """Return the problem of a longer body than the limit."""
    return ProblemRaised(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too-many-bytes",
        f"The request body exceeds the limit of {limit} bytes.",
        {"limit": limit},
    )


def unsupported_media_type(supported: Sequence[str]) -> ProblemRaised:
    """Return the problem of a body in a media type that is not supported."""
    return ProblemRaised(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        f"Content-Type must be {' or '.join(supported)}.",
        headers={"accept": ", ".join(supported)},
    )


def unsupported_encoding(supported: Sequence[str]) -> ProblemRaised:
    """Return the problem of a body in a coding that is not supported."""
    return ProblemRaised(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "unsupported-encoding",
        f"Content-Encoding must be {' or '.join(supported)}, or absent.",
        headers={"accept-encoding": ", ".join(supported)},
    )


def not_compressed(coding: str) -> ProblemRaised:
    """Return the problem of a body that has not the coding that it declares."""
    detail = f"Content-Encoding declares {coding}, and the body is not, or not wholly, {coding}."
    return ProblemRaised(HTTPStatus.BAD_REQUEST, "not-compressed", detail)


def response_too_large(
    size: int, limit: int, rows: int, fitting: int, accepts: bool
) -> ProblemRaised:
    """Return the problem of a response above the limit, with how many of its rows fit."""
    remedy = f"send at most {fitting} of its {rows} rows at once" if fitting else "send fewer rows"
    packed = "" if accepts else ", or accept gzip"
    return ProblemRaised(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "response-too-large",
        f"The response has {size} bytes, above Lambda's limit of {limit}: {remedy}{packed}.",
        {"limit": limit, "bytes": size, "rows": rows, "fitting_rows": fitting},
    )


def unsupported_charset(supported: Sequence[str]) -> ProblemRaised:
    """Return the problem of a body that is declared to have another encoding than UTF-8."""
    return ProblemRaised(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "The charset of Content-Type must be utf-8.",
        headers={"accept": ", ".join(supported)},
    )


def not_acceptable(available: Sequence[str]) -> ProblemRaised:
    """Return the problem of an ``Accept`` that names no available media type."""
    return ProblemRaised(
        HTTPStatus.NOT_ACCEPTABLE,
        "not-acceptable",
        f"Accept must allow {' or '.join(available)}.",
    )


def not_explained() -> ProblemRaised:
    """Return the problem of a model without an explainer."""
    return ProblemRaised(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "not-explained",
        "The model package has no explainer.",
    )


def explain_unsupported() -> ProblemRaised:
    """Return the problem of KServe's verb for explanations."""
    detail = "The verb :explain is not supported: POST /predict?explain=true explains predictions."
    return ProblemRaised(HTTPStatus.NOT_FOUND, "not-found", detail)


def unknown_model(names: Sequence[str]) -> ProblemRaised:
    """Return the problem of a model name that is not served; `names` are."""
    more = f" or {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    listed = " or ".join(names[:_MAX_NAMES])
    detail = f"Unknown model: must be {listed}{more}; GET /models lists them."
    return ProblemRaised(HTTPStatus.NOT_FOUND, "unknown-model", detail, {"models": list(names)})


def unknown_version(names: Sequence[str]) -> ProblemRaised:
    """Return the problem of a version that is not served; `names` are."""
    detail = (
        "Unknown version: must be the id of a package that is served, its first 12 digits, "
        "champion, challenger in a split, or absent."
    )
    return ProblemRaised(HTTPStatus.NOT_FOUND, "unknown-model", detail, {"versions": list(names)})


def not_ready(model: str, row: str) -> ProblemRaised:
    """Return the problem of a model that fails a golden row."""
    return ProblemRaised(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "not-ready",
        "The model is not ready: a golden row does not match scikit-learn's prediction.",
        {"model": model, "golden_row": row},
    )


def from_status(status: int, headers: Mapping[str, str] | None = None) -> ProblemRaised:
    """Return the problem of a plain HTTP status."""
    known = HTTPStatus(status)
    kind = known.name.lower().replace("_", "-")
    return ProblemRaised(known, kind, known.description or known.phrase, headers=headers or {})
