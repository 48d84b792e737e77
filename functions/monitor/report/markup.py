"""HTML and SVG that nothing can be slipped into: what is no markup yet is escaped here."""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from html import escape
from json import dumps
from pathlib import Path
from string import Template
from typing import Final

_FILES: Final = Path(__file__).parent
_ICON: Final = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Cpath d='M2 14V9h3v5zm4.5 0V5h3v9zM11 14V2h3v12z' fill='%23147a6d'/%3E%3C/svg%3E"
)
_BARE: Final = frozenset({"circle", "line", "path", "polygon", "polyline", "rect"})


def text(value: object) -> str:
    """Write a value as text or between the quotes of an attribute, where it means itself alone."""
    # A parser of HTML would make a line feed of a bare carriage return.
    return escape(str(value)).replace("\r", "&#13;")


def visible(value: str) -> str:
    """Put a string in quotes where nobody would see it, or where it begins or ends."""
    return value if value and value == value.strip() else dumps(value, ensure_ascii=False)


def shown(value: str) -> str:
    """Write a name so that it is seen, and turns nothing around it if it is written from right."""
    return f"<bdi>{text(visible(value))}</bdi>"


def element(name: str, *content: str, **attributes: object) -> str:
    """Write an element around markup; an underscore in an attribute is a hyphen, None no attribute.

    A trailing underscore frees a name that Python keeps for itself.
    """
    given = {key: value for key, value in attributes.items() if value is not None}
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"' for key, value in given.items()
    )
    if name in _BARE and not content:
        return f"<{name}{written}/>"
    return f"<{name}{written}>{''.join(content)}</{name}>"


def document(title: str, **parts: str) -> str:
    """Write the report's page around parts that are markup already.

    The policy stands in the document, which is opened as a file as well: it admits the one style,
    by its hash, and no script, frame, form or address.
    """
    style = _read("report.css")
    return Template(_read("report.html")).substitute(
        parts, title=text(title), style=style, policy=text(policy()), icon=_ICON
    )


@cache
def policy() -> str:
    """Write the Content-Security-Policy of the report."""
    digest = b64encode(sha256(_read("report.css").encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _read(name: str) -> str:
    return (_FILES / name).read_text(encoding="utf-8")
