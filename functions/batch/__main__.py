"""A local file scored by the same code: ``python -m functions.batch customers.csv``."""

import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from functions.batch.jobs import opening
from functions.batch.jobs.context import Workshop
from functions.batch.jobs.job import Part
from functions.batch.jobs.options import Options
from functions.batch.jobs.run import run
from sklambda.errors import InputRefused, PackageRefused, SklambdaError
from sklambda.predictor import Predictor
from sklambda.receipt import Receipt
from sklambda.storage import Directory, Storage

_FORMATS = ("csv", "json_lines", "parquet")


def main(arguments: Sequence[str] | None = None, prog: str = "python -m functions.batch") -> None:
    """Score a file: CSV, JSON Lines or Parquet, also compressed with gzip or zstd."""
    given = _arguments(arguments, prog)
    try:
        receipt = _scored(given)
    except ValidationError as error:
        places = sorted({str(fault["loc"][0]) for fault in error.errors()})
        sys.exit(f"These options make no sense: {', '.join(places)}.")
    except PackageRefused as error:
        print(
            f"{error}; --model names the package, `sklambda train` or `make up` trains one.",
            file=sys.stderr,
        )
        sys.exit(2)
    except (SklambdaError, OSError) as error:
        sys.exit(f"{error}.")
    if receipt.status == "failed":
        sys.exit(1)


def _arguments(arguments: Sequence[str] | None, prog: str) -> Namespace:
    parser = ArgumentParser(prog=prog, description=main.__doc__)
    parser.add_argument("file", type=Path, help="its name tells the format")
    parser.add_argument("--out", type=Path, default=Path("batch"), help="folder (%(default)s)")
    parser.add_argument(
        "--model",
        type=Path,
        default=Path("layers/model/package"),
        help="the model package (%(default)s)",
    )
    parser.add_argument("--keep", help="columns to repeat: all, none or names, by commas (all)")
    parser.add_argument("--delimiter", help="of CSV; else the header tells")
    parser.add_argument("--input-format", choices=_FORMATS, help="else the name tells")
    parser.add_argument("--output-format", choices=_FORMATS, help="else as the input")
    parser.add_argument("--output-compression", choices=("none", "gzip", "zstd"))
    parser.add_argument("--tolerance", help="share of rows that may be rejected (0.05)")
    parser.add_argument("--part-bytes", help="bytes scored at a time (16 MiB)")
    parser.add_argument("--explain", action="store_true", default=None, help="explain each score")
    parser.add_argument(
        "--show-values", action="store_true", default=None, help="show refused values in rejects"
    )
    return parser.parse_args(arguments)


def _options(given: Namespace) -> Options:
    names = Options.model_fields.keys() & vars(given).keys()
    stated = {name: value for name in names if (value := getattr(given, name)) is not None}
    if stated.get("keep") not in (None, "all", "none"):
        stated["keep"] = tuple(name.strip() for name in stated["keep"].split(","))
    return Options.model_validate(stated)


def _scored(given: Namespace) -> Receipt:
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory() as folder:
        workshop = Workshop(Predictor.open(given.model), Directory(given.out), _open, Path(folder))
        begun = opening.outline(workshop, str(given.file.resolve()), _options(given))
        with _progress(console) as progress:
            task = progress.add_task(given.file.name, total=None, rows=0)

            def report(part: Part) -> None:
                rows = part.first + part.records - 1
                progress.update(task, completed=part.index + 1, rows=rows)

            receipt = run(workshop, begun, report=report)
    assert receipt is not None, "there is no limit of time"
    _tell(console, receipt, given.out)
    print(receipt.model_dump_json(indent=2))
    return receipt


def _open(address: str) -> tuple[Storage, str]:
    path = Path(address)
    if not path.is_file():
        raise InputRefused("input_absent", f"{address} is no file")
    return Directory(path.parent), path.name


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("parts, {task.fields[rows]:,} rows"),
        TimeElapsedColumn(),
        console=console,
    )


def _tell(console: Console, receipt: Receipt, out: Path) -> None:
    if receipt.reason is not None:
        console.print(f"[red]failed[/]: {receipt.reason.detail}")
    if receipt.rows is not None:
        rows = receipt.rows
        console.print(
            f"{rows.read:,} rows read = {rows.scored:,} scored + {rows.rejected:,} rejected"
        )
    for name, file in (("scored", receipt.scored), ("rejects", receipt.rejects)):
        if file is not None:
            console.print(f"{name}: {out / file.key}", highlight=False)
    console.print(f"receipt: {out}/jobs/{receipt.job}.json", highlight=False)


if __name__ == "__main__":
    main()
