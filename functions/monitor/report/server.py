"""The latest report over HTTP, and its metrics for Prometheus to scrape."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from functions.monitor.report.files import LATEST
from functions.monitor.report.markup import policy
from functions.monitor.report.prometheus import MEDIA_TYPE

HOST: Final = "127.0.0.1"

_ROUTES: Final = {
    "/": (".html", "text/html; charset=utf-8"),
    "/report.json": (".json", "application/json"),
    "/metrics": (".prom", MEDIA_TYPE),
}


def server(records: Path, port: int, host: str = HOST) -> ThreadingHTTPServer:
    """Make the server of a folder of records: ``/``, ``/report.json`` and ``/metrics``.

    Whatever run wrote last is what is answered; 503 before there was one.
    """
    return ThreadingHTTPServer((host, port), _handler(records))


def _handler(records: Path) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, media_type, content = _answer(records, self.path.partition("?")[0])
            self.send_response(status)
            self.send_header("content-type", media_type)
            self.send_header("content-length", str(len(content)))
            self.send_header("content-security-policy", f"{policy()}; frame-ancestors 'none'")
            self.send_header("x-content-type-options", "nosniff")
            self.send_header("referrer-policy", "no-referrer")
            self.send_header("cache-control", "no-store")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: Prometheus asks every few seconds."""

    return Handler


def _answer(records: Path, route: str) -> tuple[int, str, bytes]:
    if route not in _ROUTES:
        return 404, "text/plain; charset=utf-8", b"/, /report.json and /metrics are there.\n"
    suffix, media_type = _ROUTES[route]
    try:
        return 200, media_type, (records / f"{LATEST}{suffix}").read_bytes()
    except FileNotFoundError:
        return 503, "text/plain; charset=utf-8", b"No report is written yet.\n"
