"""The monitor on a laptop: ``python -m functions.monitor report``, ``replay`` or ``serve``."""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copyfile
from typing import Any, Final

from rich.console import Console
from rich.progress import track

from functions.monitor import judge
from functions.monitor.alarms.diagnosis import LogLines
from functions.monitor.events import RunRequest
from functions.monitor.report.files import LATEST
from functions.monitor.report.markup import policy
from functions.monitor.report.prometheus import MEDIA_TYPE
from functions.monitor.report.wording import format_time
from functions.monitor.results import Results
from functions.monitor.run import Monitor, Ports
from sklambda.errors import PackageRefused, SklambdaError
from sklambda.package import ModelPackage
from sklambda.sketch.layout import hour_of
from sklambda.storage import Directory

HOST: Final = "127.0.0.1"

_HOUR: Final = timedelta(hours=1)
_LAST_PORT: Final = 65535
_FIRST_YEAR: Final = 1970

_ROUTES: Final = {
    "/": (".html", "text/html; charset=utf-8"),
    "/report.json": (".json", "application/json"),
    "/metrics": (".prom", MEDIA_TYPE),
}

type Json = dict[str, Any]


def main(arguments: Sequence[str] | None = None, prog: str = "python -m functions.monitor") -> None:
    """Judge records in a folder, as the function judges those in the bucket."""
    options = _options(arguments, prog)
    try:
        options.run(options)
    except PackageRefused as error:
        print(f"{error}; `sklambda train` writes a package.", file=sys.stderr)
        sys.exit(2)
    except (SklambdaError, OSError) as error:
        sys.exit(f"{error}.")


def _options(arguments: Sequence[str] | None, prog: str) -> Namespace:
    parser = ArgumentParser(prog=prog, description=main.__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    report = commands.add_parser("report", help="judge one window, and write its report")
    report.set_defaults(run=_report)
    report.add_argument(
        "--until", type=_time, help="ISO 8601: the end of the window, and the time of the run (now)"
    )
    replay = commands.add_parser("replay", help="judge each window of the records, in order")
    replay.set_defaults(run=_replay)
    for command in (report, replay):
        command.add_argument("--model", type=Path, default=Path("layers/model/package"))
        command.add_argument("--out", type=Path, help="also write the last page here")
    serve = commands.add_parser("serve", help="serve the latest report and /metrics")
    serve.set_defaults(run=_serve)
    serve.add_argument("--host", default=HOST, help="address to listen on (%(default)s)")
    serve.add_argument("--port", type=_port, default=8001, help="port to listen on (%(default)s)")
    for command in (report, replay, serve):
        command.add_argument("--records", type=Path, required=True, help="folder of records")
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _LAST_PORT:
        raise ArgumentTypeError(f"must be a whole number from 0 to {_LAST_PORT}, got {text}")
    return int(text)


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"must be a time in ISO 8601, got {text}") from None
    if time.year < _FIRST_YEAR:
        raise ArgumentTypeError(f"must be a time from {_FIRST_YEAR} on, got {text}")
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _report(options: Namespace) -> None:
    page = LocalMonitor(options.records, options.model).run(options.until or datetime.now(UTC))
    _print_summary(page, options.out)


def _replay(options: Namespace) -> None:
    monitor = LocalMonitor(options.records, options.model)
    console = Console(stderr=True, highlight=False)
    page = None
    for until in track(list(monitor.windows()), "Monitor", console=console):
        page = monitor.run(until)
        line = f"{format_time(until.isoformat())}  {read_report(page)['headline']}"
        console.print(line, markup=False, soft_wrap=True)
    if page is None:
        sys.exit(f"{options.records} has no captures: expected files below captures/.")
    _print_summary(page, options.out)


def _print_summary(page: Path, out: Path | None) -> None:
    if out is not None:
        copyfile(page, out)
    print("\n".join(read_report(page)["summary"]))
    print(f"\n{out or page}")


def _serve(options: Namespace) -> None:
    host, port = options.host, options.port
    try:
        server = make_server(options.records, port, host)
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0].lower()
        print(
            f"Cannot listen on port {port} of {host}: {reason}. Stop the process that uses it, or "
            "choose another port with --port, or another address of this machine with --host.",
            file=sys.stderr,
        )
        sys.exit(2)
    with server, suppress(KeyboardInterrupt):
        print(f"The latest report: http://{host}:{server.server_port}/ (Ctrl+C stops it).")
        server.serve_forever()


class LocalMonitor:
    """The monitor of a folder, laid out as the bucket is.

    Parameters
    ----------
    folder : Path
        The folder of records.
    model : Path
        The model package.

    Raises
    ------
    PackageRefused
        The package has no baseline.
    """

    def __init__(self, folder: Path, model: Path) -> None:
        package = ModelPackage.open(model)
        if package.baseline is None:
            raise PackageRefused(f"{model} has no baseline: train it again")
        self._package, self._baseline = package, package.baseline
        self._storage = Directory(folder)
        watching = self._baseline.watching
        self._span = timedelta(hours=watching.window_hours)
        self._monitor = Monitor(self._storage, package.manifest.id, watching.retrain, self._ports())

    def run(self, until: datetime) -> Path:
        """Judge the window that ends with a time, as of then; return the path of its page."""
        response = self._monitor.run(RunRequest(until))
        return self._storage.root / str(response["report"])

    def windows(self) -> Iterator[datetime]:
        """Return the ends of successive windows that cover all captures."""
        hours = [hour_of(stored.key) for stored in self._storage.list("captures/")]
        if not hours:
            return
        stop = min(hours) + self._span
        while stop < max(hours) + _HOUR + self._span:
            yield stop
            stop += self._span

    def _ports(self) -> Ports:
        return Ports(
            judge=self._judge,
            traffic=lambda period, now: None,
            log_lines=lambda until: LogLines([]),
            deployment=lambda: None,
            send=lambda message: None,
            publish=lambda events: None,
            write_metrics=lambda results: None,
            address=str,
        )

    def _judge(self, until: datetime, now: datetime) -> Results:
        baseline = self._baseline
        return judge.judge(self._storage, self._package, baseline, baseline.watching, until, now)


def read_report(page: Path) -> Json:
    """Read the JSON of a report, which is beside its page."""
    report: Json = json.loads(page.with_suffix(".json").read_bytes())
    return report


def make_server(folder: Path, port: int, host: str = HOST) -> ThreadingHTTPServer:
    """Return the server of a folder of records: ``/``, ``/report.json`` and ``/metrics``.

    It serves the report of the last run; 503 before the first one.
    """
    return ThreadingHTTPServer((host, port), _request_handler(folder))


def _request_handler(folder: Path) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, media_type, content = _response(folder, self.path.partition("?")[0])
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
            """Write no log: Prometheus scrapes every few seconds."""

    return Handler


def _response(folder: Path, route: str) -> tuple[int, str, bytes]:
    if route not in _ROUTES:
        message = b"Unknown path: expected /, /report.json or /metrics.\n"
        return 404, "text/plain; charset=utf-8", message
    suffix, media_type = _ROUTES[route]
    try:
        return 200, media_type, (folder / f"{LATEST}{suffix}").read_bytes()
    except FileNotFoundError:
        return 503, "text/plain; charset=utf-8", b"No report yet: run the monitor first.\n"


if __name__ == "__main__":
    main()
