"""The report of a run: one HTML file that needs nothing else, and the same for programs."""

import json as _json
from dataclasses import fields, is_dataclass
from math import isfinite
from typing import Any, Final

from functions.monitor.drift.verdict import Verdict
from functions.monitor.report import markup, prometheus
from functions.monitor.report.markup import element, shown, text
from functions.monitor.report.sections import facts, sections
from functions.monitor.report.summary import headline, summary
from functions.monitor.report.tables import badges
from functions.monitor.report.wording import moment, span
from functions.monitor.results import Results
from sklambda.document import Document

LATEST: Final = "reports/latest"
"""Where the newest report lies, whichever model it is of, but for what its name ends on."""


def html(results: Results) -> str:
    """Write a run as a document that needs nothing from elsewhere, and that holds no script."""
    window = results.window
    pairs = (
        element("div", element("dt", text(name)), element("dd", text(value)))
        for name, value in facts(results)
    )
    return markup.document(
        title=f"{results.model}: {window.stop}",
        model=shown(results.model),
        package=text(results.model_id[:12]),
        span=text(span(window.start, window.stop)),
        made=text(moment(results.made)),
        state=badges(results),
        facts="".join(pairs),
        sections=sections(results),
    )


def json(results: Results) -> bytes:
    """Write a run as JSON, its members named as in `Results`; what is no finite number is null."""
    told = {"headline": headline(results), "summary": summary(results)}
    return _json.dumps(told | _plain(results), ensure_ascii=False, allow_nan=False).encode()


def files(results: Results) -> dict[str, bytes]:
    """Give what a run leaves below ``reports/``, by key."""
    page, members = html(results).encode(), json(results)
    name = f"reports/{results.model_id}/{results.window.stop}"
    return {
        f"{name}.html": page,
        f"{name}.json": members,
        f"{LATEST}.html": page,
        f"{LATEST}.json": members,
        f"{LATEST}.prom": prometheus.text(results).encode(),
    }


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)} | _ranks(value)
    if isinstance(value, Document):
        return _plain(vars(value))
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not isfinite(value):
        return None
    return value


def _ranks(value: object) -> dict[str, float]:
    return {"impact": value.impact} if isinstance(value, Verdict) else {}
