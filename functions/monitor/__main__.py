"""The monitor on a laptop: ``python -m functions.monitor report``, ``replay`` or ``serve``."""

import json
import sys
from argparse import ArgumentParser, Namespace
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
from functions.monitor.alarms.diagnosis import Lines
from functions.monitor.events import Look
from functions.monitor.report.files import LATEST
from functions.monitor.report.markup import policy
from functions.monitor.report.prometheus import MEDIA_TYPE
from functions.monitor.report.wording import moment
from functions.monitor.results import Results
from functions.monitor.run import Monitor, Outside
from sklambda.errors import PackageRefused, SklambdaError
from sklambda.package import ModelPackage
from sklambda.sketch.layout import moment_of
from sklambda.storage import Directory

type Json = dict[str, Any]
HOST: Final = "127.0.0.1"
_ROUTES: Final = {
    "/": (".html", "text/html; charset=utf-8"),
    "/report.json": (".json", "application/json"),
    "/metrics": (".prom", MEDIA_TYPE),
}
_HOUR: Final = timedelta(hours=1)


def main() -> None:
    """Judge records in a folder, as the function judges those in the bucket."""
    given = _arguments()
    try:
        given.act(given)
    except (SklambdaError, OSError) as error:
        sys.exit(f"{error}.")


def _arguments() -> Namespace:
    parser = ArgumentParser(prog="python -m functions.monitor", description=main.__doc__)
    acts = parser.add_subparsers(required=True, metavar="COMMAND")
    report = acts.add_parser("report", help="judge one window, and write its report")
    report.set_defaults(act=_report)
    report.add_argument("--until", type=_time, help="ISO 8601: where it ends, and as of when (now)")
    replay = acts.add_parser("replay", help="judge each window that the records hold, in order")
    replay.set_defaults(act=_replay)
    for one in (report, replay):
        one.add_argument("--model", type=Path, default=Path("layers/model/package"))
        one.add_argument("--out", type=Path, help="also write the last page here")
    serve = acts.add_parser("serve", help="serve the latest report and /metrics")
    serve.set_defaults(act=_serve)
    serve.add_argument("--host", default=HOST, help="address to listen on (%(default)s)")
    serve.add_argument("--port", type=int, default=8001, help="port to listen on (%(default)s)")
    for one in (report, replay, serve):
        one.add_argument("--records", type=Path, required=True, help="folder of records")
    return parser.parse_args()


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _report(given: Namespace) -> None:
    page = Local(given.records, given.model).run(given.until or datetime.now(UTC))
    _tell(page, given.out)


def _replay(given: Namespace) -> None:
    local, console = Local(given.records, given.model), Console(stderr=True, highlight=False)
    page = None
    for until in track(list(local.windows()), "Monitor", console=console):
        page = local.run(until)
        line = f"{moment(until.isoformat())}  {told(page)['headline']}"
        console.print(line, markup=False, soft_wrap=True)
    if page is None:
        sys.exit(f"{given.records} holds no captures.")
    _tell(page, given.out)


def _tell(page: Path, out: Path | None) -> None:
    if out is not None:
        copyfile(page, out)
    print("\n".join(told(page)["summary"]))
    print(f"\n{out or page}")


def _serve(given: Namespace) -> None:
    with server(given.records, given.port, given.host) as service, suppress(KeyboardInterrupt):
        print(f"The latest report: http://{given.host}:{service.server_port}/ (Ctrl+C stops it).")
        service.serve_forever()


class Local:
    """Judges what is in a folder, laid out as the bucket is.

    Parameters
    ----------
    records : Path
        The folder.
    model : Path
        The model package.

    Raises
    ------
    PackageRefused
        The package has no baseline.
    """

    def __init__(self, records: Path, model: Path) -> None:
        package = ModelPackage.open(model)
        if package.baseline is None:
            raise PackageRefused(f"{model} has no baseline: train it again")
        self._package, self._baseline = package, package.baseline
        self._records = Directory(records)
        watching = self._baseline.watching
        self._span = timedelta(hours=watching.window_hours)
        policy, name = watching.retrain, package.manifest.id
        self._monitor = Monitor(self._records, name, policy, self._outside())

    def run(self, until: datetime) -> Path:
        """Judge the window that ends with a time, as of then; gives where its page lies."""
        answer = self._monitor.run(Look(until))
        return self._records.root / str(answer["report"])

    def windows(self) -> Iterator[datetime]:
        """Give the ends of windows, one after the other, that hold all captures."""
        hours = [moment_of(stored.key) for stored in self._records.list("captures/")]
        if not hours:
            return
        stop = min(hours) + self._span
        while stop < max(hours) + _HOUR + self._span:
            yield stop
            stop += self._span

    def _outside(self) -> Outside:
        return Outside(
            judge=self._judge,
            traffic=lambda window, at: None,
            lines=lambda until: Lines([]),
            deployment=lambda: None,
            send=lambda message: None,
            publish=lambda happenings: None,
            count=lambda results: None,
            address=str,
        )

    def _judge(self, until: datetime, at: datetime) -> Results:
        baseline = self._baseline
        return judge.judge(self._records, self._package, baseline, baseline.watching, until, at)


def told(page: Path) -> Json:
    """Read the same report as `Results`, from the JSON beside the page."""
    found: Json = json.loads(page.with_suffix(".json").read_bytes())
    return found


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


if __name__ == "__main__":
    main()
