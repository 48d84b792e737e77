"""HTML and SVG elements; all text is escaped here."""

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
    """Escape a value for text or for the quotes of an attribute."""
    # A parser of HTML would make a line feed of a bare carriage return.
    return escape(str(value)).replace("\r", "&#13;")


def visible(value: str) -> str:
    """Quote a string that is empty, or begins or ends with white space."""
    return value if value and value == value.strip() else dumps(value, ensure_ascii=False)


def display(value: str) -> str:
    """Write a name so that it is visible, and isolated if it is written from right to left."""
    return f"<bdi>{text(visible(value))}</bdi>"


def element(name: str, *content: str, **attributes: object) -> str:
    """Write an element around markup; an underscore in an attribute is a hyphen, None omits it.

    A trailing underscore avoids the keywords of Python.
    """
    present = {key: value for key, value in attributes.items() if value is not None}
    markup = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"' for key, value in present.items()
    )
    if name in _BARE and not content:
        return f"<{name}{markup}/>"
    return f"<{name}{markup}>{''.join(content)}</{name}>"


def document(title: str, **parts: str) -> str:
    """Write the page of the report from parts that are markup.

    The page contains its Content-Security-Policy, because it is also opened as a file: it allows
    the one style, by its hash, and no script, frame, form or address.
    """
    style = _read("report.css")
    return Template(_read("report.html")).substitute(
        parts, title=text(title), style=style, policy=text(policy()), icon=_ICON
    )


@cache
def policy() -> str:
    """Return the Content-Security-Policy of the report."""
    digest = b64encode(sha256(_read("report.css").encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _read(name: str) -> str:
    return (_FILES / name).read_text(encoding="utf-8")
