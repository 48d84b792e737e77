"""What the service answers when it says no: RFC 9457 problem details, one shape for all.

A problem names places and codes. It never holds a value of the request, a path or a stack.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from pydantic_core import to_json

from functions.predict.http.response import Response
from sklambda.errors import Fault, RowsInvalid

type Locate = Callable[[Fault], str]

MEDIA_TYPE: Final = "application/problem+json"
MOST_ERRORS: Final = 100
"""How many faults one answer lists; `total` says how many there are."""


@dataclass(eq=False)  # not frozen: raising an exception writes its traceback into it
class ProblemRaised(Exception):  # it becomes the problem that it names
    """A request that is answered with a problem.

    Attributes
    ----------
    status : HTTPStatus
        The HTTP status.
    kind : str
        The last part of the problem's type.
    detail : str
        One sentence for people.
    members : mapping of str to object
        Further members of the problem.
    headers : mapping of str to str
        Headers of the answer.
    """

    status: HTTPStatus
    kind: str
    detail: str
    members: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """Write it as an HTTP answer."""
        body = {
            "type": f"urn:sklambda:problem:{self.kind}",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
            "error": self.detail,  # as the Open Inference Protocol has it
            **self.members,
        }
        return Response(
            to_json(body), MEDIA_TYPE, self.status.value, dict(self.headers), problem=self.kind
        )


def pointer(*parts: str | int) -> str:
    """Write a JSON Pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def not_json(place: str) -> ProblemRaised:
    """Say that the body is no JSON; `place` is where it stops being so."""
    return ProblemRaised(HTTPStatus.BAD_REQUEST, "not-json", f"The body is not JSON: {place}.")


def not_csv(place: str) -> ProblemRaised:
    """Say that the body is no CSV; `place` is where it stops being so."""
    return ProblemRaised(HTTPStatus.BAD_REQUEST, "not-csv", f"The body is not CSV: {place}.")


def body_invalid(*faults: tuple[str, str, str]) -> ProblemRaised:
    """Say what is wrong with the body around the rows: (pointer, code, detail) a fault."""
    errors = [
        dict(zip(("pointer", "code", "detail"), fault, strict=True))
        for fault in faults[:MOST_ERRORS]
    ]
    return ProblemRaised(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "body-invalid",
        "The body is not what the service takes.",
        {"errors": errors, "total": len(faults)},
    )


def rows_invalid(invalid: RowsInvalid, locate: Locate) -> ProblemRaised:
    """Say what is wrong with the rows; `locate` points to a fault's place in the body."""
    errors = [
        {"pointer": locate(fault), "code": fault.code.value, "detail": fault.detail}
        for fault in invalid.faults[:MOST_ERRORS]
    ]
    return ProblemRaised(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "rows-invalid",
        "Some instances do not fit the model's signature; none was scored.",
        {"errors": errors, "total": len(invalid.faults)},
    )


def too_many_rows(limit: int) -> ProblemRaised:
    """Say that there are more rows than one request may hold."""
    return ProblemRaised(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too-many-rows",
        f"A request may hold {limit} instances.",
        {"limit": limit},
    )


def too_many_bytes(limit: int) -> ProblemRaised:
    """Say that the body is longer than it may be."""
    return ProblemRaised(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too-many-bytes",
        f"A body may hold {limit} bytes.",
        {"limit": limit},
    )


def unsupported_media_type(known: Sequence[str]) -> ProblemRaised:
    """Say that the body is announced as something else than what is taken here."""
    return ProblemRaised(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        f"The body must be {' or '.join(known)}.",
        headers={"accept": ", ".join(known)},
    )


def not_acceptable(offered: Sequence[str]) -> ProblemRaised:
    """Say that no media type that is accepted is one that is given here."""
    return ProblemRaised(
        HTTPStatus.NOT_ACCEPTABLE,
        "not-acceptable",
        f"The answer can be {' or '.join(offered)}.",
    )


def not_explained() -> ProblemRaised:
    """Say that this model cannot explain its scores."""
    return ProblemRaised(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "not-explained",
        "The model package holds no explanations.",
    )


def unknown_model() -> ProblemRaised:
    """Say that no model of this name, or not in this version, is served."""
    return ProblemRaised(
        HTTPStatus.NOT_FOUND, "unknown-model", "No model of this name and version is served here."
    )


def not_ready(row: str) -> ProblemRaised:
    """Say that the model does not answer as scikit-learn did, and on which golden row."""
    return ProblemRaised(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "not-ready",
        "The model does not give scikit-learn's answer on a golden row; nothing is scored.",
        {"golden_row": row},
    )


def of_status(status: int, headers: Mapping[str, str] | None = None) -> ProblemRaised:
    """Give the problem of a plain HTTP status."""
    known = HTTPStatus(status)
    kind = known.name.lower().replace("_", "-")
    return ProblemRaised(known, kind, known.description or known.phrase, headers=headers or {})
