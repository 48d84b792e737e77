"""What the service answers when it says no: RFC 9457 problem details, one shape for all.

A problem names places and codes. It never holds a value of the request, a path or a stack.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from pydantic_core import to_json
from starlette.responses import Response

from sklambda.errors import Fault, RowsInvalid

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
            **self.members,
        }
        return Response(
            to_json(body), self.status.value, media_type=MEDIA_TYPE, headers=dict(self.headers)
        )


def pointer(*parts: str | int) -> str:
    """Write a JSON Pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def not_json(place: str) -> ProblemRaised:
    """Say that the body is no JSON; `place` is where it stops being so."""
    return ProblemRaised(HTTPStatus.BAD_REQUEST, "not-json", f"The body is not JSON: {place}.")


def body_invalid(*faults: tuple[str, str, str]) -> ProblemRaised:
    """Say what is wrong with the body around the rows: (pointer, code, detail) a fault."""
    errors = [dict(zip(("pointer", "code", "detail"), fault, strict=True)) for fault in faults]
    return ProblemRaised(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "body-invalid",
        "The body is not what the service takes.",
        {"errors": errors, "total": len(errors)},
    )


def rows_invalid(invalid: RowsInvalid) -> ProblemRaised:
    """Say what is wrong with the rows."""
    return ProblemRaised(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "rows-invalid",
        "Some instances do not fit the model's signature; none was scored.",
        {"errors": _errors(invalid.faults[:MOST_ERRORS]), "total": len(invalid.faults)},
    )


def too_many_rows(limit: int) -> ProblemRaised:
    """Say that there are more rows than one request may hold."""
    return ProblemRaised(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too-many-rows",
        f"A request may hold {limit} instances.",
        {"limit": limit},
    )


def unsupported_media_type() -> ProblemRaised:
    """Say that the body is announced as something else than JSON."""
    return ProblemRaised(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "The body must be application/json.",
        headers={"accept": "application/json"},
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


def _errors(faults: Sequence[Fault]) -> list[dict[str, str]]:
    return [
        {
            "pointer": pointer("instances", *fault.place),
            "code": fault.code.value,
            "detail": fault.detail,
        }
        for fault in faults
    ]
