"""HTTP responses, independent of Lambda and of any server."""

from dataclasses import dataclass, field
from typing import Final

JSON: Final = "application/json"
NO_CONTENT: Final = 204
JSON_LINES: Final = "application/jsonlines"


@dataclass(slots=True)
class Response:
    """An HTTP response.

    Attributes
    ----------
    content : bytes
        The body.
    media_type : str or None
        The media type of the body; None without a body.
    status : int
        The HTTP status.
    headers : dict of str to str
        Further headers by lower-case name.
    problem : str or None
        The kind of problem that the body describes; None for a success.
    rows : int
        Number of rows that the body has predictions for; 0 where it has none.
    """

    content: bytes = b""
    media_type: str | None = JSON
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    problem: str | None = None
    rows: int = 0

    def vary(self, header: str) -> None:
        """Say that the response depends on a header of the request."""
        before = self.headers.get("vary")
        self.headers["vary"] = f"{before}, {header}" if before else header

    @property
    def all_headers(self) -> dict[str, str]:
        """All headers, those of the body included."""
        if self.status == NO_CONTENT:
            return self.headers
        headers = {"content-length": str(len(self.content)), **self.headers}
        if self.media_type is not None:
            is_text = self.media_type.startswith("text/")
            charset = "; charset=utf-8" if is_text else ""
            headers["content-type"] = f"{self.media_type}{charset}"
        return headers
