"""The monitor on a laptop: ``python -m functions.monitor report``, ``replay`` or ``serve``."""

import sys
from argparse import ArgumentParser, Namespace
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile

from rich.console import Console
from rich.progress import track

from functions.monitor.local import Local, told
from functions.monitor.serving import HOST, server
from functions.monitor.wording import moment
from sklambda.errors import SklambdaError


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


if __name__ == "__main__":
    main()
