"""HTTP responses, independent of Lambda and of any server."""

from dataclasses import dataclass, field
from typing import Final

JSON: Final = "application/json"
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
    """

    content: bytes = b""
    media_type: str | None = JSON
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    problem: str | None = None

    @property
    def all_headers(self) -> dict[str, str]:
        """All headers, those of the body included."""
        headers = {"content-length": str(len(self.content)), **self.headers}
        if self.media_type is not None:
            is_text = self.media_type.startswith("text/")
            charset = "; charset=utf-8" if is_text else ""
            headers["content-type"] = f"{self.media_type}{charset}"
        return headers
