"""HTML documents that need nothing from elsewhere, and that nothing can be slipped into."""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from html import escape
from json import dumps
from pathlib import Path
from string import Template
from typing import Final

from functions.predict.http.response import Response

_FILES: Final = Path(__file__).parent
_ICON: Final = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Cpath d='M2 14V9h3v5zm4.5 0V5h3v9zM11 14V2h3v12z' fill='%23147a6d'/%3E%3C/svg%3E"
)


def text(value: object) -> str:
    """Write a value as text or between the quotes of an attribute, where it means itself alone."""
    # A parser of HTML would make a line feed of a bare carriage return.
    return escape(str(value)).replace("\r", "&#13;")


def shown(value: str) -> str:
    """Write a string so that it is seen: in quotes where it is empty or begins or ends in space.

    The element keeps a name that is written from right to left from turning what is around it.
    """
    return f"<bdi>{text(visible(value))}</bdi>"


def visible(value: str) -> str:
    """Put a string in quotes where nobody would see it, or where it begins or ends."""
    return value if value and value == value.strip() else dumps(value, ensure_ascii=False)


def attributes(**values: object) -> str:
    """Write attributes; an underscore is a hyphen, None and False leave one out, True is bare."""
    written = []
    for name, value in values.items():
        if value is None or value is False:
            continue
        key = name.rstrip("_").replace("_", "-")
        written.append(f" {key}" if value is True else f' {key}="{text(value)}"')
    return "".join(written)


def document(template: str, script: str | None = None, **parts: str) -> Response:
    """Answer with a page: a template of this folder around parts that are HTML already.

    The policy admits the one style and the one script by their hashes, and requests to where the
    page is from.
    """
    style, code = read("page.css"), read(script) if script else ""
    content = Template(read(template)).substitute(parts, style=style, script=code, icon=_ICON)
    headers = {
        "content-security-policy": policy(style, code),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-cache",
    }
    return Response(content.encode(), "text/html", headers=headers)


@cache
def read(name: str) -> str:
    """Read a file of the folder of pages."""
    return (_FILES / name).read_text(encoding="utf-8")


@cache
def policy(style: str, script: str) -> str:
    """Write the Content-Security-Policy of a page that holds these two and nothing else."""
    code = f"script-src {_hash(script)}; connect-src 'self'; " if script else ""
    return (
        f"default-src 'none'; style-src {_hash(style)}; {code}img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _hash(source: str) -> str:
    return f"'sha256-{b64encode(sha256(source.encode()).digest()).decode()}'"
