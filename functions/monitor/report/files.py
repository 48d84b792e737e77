"""The files of a report: a page that is complete in itself, JSON, and metrics for Prometheus."""

import json as _json
from dataclasses import fields, is_dataclass
from math import isfinite
from typing import Any, Final

from functions.monitor.drift.verdict import Verdict
from functions.monitor.report import markup, prometheus
from functions.monitor.report.markup import display, element, text
from functions.monitor.report.sections import facts, sections
from functions.monitor.report.summary import headline, summary
from functions.monitor.report.tables import badges
from functions.monitor.report.wording import format_span, format_time
from functions.monitor.results import Results
from sklambda.document import Document

LATEST: Final = "reports/latest"
"""The key of the latest report, of whichever model, without its extension."""


def html(results: Results) -> str:
    """Write the page of a run, which loads nothing and contains no script."""
    window = results.window
    pairs = (
        element("div", element("dt", text(name)), element("dd", text(value)))
        for name, value in facts(results)
    )
    return markup.document(
        title=f"{results.model}: {window.stop}",
        model=display(results.model),
        package=text(results.model_id[:12]),
        span=text(format_span(window.start, window.stop)),
        made=text(format_time(results.made)),
        state=badges(results),
        facts="".join(pairs),
        sections=sections(results),
    )


def json(results: Results) -> bytes:
    """Write a run as JSON with the members of `Results`; a number that is not finite is null."""
    first = {"headline": headline(results), "summary": summary(results)}
    return _json.dumps(first | _to_json(results), ensure_ascii=False, allow_nan=False).encode()


def files(results: Results) -> dict[str, bytes]:
    """Return the files of a run below ``reports/``, by key."""
    page, members = html(results).encode(), json(results)
    name = f"reports/{results.model_id}/{results.window.stop}"
    return {
        f"{name}.html": page,
        f"{name}.json": members,
        f"{LATEST}.html": page,
        f"{LATEST}.json": members,
        f"{LATEST}.prom": prometheus.text(results).encode(),
    }


def _to_json(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _to_json(getattr(value, one.name)) for one in fields(value)} | _impact(
            value
        )
    if isinstance(value, Document):
        return _to_json(vars(value))
    if isinstance(value, dict):
        return {str(name): _to_json(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_to_json(one) for one in value]
    if isinstance(value, float) and not isfinite(value):
        return None
    return value


def _impact(value: object) -> dict[str, float]:
    return {"impact": value.impact} if isinstance(value, Verdict) else {}
