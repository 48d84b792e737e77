"""HTML pages: self-contained, with every value escaped."""

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
    """Escape a value, as text or as the value of an attribute."""
    # An HTML parser would turn a bare carriage return into a line feed.
    return escape(str(value)).replace("\r", "&#13;")


def isolated(value: str) -> str:
    """Return a string as an element that isolates the direction of its script.

    A name in a right-to-left script would otherwise reverse the text around it.
    """
    return f"<bdi>{text(quoted(value))}</bdi>"


def quoted(value: str) -> str:
    """Return a string, in quotes where it is empty or begins or ends with white space."""
    return value if value and value == value.strip() else dumps(value, ensure_ascii=False)


def attributes(**values: object) -> str:
    """Return attributes; an underscore becomes a hyphen, None and False omit one, True is bare."""
    parts = []
    for name, value in values.items():
        if value is None or value is False:
            continue
        key = name.rstrip("_").replace("_", "-")
        parts.append(f" {key}" if value is True else f' {key}="{text(value)}"')
    return "".join(parts)


def document(template: str, script: str | None = None, **parts: str) -> Response:
    """Return a page: a template of this folder, filled with parts that are HTML.

    The Content-Security-Policy allows the page's style and script by their hashes, and requests to
    its own origin.
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
    """Read a file of this folder."""
    return (_FILES / name).read_text(encoding="utf-8")


@cache
def policy(style: str, script: str) -> str:
    """Return the Content-Security-Policy of a page with this style and this script."""
    code = f"script-src {_hash(script)}; connect-src 'self'; " if script else ""
    return (
        f"default-src 'none'; style-src {_hash(style)}; {code}img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _hash(source: str) -> str:
    return f"'sha256-{b64encode(sha256(source.encode()).digest()).decode()}'"
