"""What is sent back, before it is known how."""

from dataclasses import dataclass, field
from typing import Final

JSON_LINES: Final = "application/jsonlines"

JSON: Final = "application/json"


@dataclass(slots=True)
class Response:
    """An HTTP answer.

    Attributes
    ----------
    content : bytes
        The body.
    media_type : str or None
        What the body is; None where there is none.
    status : int
        The HTTP status.
    headers : dict of str to str
        Further headers, by their names in lower case.
    problem : str or None
        The kind of the problem that it tells of.
    """

    content: bytes = b""
    media_type: str | None = JSON
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    problem: str | None = None

    @property
    def head(self) -> dict[str, str]:
        """All headers."""
        head = {"content-length": str(len(self.content)), **self.headers}
        if self.media_type is not None:
            text = self.media_type.startswith("text/")
            head["content-type"] = f"{self.media_type}; charset=utf-8" if text else self.media_type
        return head
